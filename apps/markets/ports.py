"""What markets needs from outside: sources of bars, and from higher apps the barrier of a replay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from apps.core.vocabulary import Timeframe
from apps.markets.contracts import CandleSource
from apps.markets.domain.bars import RawBars


@dataclass(frozen=True)
class Listing:
    """An instrument as a source describes it: its grid, its bounds, its calendar, and what its numbers are."""

    symbol: str
    name: str
    base_asset: str
    quote_asset: str
    asset_class: str
    calendar: str
    price_scale: int
    volume_scale: int
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    max_price: Decimal
    max_quantity: Decimal
    source_label: str
    cash_scale: int = 8
    is_closes_only: bool = False
    is_adjusted: bool = False


class BarSource(Protocol):
    """A place that bars come from. Calls may block on files or a network; they raise `Unavailable` (retryable) when that fails."""

    code: CandleSource

    def listings(self) -> list[Listing]:
        """Everything this source was opened for."""
        ...

    def bars(self, symbol: str, timeframe: Timeframe, *, since: datetime | None, until: datetime | None) -> RawBars:
        """Bars that opened at or after `since` and closed at or before `until`, in the order the source gives them, unchecked."""
        ...


class ReplayBarrier(Protocol):
    """Whether everybody has done with a bar, so that the replay may play the next one."""

    def waiting_for(self, venue_id: UUID, closed_at: datetime) -> str:
        """Empty when the next bar may come, else a sentence that says what the replay waits for."""
        ...
