"""Signals over quotes: tables that fill up are grown and the run goes on; the same orders as an event strategy gives."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from apps.backtests.domain.event_run import EventPlan, simulate_event_quotes
from apps.backtests.domain.quote_signals import simulate_quote_signals
from apps.orders.domain.engine_codes import F_REASON, O_REASON, Reason
from apps.orders.domain.pretrade_nb import LIMIT_COLUMNS, P_ORDER_LOTS
from apps.orders.domain.sizing_nb import BY_LOTS
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy, QuoteEvent
from apps.strategies.domain.signal_bits import ENTER_LONG, EXIT_LONG
from tests.benchmarks._series import AT_OPEN, INSTRUMENT, quotes

CASH = Decimal(1_000_000)


class EveryOther(EventStrategy):
    """In and out in turn, at every third quote."""

    def on_bar(self, bar: BarEvent) -> None:
        raise AssertionError("no bars here")

    def on_quote(self, quote: QuoteEvent) -> None:
        if quote.index % 3 == 2:
            if self.position:
                self.close()
            else:
                self.buy()


def signals(count: int) -> np.ndarray:
    bits = np.zeros(count, np.int8)
    bits[2::6], bits[5::6] = ENTER_LONG, EXIT_LONG
    return bits


def test_more_orders_than_the_tables_hold_give_what_events_give() -> None:
    series = quotes(1_500, 3)
    fast = simulate_quote_signals(INSTRUMENT, AT_OPEN, series, signals(1_500), lots=1, cash=CASH)
    slow = simulate_event_quotes(EveryOther(None), INSTRUMENT, AT_OPEN, series, cash=CASH, plan=EventPlan(sizing=BY_LOTS, size=1))
    assert len(fast.fills) == 500
    assert set(fast.fills[:, F_REASON]) == {Reason.MARKET_AT_QUOTE}
    assert np.array_equal(fast.fills, slow.fills)
    assert np.array_equal(fast.equity, slow.equity)


def test_a_limit_refuses_every_entry_and_says_which() -> None:
    limits = np.zeros(LIMIT_COLUMNS, np.int64)
    limits[P_ORDER_LOTS] = 1
    simulation = simulate_quote_signals(INSTRUMENT, AT_OPEN, quotes(60, 3), signals(60), lots=2, cash=CASH, limits=limits)
    assert not len(simulation.fills)
    assert set(simulation.orders[:, O_REASON]) == {Reason.OVER_ORDER_SIZE}
