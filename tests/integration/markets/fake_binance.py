"""A local HTTP server that speaks Binance's public spot dialect: exchangeInfo and klines, with faults on demand."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

MINUTE_MS = 60_000


def kline(opened_ms: int, close: str = "100.50", **changed: str) -> list[Any]:
    """One kline as Binance sends it: prices and volumes as text."""
    values = {"open": "100.00", "high": "101.25", "low": "99.75", "close": close, "volume": "12.34567"} | changed
    prices = [values[name] for name in ("open", "high", "low", "close", "volume")]
    return [opened_ms, *prices, opened_ms + MINUTE_MS - 1, "1234.5", 42, "6.1", "617.2", "0"]


@dataclass
class FakeBinance:
    """The exchange's state; tests change it while the server runs."""

    klines: dict[int, list[Any]] = field(default_factory=dict)
    status: int = 200
    requests: list[str] = field(default_factory=list)

    def add(self, *rows: list[Any]) -> None:
        for row in rows:
            self.klines[row[0]] = row

    def answer(self, path: str, query: dict[str, list[str]]) -> Any:
        if path.endswith("/exchangeInfo"):
            return _EXCHANGE_INFO
        if path.endswith("/klines"):
            since = int(query.get("startTime", ["0"])[0])
            rows = [self.klines[key] for key in sorted(self.klines) if key >= since]
            return rows[: int(query.get("limit", ["500"])[0])]
        return {}


class FakeBinanceServer:
    """Serves a FakeBinance on localhost; `options` are what a live venue needs to be fed by it."""

    def __init__(self) -> None:
        self.exchange = FakeBinance()
        exchange = self.exchange

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parsed = urlparse(self.path)
                exchange.requests.append(self.path)
                answer = json.dumps(exchange.answer(parsed.path, parse_qs(parsed.query)))
                body = (answer if exchange.status == 200 else "<html>Service unavailable</html>").encode()
                self.send_response(exchange.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the test output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def options(self) -> dict[str, Any]:
        base = f"http://127.0.0.1:{self.port}"
        return {"urls": {"public": f"{base}/api/v3"}, "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


_EXCHANGE_INFO = {
    "timezone": "UTC",
    "serverTime": 1_700_000_000_000,
    "rateLimits": [],
    "exchangeFilters": [],
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "status": "TRADING",
            "baseAsset": "BTC",
            "baseAssetPrecision": 8,
            "quoteAsset": "USDT",
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "MARKET"],
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "permissions": ["SPOT"],
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
                {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
                {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "maxNotional": "9000000.00000000"},
            ],
        }
    ],
}
