"""From the engine's rows to records: money, exits, slippage shared between trips, targets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.orders.domain import engine_codes as engine
from apps.orders.domain.engine_codes import EngineOrderType, Reason
from apps.portfolio.domain import ledger_codes as ledger
from apps.portfolio.domain.engine_records import equity_series, exit_reason_named, exit_reasons, fill_slippage, trade_records
from apps.portfolio.domain.records import ExitReason, Int64Array

Step = tuple[int, int, int]
"""Place, signed lots, slippage in price units."""


def make_fills(steps: list[Step]) -> Int64Array:
    """A fill a minute at a price of 1000 plus what it slipped, two cash units for a price unit of a lot."""
    fills = np.zeros((len(steps), engine.FILL_COLUMNS), np.int64)
    for row, (place, lots, slipped) in enumerate(steps):
        side = 1 if lots > 0 else -1
        price = 1000 + side * slipped
        fills[row, [engine.F_PLACE, engine.F_SIDE, engine.F_LOTS, engine.F_PRICE]] = place, side, abs(lots), price
        fills[row, [engine.F_VALUE, engine.F_REFERENCE, engine.F_ORDER]] = abs(lots) * price * 2, 1000, row
    return fills


def make_trips(steps: list[Step]) -> tuple[Int64Array, dict[int, float]]:
    """Rows of the round trips, and what the trips still open have slipped, lot by lot."""
    held: dict[int, int] = {}
    first: dict[int, int] = {}
    slipped: dict[int, float] = {}
    rows, expected = [], []
    for fill, (place, lots, each) in enumerate(steps):
        for _ in range(abs(lots)):
            if not held.get(place):
                first[place], slipped[place] = fill, 0.0
            held[place] = held.get(place, 0) + (1 if lots > 0 else -1)
            slipped[place] += 2.0 * each
            if not held[place]:
                row = np.zeros(ledger.TRADE_COLUMNS, np.int64)
                row[[ledger.T_PLACE, ledger.T_SIDE, ledger.T_LOTS, ledger.T_FIRST_FILL, ledger.T_LAST_FILL]] = (
                    place,
                    -1 if lots > 0 else 1,
                    1,
                    first[place],
                    fill,
                )
                rows.append(row)
                expected.append(slipped[place])
    return np.array(rows, np.int64).reshape(-1, ledger.TRADE_COLUMNS), dict(enumerate(expected))


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(-6, 6).filter(bool), st.integers(-3, 9)), max_size=30))
def test_slippage_goes_to_the_trip_whose_lots_paid_it(steps: list[Step]) -> None:
    rows, expected = make_trips(steps)
    trades = trade_records(rows, cash_units=np.ones(2), lot_sizes=np.ones(2), fills=make_fills(steps))
    assert trades.slippage is not None
    assert trades.slippage.tolist() == pytest.approx(list(expected.values()))


def test_a_fill_without_a_price_wished_slipped_nothing() -> None:
    fills = make_fills([(0, 5, 3), (0, -5, 3)])
    fills[1, engine.F_REFERENCE] = 0
    assert fill_slippage(fills).tolist() == [30.0, 0.0]


def test_a_row_becomes_money() -> None:
    row = np.zeros((1, ledger.TRADE_COLUMNS), np.int64)
    values = {
        ledger.T_PLACE: 1, ledger.T_SIDE: -1, ledger.T_LOTS: -30, ledger.T_OPENED_AT: 5, ledger.T_CLOSED_AT: 9,
        ledger.T_ENTRY_VALUE: 6000, ledger.T_EXIT_VALUE: 5900, ledger.T_REALISED: 100, ledger.T_FEES: 7,
        ledger.T_EXIT_REASON: Reason.TRAIL_GAPPED,
    }  # fmt: skip
    row[0, list(values)] = list(values.values())
    trades = trade_records(row, cash_units=np.array([1.0, 0.01]), lot_sizes=np.array([1.0, 0.1]))
    assert (trades.side[0], trades.quantity[0], trades.opened_at[0], trades.closed_at[0]) == (-1, 3.0, 5, 9)
    assert (trades.entry_value[0], trades.exit_value[0], trades.results[0]) == (60.0, 59.0, pytest.approx(0.93))
    assert (trades.exit_reason[0], trades.slippage, trades.target_price) == (ExitReason.TRAILING, None, None)


def test_the_target_is_the_closing_limit_of_the_entry() -> None:
    """Order 0 has a stop and a target, order 3 only a limit child on its own side: that is no target."""
    orders = np.zeros((5, engine.BOOK_COLUMNS), np.int64)
    orders[:, engine.O_PARENT] = [engine.NO_ROW, 0, 0, engine.NO_ROW, 3]
    orders[:, engine.O_SIDE] = [1, -1, -1, 1, 1]
    orders[:, engine.O_TYPE] = [
        EngineOrderType.MARKET,
        EngineOrderType.STOP,
        EngineOrderType.LIMIT,
        EngineOrderType.LIMIT,
        EngineOrderType.LIMIT,
    ]
    orders[:, engine.O_LIMIT] = [0, 0, 1100, 950, 900]
    steps = [(0, 1, 0), (0, -1, 0), (0, -1, 0), (0, 1, 0)]
    rows, _ = make_trips(steps)
    fills = make_fills(steps)
    fills[:, engine.F_ORDER] = [0, 2, 3, 0]
    trades = trade_records(rows, cash_units=np.ones(1), lot_sizes=np.ones(1), fills=fills, orders=orders, price_units=np.array([0.1]))
    assert trades.target_price is not None
    assert trades.target_price[0] == pytest.approx(110.0)
    assert math.isnan(trades.target_price[1])


def test_every_reason_of_a_fill_has_its_exit() -> None:
    known = {reason: exit_reason_named(reason.name) for reason in Reason if reason.is_fill}
    assert [reason.name for reason, exit_reason in known.items() if exit_reason is ExitReason.OTHER] == ["DEPTH_LEVEL"]
    assert known[Reason.STOP_GAPPED] is ExitReason.STOP
    assert exit_reason_named("of another broker") is ExitReason.OTHER
    assert exit_reasons(np.array([int(reason) for reason in known])).tolist() == [int(value) for value in known.values()]


def test_equity_begins_with_the_capital_where_it_is_given() -> None:
    times, equity = np.array([10, 20]), np.array([990, 1000])
    assert equity_series(times, equity, cash_unit=0.1).equity.tolist() == [99.0, 100.0]
    opened = equity_series(times, equity, cash_unit=0.1, exposure=np.array([500, 0]), opening=1000)
    assert (opened.times.tolist(), opened.equity.tolist()) == ([9, 10, 20], [100.0, 99.0, 100.0])
    assert opened.exposure is not None
    assert opened.exposure.tolist() == [0.0, 50.0, 0.0]
