"""Candle tables with signals and a freqtrade strategy's exits, and what the engine makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from apps.backtests.domain.timed_run import TimedTrade, timed_trades
from apps.backtests.domain.vector_run import Simulation, simulate_signals
from apps.core.values import InstrumentSpec
from apps.orders.domain.profiles import FREQTRADE, EngineProfile
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.exit_plan import MINUTE_US, ExitPlan, in_ppm
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from apps.strategies.domain.vector_strategy import Signals

HOUR_US = 60 * MINUTE_US
START_US = 1_538_524_800_000_000
CASH = Decimal(1_000_000)
LOTS = 1
_RATE_WITHIN = 1e-6
_RATIO_WITHIN = 5.1e-6
"""The judge's ratios have five decimals."""
Candle = Sequence[float]
"""i, open, high, low, close, volume, enter_long, exit_long, enter_short, exit_short."""


@dataclass(frozen=True)
class Case:
    """Prices in price units."""

    bars: BarColumns
    signals: Signals
    plan: ExitPlan
    entry_price: int = 0
    moved_to: int = 0
    exit_price: int = 0


def instrument(price_scale: int = 8) -> InstrumentSpec:
    """Prices so fine that rounding does not show."""
    return InstrumentSpec(
        id=UUID(int=1), venue_id=UUID(int=2), symbol="X", base_asset="X", quote_asset="USDT",
        price_scale=price_scale, volume_scale=0, cash_scale=price_scale, tick_size=Decimal(1).scaleb(-price_scale), lot_size=Decimal(1),
        min_quantity=Decimal(1), min_notional=Decimal(0), max_price=Decimal(100_000), max_quantity=Decimal(1000),
    )  # fmt: skip


def columns(candles: Sequence[Candle], *, price_scale: int = 8) -> BarColumns:
    """The candles as hours."""
    count = len(candles)
    opened_at = START_US + HOUR_US * np.arange(count, dtype=np.int64)
    open_, high, low, close = (np.array([round(row[column] * 10**price_scale) for row in candles], np.int64) for column in range(1, 5))
    return BarColumns(opened_at, opened_at + HOUR_US, open_, high, low, close, np.full(count, -1, np.int64))


def signals(candles: Sequence[Candle]) -> Signals:
    """The last four columns as bits."""
    bits = [
        sum(bit for column, bit in zip(range(6, 10), (ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT), strict=True) if row[column])
        for row in candles
    ]
    return Signals(np.array(bits, np.int8), np.array([LOTS], np.int64))


def plan(params: Mapping[str, Any]) -> ExitPlan:
    """The parameters of a case of the outside judge. A custom stop that the strategy does not write itself trails at the stop's own distance."""
    stop, near = -_ppm(params["stop_loss"]), _ppm(params["trailing_stop_positive"] or 0) if params["trailing_stop"] else 0
    has_custom_stop = params["use_custom_stoploss"]
    return ExitPlan(
        stop_ppm=stop,
        targets=tuple((int(minutes), _ppm(profit)) for minutes, profit in params["roi"].items()),
        is_trailing=params["trailing_stop"] or has_custom_stop,
        near_ppm=0 if has_custom_stop and near > stop else near,
        near_from_ppm=_ppm(params["trailing_stop_positive_offset"]),
        is_near_only=params["trailing_only_offset_is_reached"] and params["trailing_stop"] and not has_custom_stop,
        leverage=round(params["leverage"] * 1000),
        has_signal_exits=params["use_exit_signal"],
        entry_minutes=params["timeout"] or 10,
    )


def case_of(judged: Mapping[str, Any]) -> Case:
    """A case of the outside judge, whole."""
    params, candles = judged["params"], judged["candles"]
    names = ("custom_entry_price", "adjust_entry_price", "custom_exit_price")
    return Case(columns(candles), signals(candles), plan(params), *(round((params[name] or 0) * 10**8) for name in names))


def _ppm(value: float) -> int:
    return in_ppm(Decimal(str(value)), name="ratio")


def run(case: Case, *, profile: EngineProfile = FREQTRADE, price_scale: int = 8) -> tuple[Simulation, list[TimedTrade]]:
    """Trade the case."""
    spec = instrument(price_scale)
    prices, moves, exits = (np.array([price], np.int64) for price in (case.entry_price, case.moved_to, case.exit_price))
    wanted = replace(case.signals, exits=case.plan, entry_prices=prices, entry_moves=moves, exit_prices=exits)
    case.bars.check(spec)
    wanted.check(len(case.bars))
    simulation = simulate_signals(spec, profile, case.bars, wanted, cash=CASH)
    return simulation, timed_trades(simulation, case.bars, leverage=case.plan.leverage)


def assert_trades(judged: Mapping[str, Any]) -> None:
    """The trades that a case expects come out, in its order."""
    _, trades = run(case_of(judged))
    expected = judged["expected"]["trades"]
    assert [(t.reason.value, t.open_bar, t.close_bar, t.is_short) for t in trades] == [
        (t["exit_reason"], t["open_tick"], t["close_tick"], t["is_short"]) for t in expected
    ]
    for trade, wanted in zip(trades, expected, strict=True):
        assert float(trade.open_rate) == pytest.approx(wanted["open_rate"], abs=_RATE_WITHIN)
        assert float(trade.close_rate) == pytest.approx(wanted["close_rate"], abs=_RATE_WITHIN)
        assert float(trade.profit_ratio) == pytest.approx(wanted["profit_ratio"], abs=_RATIO_WITHIN)
