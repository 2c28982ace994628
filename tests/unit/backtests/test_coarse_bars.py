"""Coarse bars with finer ones inside: the finer ones settle which of stop and target came first."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np

from apps.backtests.domain.coarse_bars import coarse_bars, spread
from apps.backtests.domain.event_run import EventPlan, simulate_event_bars
from apps.backtests.domain.vector_run import simulate_signals
from apps.orders.domain.engine_codes import F_PRICE, F_REASON, Reason
from apps.orders.domain.profiles import IDEAL
from apps.orders.domain.sizing_nb import BY_LOTS
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy
from apps.strategies.domain.signal_bits import ENTER_LONG
from apps.strategies.domain.vector_strategy import Signals
from tests.benchmarks._series import INSTRUMENT

MINUTE = 60_000_000
CASH = Decimal(1_000_000)
# Two bars of three minutes: the second goes up to the target first and down to the stop afterwards.
PRICES = [(100, 101, 99, 100), (100, 101, 99, 100), (100, 101, 99, 100), (100, 106, 100, 105), (105, 105, 94, 95), (95, 96, 95, 95)]


def fine_bars(prices: list[tuple[int, int, int, int]]) -> BarColumns:
    columns = [np.array(column, np.int64) for column in zip(*prices, strict=True)]
    opened_at = np.arange(len(prices), dtype=np.int64) * MINUTE + 1_600_000_020_000_000 // (3 * MINUTE) * 3 * MINUTE
    return BarColumns(opened_at, opened_at + MINUTE, *columns, np.full(len(prices), 5, np.int64))


def entry_at_first() -> Signals:
    return Signals(
        bits=np.array([ENTER_LONG, 0], np.int8),
        lots=np.array([1], np.int64),
        stops=np.array([95, 0], np.int64),
        targets=np.array([105, 0], np.int64),
    )


def test_coarse_bars_are_made_of_the_finer_ones_inside() -> None:
    coarse = coarse_bars(fine_bars(PRICES), 3 * MINUTE)
    assert coarse.ends.tolist() == [2, 5]
    assert [column.tolist() for column in (coarse.bars.open, coarse.bars.high, coarse.bars.low, coarse.bars.close, coarse.bars.volume)] == [
        [100, 100], [101, 106], [99, 94], [100, 95], [15, 15],
    ]  # fmt: skip
    assert (coarse.bars.closed_at - coarse.bars.opened_at).tolist() == [3 * MINUTE, 3 * MINUTE]


def test_without_finer_bars_the_stop_comes_first_and_with_them_what_came_first() -> None:
    fine = fine_bars(PRICES)
    coarse = coarse_bars(fine, 3 * MINUTE)
    blind = simulate_signals(INSTRUMENT, IDEAL, coarse.bars, entry_at_first(), cash=CASH)
    assert [(row[F_PRICE], Reason(row[F_REASON])) for row in blind.fills] == [(100, Reason.MARKET_AT_OPEN), (95, Reason.STOP_TRIGGERED)]
    seeing = simulate_signals(INSTRUMENT, IDEAL, fine, spread(entry_at_first(), coarse, len(fine)), cash=CASH)
    assert [(row[F_PRICE], Reason(row[F_REASON])) for row in seeing.fills] == [(100, Reason.MARKET_AT_OPEN), (105, Reason.LIMIT_CROSSED)]


def test_what_a_coarse_bar_says_stands_at_its_last_fine_one() -> None:
    prices = np.array([90, 110], np.int64)
    signals = replace(entry_at_first(), entry_prices=prices, entry_moves=prices, exit_prices=prices)
    coarse = coarse_bars(fine_bars(PRICES), 3 * MINUTE)
    placed = spread(signals, coarse, len(PRICES))
    assert placed.bits.tolist() == [0, 0, ENTER_LONG, 0, 0, 0] and placed.lots.tolist() == [1]
    assert placed.stops.tolist() == [0, 0, 95, 0, 0, 0]
    for column in (placed.entry_prices, placed.entry_moves, placed.exit_prices):
        assert column.tolist() == [0, 0, 90, 0, 0, 110]


class BracketOnce(EventStrategy):
    def on_start(self) -> None:
        self.told: list[tuple[float, float, float, float]] = []

    def on_bar(self, bar: BarEvent) -> None:
        self.told.append((bar.open, bar.high, bar.low, bar.close))
        if len(self.told) == 1:
            self.buy(stop_loss=Decimal("0.95"), take_profit=Decimal("1.05"))


def test_an_event_strategy_hears_coarse_bars_and_fills_on_the_finer_ones() -> None:
    fine = fine_bars(PRICES)
    strategy = BracketOnce(None)
    plan = EventPlan(sizing=BY_LOTS, size=1, coarse=coarse_bars(fine, 3 * MINUTE))
    simulation = simulate_event_bars(strategy, INSTRUMENT, replace(IDEAL), fine, cash=CASH, plan=plan)
    assert strategy.told == [(1.0, 1.01, 0.99, 1.0), (1.0, 1.06, 0.94, 0.95)]
    assert [(row[F_PRICE], Reason(row[F_REASON])) for row in simulation.fills] == [
        (100, Reason.MARKET_AT_OPEN),
        (105, Reason.LIMIT_CROSSED),
    ]
