"""A file of ticks as a configuration names it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from apps.backtests.domain.config_part import ConfigPart

TICK = "tick"
"""What a run over ticks is listed under where others have their timeframe."""


class TimeUnit(StrEnum):
    """How a file writes its times."""

    ISO = "iso"
    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    NANOSECONDS = "ns"

    @property
    def words(self) -> str:
        """For people."""
        return "ISO 8601" if self is TimeUnit.ISO else f"{self.name.lower()} since 1970 UTC"


class TickFile(ConfigPart, frozen=True, kw_only=True):
    """A CSV or Parquet file of quotes, trades and depth instead of bars. `tick` is checked where it is given, `lot` is the smallest step of
    quantities and sizes (None: as fine as prices leave room for), `time_unit` is found out where it is not given."""

    path: str
    symbol: str
    quote_asset: str = "USD"
    file_format: str = ""
    price_scale: int | None = None
    tick: Decimal | None = None
    lot: Decimal | None = None
    time_unit: TimeUnit | None = None
