"""The bundled history as a source."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from apps.core.errors import InvalidInput, NotFound
from apps.core.vocabulary import Timeframe
from apps.markets.adapters.bundled import mapping
from apps.markets.adapters.bundled.client import Table, read_table
from apps.markets.adapters.calendars import Sessions, sessions
from apps.markets.adapters.slicing import cut
from apps.markets.contracts import CandleSource
from apps.markets.domain.bars import RawBars
from apps.markets.ports import Listing

INDICES = ("SP500", "NASDAQ")
_CALENDAR_YEARS = (1990, 2022)


class BundledSource:
    """Daily bars only."""

    code = CandleSource.BUNDLED

    def listings(self) -> list[Listing]:
        stocks = _table("STOCKS").header[1:]
        return [mapping.index_listing(symbol) for symbol in INDICES] + [mapping.stock_listing(symbol) for symbol in stocks]

    def bars(self, symbol: str, timeframe: Timeframe, *, since: datetime | None, until: datetime | None) -> RawBars:
        if timeframe is not Timeframe.D1:
            raise InvalidInput(f"The bundled history has daily bars, not {timeframe}.", where="timeframe")
        return cut(_bars(symbol), since=since, until=until)


@lru_cache(maxsize=3)
def _table(name: str) -> Table:
    return read_table(name)


@lru_cache(maxsize=32)
def _bars(symbol: str) -> RawBars:
    if symbol in INDICES:
        return mapping.index_bars(_table(symbol), _sessions())
    if symbol in _table("STOCKS").header[1:]:
        return mapping.stock_bars(_table("STOCKS"), symbol, _sessions())
    raise NotFound(f"The bundled history has no {symbol}.", where="symbol")


def _sessions() -> Sessions:
    return sessions("XNYS", *_CALENDAR_YEARS)


SOURCE = BundledSource
