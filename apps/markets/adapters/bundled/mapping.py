"""From the bundled files to bars: dates become sessions of the New York exchange, prices the decimals that they were printed from."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from apps.core.errors import InexactValue, InvalidInput
from apps.markets.adapters.bundled.client import Table
from apps.markets.adapters.calendars import Sessions
from apps.markets.contracts import BarFlag
from apps.markets.domain.bars import FloatArray, Int64Array, RawBars, raw_bars_of
from apps.markets.ports import Listing

INDEX_DECIMALS = 2
STOCK_DECIMALS = 3
_INDEX_NAMES = {"SP500": "S&P 500 index", "NASDAQ": "NASDAQ Composite index"}
_STOCK_NAMES = {
    "AAPL": "Apple", "AMD": "Advanced Micro Devices", "BAC": "Bank of America", "BBY": "Best Buy", "CVX": "Chevron",
    "GE": "General Electric", "HD": "Home Depot", "JNJ": "Johnson & Johnson", "JPM": "JPMorgan Chase", "KO": "Coca-Cola",
    "LLY": "Eli Lilly", "MRK": "Merck", "MSFT": "Microsoft", "PEP": "PepsiCo", "PFE": "Pfizer", "PG": "Procter & Gamble",
    "RRC": "Range Resources", "UNH": "UnitedHealth", "WMT": "Walmart", "XOM": "Exxon Mobil",
}  # fmt: skip


def index_listing(symbol: str) -> Listing:
    """An index traded as if it were a fund at one dollar a point, in hundredths of a share.

    Prices are kept two places finer than the tick. The maxima keep price x lots x cash unit within int64: 100,000 x 200,000 = 2e10 USD.
    """
    return Listing(
        symbol=symbol, name=_INDEX_NAMES[symbol], base_asset=symbol, quote_asset="USD", asset_class="index", calendar="XNYS",
        price_scale=4, volume_scale=0, tick_size=Decimal("0.01"), lot_size=Decimal("0.01"), min_quantity=Decimal("0.01"),
        min_notional=Decimal(1), max_price=Decimal(100_000), max_quantity=Decimal(200_000),
        source_label="Daily bars of the index, 1999 to 2018, as shipped with the Python package arch (from Yahoo Finance).",
    )  # fmt: skip


def stock_listing(symbol: str) -> Listing:
    """A stock in whole shares. The file's adjusted prices go down to 0.10 USD in 1990, so a tick of a cent, or of the file's third decimal
    place, would be the larger part of what a trade costs; it is a hundredth of a cent, and prices are kept two places finer than that."""
    return Listing(
        symbol=symbol, name=_STOCK_NAMES.get(symbol, symbol), base_asset=symbol, quote_asset="USD", asset_class="equity", calendar="XNYS",
        price_scale=6, volume_scale=0, tick_size=Decimal("0.0001"), lot_size=Decimal(1), min_quantity=Decimal(1),
        min_notional=Decimal(1), max_price=Decimal(10_000), max_quantity=Decimal(2_000_000), is_closes_only=True, is_adjusted=True,
        source_label="Daily closes only, adjusted for splits and dividends, 1990 to 2022, as shipped with the Python package skfolio.",
    )  # fmt: skip


def index_bars(table: Table, sessions: Sessions) -> RawBars:
    """Bars of an index file (Date, Open, High, Low, Close, Adj Close, Volume; dates as month/day/year)."""
    days = _days([_iso(row[0]) for row in table.rows])
    columns = {name: _numbers(table, name) for name in ("Open", "High", "Low", "Close", "Volume")}
    opened, closed = _session_times(days, sessions)
    prices = [from_single_precision(columns[name], INDEX_DECIMALS) for name in ("Open", "High", "Low", "Close")]
    return raw_bars_of(opened, closed, [*prices, columns["Volume"]])


def stock_bars(table: Table, symbol: str, sessions: Sessions) -> RawBars:
    """Bars of one column of the stocks file: the close is all there is, so open, high and low repeat it and the bar is flagged."""
    days = _days([row[0] for row in table.rows])
    close = _numbers(table, symbol)
    opened, closed = _session_times(days, sessions)
    return raw_bars_of(opened, closed, [close, close, close, close, np.zeros(len(days))], flags=BarFlag.CLOSES_ONLY)


def from_single_precision(values: FloatArray, decimals: int) -> FloatArray:
    """Undo a trip through float32: 1229.22998 was printed from 1229.23.

    Exact or InexactValue: the decimal with `decimals` places must give the same float32 as the value in the file.
    """
    rounded: FloatArray = np.rint(values * 10**decimals) / 10**decimals
    if not np.array_equal(rounded.astype(np.float32), values.astype(np.float32)):
        first = values[rounded.astype(np.float32) != values.astype(np.float32)][0]
        raise InexactValue(f"Price {first!r} was not printed from a number with {decimals} decimal places.", where="price")
    return rounded


def _iso(text: str) -> str:
    month, day, year = text.split("/")
    return f"{year}-{month:0>2}-{day:0>2}"


def _days(texts: list[str]) -> Int64Array:
    return np.array(texts, "datetime64[D]").astype(np.int64)


def _numbers(table: Table, name: str) -> FloatArray:
    column = table.header.index(name)
    return np.array([float(row[column]) if row[column] else np.nan for row in table.rows])


def _session_times(days: Int64Array, sessions: Sessions) -> tuple[Int64Array, Int64Array]:
    """Opening and close of each day's session; raises InvalidInput for a day without one."""
    place = np.searchsorted(sessions.days, days).clip(max=len(sessions) - 1)
    strangers = days[sessions.days[place] != days]
    if len(strangers):
        raise InvalidInput(f"{strangers[0].astype('datetime64[D]')} is no trading day of the calendar.", where="Date")
    return sessions.opens[place], sessions.closes[place]
