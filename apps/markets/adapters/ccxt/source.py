"""An exchange as a source of bars."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.core.vocabulary import Timeframe
from apps.markets.adapters.ccxt import mapping
from apps.markets.adapters.ccxt.client import ExchangeClient
from apps.markets.adapters.slicing import cut
from apps.markets.contracts import CandleSource
from apps.markets.domain.bars import RawBars, to_micros
from apps.markets.ports import Listing

MOST_PAGES = 500


class CcxtSource:
    """The chosen symbols of one exchange."""

    code = CandleSource.CCXT

    def __init__(
        self, *, exchange: str, symbols: list[str], urls: dict[str, str] | None = None, options: dict[str, Any] | None = None
    ) -> None:
        self._symbols = symbols
        self._client = ExchangeClient(exchange, urls=urls, options=options)

    def listings(self) -> list[Listing]:
        client = self._client
        return [
            mapping.listing(client.market(symbol), exchange=client.name, precision_mode=client.precision_mode) for symbol in self._symbols
        ]

    def bars(self, symbol: str, timeframe: Timeframe, *, since: datetime | None, until: datetime | None) -> RawBars:
        """Page after page, until `until` is reached or the exchange has nothing newer."""
        step_ms = int(timeframe.duration.total_seconds()) * 1000
        since_ms = None if since is None else to_micros(since) // 1000
        end_ms = None if until is None else to_micros(until) // 1000
        rows: list[list[Any]] = []
        for _ in range(MOST_PAGES):
            page = self._client.candles(symbol, str(timeframe), since_ms)
            fresh = [row for row in page if not rows or row[0] > rows[-1][0]]
            rows += fresh
            if not fresh or since_ms is None or (end_ms is not None and rows[-1][0] + step_ms >= end_ms):
                break
            since_ms = rows[-1][0] + step_ms
        return cut(mapping.raw_bars(rows, timeframe), since=since, until=until)


SOURCE = CcxtSource
