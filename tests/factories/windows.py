"""Windows of bars: synthetic ones from a seed, and real S&P 500 and NASDAQ days from the bundled data."""

from __future__ import annotations

import importlib
from dataclasses import replace
from decimal import Decimal
from functools import cache
from uuid import UUID

import numpy as np
import numpy.typing as npt

from apps.core.ids import deterministic_uuid
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import BarWindow

COLUMNS = ("opened_at", "closed_at", "open", "high", "low", "close", "volume", "flags")
DAY = 86_400_000_000


def make_spec(
    symbol: str = "TEST", *, instrument_id: UUID | None = None, venue_id: UUID | None = None, price_scale: int = 6
) -> InstrumentSpec:
    """An instrument that needs no row."""
    return InstrumentSpec(
        id=instrument_id or deterministic_uuid("instrument", symbol), venue_id=venue_id or deterministic_uuid("venue"), symbol=symbol,
        base_asset=symbol, quote_asset="USD", price_scale=price_scale, volume_scale=0, cash_scale=8, tick_size=Decimal("0.01"),
        lot_size=Decimal(1), min_quantity=Decimal(1), min_notional=Decimal(0), max_price=Decimal(10_000), max_quantity=Decimal(100_000),
    )  # fmt: skip


def make_window(
    close: npt.ArrayLike,
    *,
    open: npt.ArrayLike | None = None,
    high: npt.ArrayLike | None = None,
    low: npt.ArrayLike | None = None,
    volume: npt.ArrayLike | None = None,
    spec: InstrumentSpec | None = None,
    first_day: int = 11_000,
) -> BarWindow:
    """Daily bars from closes in price units; what is not given repeats the close, volume is 0."""
    closes = np.asarray(close, np.int64)
    opened = (first_day + np.arange(len(closes), dtype=np.int64)) * DAY
    given = [closes if values is None else np.asarray(values, np.int64) for values in (open, high, low)]
    volumes = np.zeros(len(closes), np.int64) if volume is None else np.asarray(volume, np.int64)
    return BarWindow(
        spec or make_spec(), Timeframe.D1, opened, opened + DAY - 1_000_000, given[0], given[1], given[2], closes, volumes,
        np.zeros(len(closes), np.int64),
    )  # fmt: skip


def random_window(bars: int, *, seed: int, volatility: float = 0.01, drift: float = 0.0) -> BarWindow:
    """A random walk with opens, highs, lows and volumes; ties and flat stretches occur."""
    random = np.random.default_rng(seed)
    logs = np.cumsum(random.normal(drift, volatility, bars) * random.integers(0, 2, bars))
    closes = np.maximum(np.rint(100_000_000 * np.exp(logs) / 10_000) * 10_000, 10_000).astype(np.int64)
    opens = np.maximum(closes + random.integers(-20, 21, bars) * 10_000, 10_000)
    highs = np.maximum(opens, closes) + random.integers(0, 30, bars) * 10_000
    lows = np.maximum(np.minimum(opens, closes) - random.integers(0, 30, bars) * 10_000, 1)
    return make_window(closes, open=opens, high=highs, low=lows, volume=random.integers(0, 10**10, bars))


def cut(window: BarWindow, start: int, stop: int) -> BarWindow:
    """The bars [start, stop)."""
    return replace(window, **{name: getattr(window, name)[start:stop] for name in COLUMNS})


@cache
def real_window(name: str = "sp500", *, bars: int | None = None) -> BarWindow:
    """Real daily bars 1999-2018 (`sp500` or `nasdaq`), the newest `bars` of the first 3,500 days or all."""
    frame = importlib.import_module(f"arch.data.{name}").load()
    columns = {key: np.rint(frame[key].to_numpy() * 1e6).astype(np.int64) for key in ("Open", "High", "Low", "Close")}
    opened = frame.index.to_numpy().astype("datetime64[us]").astype(np.int64) + 14 * 3_600_000_000
    window = make_window(
        columns["Close"], open=columns["Open"], high=columns["High"], low=columns["Low"],
        volume=frame["Volume"].to_numpy().astype(np.int64), spec=make_spec(name.upper()),
    )  # fmt: skip
    window = replace(window, opened_at=opened, closed_at=opened + 7 * 3_600_000_000)
    return window if bars is None else cut(window, 3_500 - bars, 3_500)
