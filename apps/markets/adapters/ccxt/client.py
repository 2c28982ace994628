"""Talks to an exchange through ccxt; every failure comes out as one of our errors."""

from __future__ import annotations

from typing import Any

import ccxt

from apps.core.errors import InvalidInput, NotFound, TradingError, Unavailable

TIMEOUT_MS = 10_000
PAGE = 1000


class ExchangeClient:
    """One exchange, without keys. `urls` and `options` are merged into ccxt's own (a proxy, a test server, a market type)."""

    def __init__(self, exchange: str, *, urls: dict[str, str] | None = None, options: dict[str, Any] | None = None) -> None:
        if exchange not in ccxt.exchanges:
            raise NotFound(f"ccxt knows no exchange {exchange!r}.", where="exchange", hint="Use an id such as binance, kraken or bybit.")
        self.name = exchange
        self._exchange = getattr(ccxt, exchange)({"enableRateLimit": True, "timeout": TIMEOUT_MS, "options": options or {}})
        if urls:
            self._exchange.urls["api"] = {**self._exchange.urls["api"], **urls}

    @property
    def precision_mode(self) -> int:
        return int(self._exchange.precisionMode)

    def market(self, symbol: str) -> dict[str, Any]:
        """The exchange's description of a market. Raises NotFound, Unavailable."""
        try:
            self._exchange.load_markets()
            market: dict[str, Any] = self._exchange.market(symbol)
        except ccxt.BaseError as error:
            raise self._translated(error, symbol) from error
        return market

    def candles(self, symbol: str, timeframe: str, since_ms: int | None) -> list[list[Any]]:
        """One page of candles as [milliseconds, open, high, low, close, volume], ascending. Raises NotFound, Unavailable, InvalidInput."""
        try:
            page: list[list[Any]] = self._exchange.fetch_ohlcv(symbol, timeframe, since=since_ms, limit=PAGE)
        except ccxt.BaseError as error:
            raise self._translated(error, symbol) from error
        return page

    def _translated(self, error: Exception, symbol: str) -> TradingError:
        reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
        where = f"{self.name} {symbol}"
        if isinstance(error, ccxt.BadSymbol):
            return NotFound(f"{self.name} has no market {symbol!r}.", where=where, hint="Symbols look like BTC/USDT.")
        if isinstance(error, ccxt.RateLimitExceeded):
            return Unavailable(f"{self.name} asks us to slow down.", where=where, hint=reason)
        if isinstance(error, ccxt.NetworkError):
            return Unavailable(f"{self.name} does not answer.", where=where, hint=f"Is there a network? {reason}")
        if isinstance(error, (ccxt.NotSupported, ccxt.BadRequest)):
            return InvalidInput(f"{self.name} refuses the request: {reason}", where=where)
        return Unavailable(f"{self.name} answered with an error: {reason}", where=where)
