"""A bar file as a source of one symbol."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path

from apps.core.vocabulary import Timeframe
from apps.markets.adapters.files import mapping
from apps.markets.adapters.files.client import guess_format, read_table
from apps.markets.adapters.slicing import cut
from apps.markets.contracts import CandleSource
from apps.markets.domain.bars import RawBars
from apps.markets.ports import Listing


class FileSource:
    """One CSV, Parquet or Feather file."""

    code = CandleSource.FILES

    def __init__(
        self,
        *,
        path: str,
        symbol: str,
        timeframe: str,
        calendar: str = "24/7",
        quote_asset: str = "USD",
        file_format: str = "",
        price_scale: int | None = None,
    ) -> None:
        self._path = Path(path)
        self._symbol = symbol
        self._timeframe = Timeframe(timeframe)
        self._calendar = calendar
        self._quote_asset = quote_asset
        self._format = file_format or guess_format(self._path)
        self._price_scale = price_scale

    @cached_property
    def _bars(self) -> RawBars:
        return mapping.raw_bars(read_table(self._path, self._format), self._timeframe, self._calendar)

    def listings(self) -> list[Listing]:
        return [
            mapping.listing(
                self._symbol,
                self._bars,
                calendar=self._calendar,
                quote_asset=self._quote_asset,
                source_label=f"Imported from {self._path.name}."[:200],
                price_scale=self._price_scale,
            )
        ]

    def bars(self, symbol: str, timeframe: Timeframe, *, since: datetime | None, until: datetime | None) -> RawBars:
        return cut(self._bars, since=since, until=until)


SOURCE = FileSource
