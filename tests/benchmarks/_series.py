"""The synthetic series that peers were measured on, and floors: the least work that gives the same trades, without records."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from apps.backtests.domain.event_run import QuoteColumns
from apps.core.kernel import kernel
from apps.core.values import InstrumentSpec
from apps.orders.domain.profiles import DEFAULT, IDEAL, EngineProfile, FeeModel, Slippage
from apps.strategies.domain.bar_columns import BarColumns

PINNED_SEED = 7
MINUTE = 60_000_000
START = 1_640_995_200_000_000
CASH = Decimal(10_000_000)
FEES = FeeModel(maker_bps=Decimal(10), taker_bps=Decimal(10))
AT_OPEN = replace(IDEAL, fees=FEES)
AT_CLOSE = replace(AT_OPEN, is_at_close=True)
BRACKETS: EngineProfile = replace(DEFAULT, fees=FEES, slippage=Slippage(), volume_share=Decimal(0))

INSTRUMENT = InstrumentSpec(
    id=UUID(int=1), venue_id=UUID(int=2), symbol="SYN/USD", base_asset="SYN", quote_asset="USD", price_scale=2, volume_scale=0, cash_scale=5,
    tick_size=Decimal("0.01"), lot_size=Decimal(1), min_quantity=Decimal(1), min_notional=Decimal(0), max_price=Decimal(10**8),
    max_quantity=Decimal(10**5),
)  # fmt: skip


def minute_bars(count: int, seed: int) -> BarColumns:
    """A random walk of closes with small gaps, prices in cents."""
    source = np.random.default_rng(seed)
    sigma = 0.0005
    close = 10_000.0 * np.exp(np.cumsum(source.normal(0.0, sigma, count)))
    opened = np.empty(count)
    opened[0] = 10_000.0
    opened[1:] = close[:-1] * np.exp(source.normal(0.0, sigma * 0.1, count - 1))
    high = np.maximum(opened, close) * np.exp(np.abs(source.normal(0.0, sigma * 0.5, count)))
    low = np.minimum(opened, close) * np.exp(-np.abs(source.normal(0.0, sigma * 0.5, count)))
    opens, highs, lows, closes = (np.round(np.round(column, 2) * 100).astype(np.int64) for column in (opened, high, low, close))
    highs, lows = np.maximum(highs, np.maximum(opens, closes)), np.minimum(lows, np.minimum(opens, closes))
    at = START + np.arange(count, dtype=np.int64) * MINUTE
    return BarColumns(at, at + MINUTE, opens, highs, lows, closes, np.full(count, -1, np.int64))


def part(bars: BarColumns, count: int) -> BarColumns:
    """The first bars, in memory of their own."""
    names = ("opened_at", "closed_at", "open", "high", "low", "close", "volume")
    return BarColumns(*(np.ascontiguousarray(getattr(bars, name)[:count]) for name in names))


def quotes(count: int, seed: int) -> QuoteColumns:
    """Bid and ask ten cents around a random walk."""
    source = np.random.default_rng(seed)
    middle = 10_000 * np.exp(np.cumsum(source.normal(0, 5e-5, count)))
    bid, ask = (np.round((middle + side) * 100).astype(np.int64) for side in (-0.05, 0.05))
    unknown = np.full(count, -1, np.int64)
    return QuoteColumns(START + np.arange(count, dtype=np.int64) * 1_000, bid, ask, unknown, unknown)


@kernel
def floor_cross(opens: Any, closes: Any, fast: int, slow: int, fee: float, cash: float, is_at_close: bool) -> Any:
    """Crossing averages with one unit: (final equity, trades), and nothing else is kept."""
    fast_weight, slow_weight = 2.0 / (fast + 1), 2.0 / (slow + 1)
    quick = steady = closes[0]
    was_up = False
    pending, held, trades = 0.0, 0.0, 0
    for bar in range(closes.shape[0]):
        if pending != 0.0:
            cash -= pending * opens[bar] + fee * opens[bar]
            held += pending
            trades += pending < 0.0
            pending = 0.0
        quick += fast_weight * (closes[bar] - quick)
        steady += slow_weight * (closes[bar] - steady)
        is_up = quick > steady
        if bar >= slow and is_up != was_up:
            if is_up and held == 0.0:
                pending = 1.0
            elif not is_up and held > 0.0:
                pending = -1.0
            if is_at_close and pending != 0.0:
                cash -= pending * closes[bar] + fee * closes[bar]
                held += pending
                trades += pending < 0.0
                pending = 0.0
        was_up = is_up
    return cash + held * closes[-1], trades


@kernel
def floor_bracket(
    opens: Any, highs: Any, lows: Any, closes: Any, fast: int, slow: int, fee: float, cash: float, is_fill_anchored: bool
) -> Any:
    """Entries at crosses with a stop 1 % and a target 2 % away: (final equity, trades)."""
    fast_weight, slow_weight = 2.0 / (fast + 1), 2.0 / (slow + 1)
    quick = steady = closes[0]
    was_up = is_pending = False
    held, stop, target, trades = 0.0, 0.0, 0.0, 0
    for bar in range(closes.shape[0]):
        if is_pending:
            cash -= opens[bar] * (1.0 + fee)
            held, is_pending = 1.0, False
            if is_fill_anchored:
                stop, target = opens[bar] * 0.99, opens[bar] * 1.02
        if held > 0.0:
            price = min(stop, opens[bar]) if lows[bar] <= stop else (max(target, opens[bar]) if highs[bar] >= target else 0.0)
            if price > 0.0:
                cash += price * (1.0 - fee)
                held = 0.0
                trades += 1
        quick += fast_weight * (closes[bar] - quick)
        steady += slow_weight * (closes[bar] - steady)
        is_up = quick > steady
        if bar >= slow and is_up and not was_up and held == 0.0:
            stop, target, is_pending = closes[bar] * 0.99, closes[bar] * 1.02, True
        was_up = is_up
    return cash + held * closes[-1], trades


@kernel
def floor_quotes(bid: Any, ask: Any, every: int, fee: float, cash: float, collar: float) -> Any:
    """A market order every so many quotes behind four checks: (final equity, fills)."""
    held, fills, side, reference = 0.0, 0, 1.0, bid[0]
    for index in range(bid.shape[0]):
        reference += 0.01 * (0.5 * (ask[index] + bid[index]) - reference)
        if (index + 1) % every == 0:
            price = ask[index] if side > 0 else bid[index]
            if abs(held + side) <= 5.0 and price <= 1e6 and abs(price / reference - 1.0) <= collar and cash >= price:
                held += side
                cash -= side * price + fee * price
                fills += 1
            side = -side
    return cash + held * bid[-1], fills
