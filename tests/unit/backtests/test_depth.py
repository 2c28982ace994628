"""Sizes that are shown: orders walk the levels of a depth snapshot, limits wait in a queue, and nothing is taken twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from apps.backtests.domain.event_run import EventPlan, QuoteColumns, simulate_event_quotes
from apps.backtests.domain.event_ticks import simulate_event_ticks
from apps.backtests.domain.ticks import DepthColumns, Tape, TradeColumns
from apps.core.errors import InvalidInput
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine_codes import BUY, RATE_ONE, SELL, EngineOrderState, EngineOrderType, EngineTimeInForce, Reason, StepStatus
from apps.orders.domain.profiles import IDEAL
from apps.orders.domain.sizing_nb import BY_LOTS
from apps.strategies.domain.event_strategy import BarEvent, DepthEvent, EventStrategy, FillEvent, QuoteEvent
from tests.benchmarks._series import INSTRUMENT
from tests.unit.backtests.engine_driver import EngineDriver
from tests.unit.backtests.oracle import Depth, Instrument, Level, Request, Trade
from tests.unit.backtests.worlds import START, World

PLAIN = Instrument(max_price=100_000, max_lots=100_000)


def driver_for(instrument: Instrument = PLAIN, *, cash: int = 1_000_000) -> EngineDriver:
    return EngineDriver(World([instrument], [cash], [RATE_ONE], 0, ("depth",)))


def snapshot(number: int = 0, *, bids: str = "99x5 98x10", asks: str = "101x5 102x10") -> Depth:
    return Depth(0, START + number, _levels(bids), _levels(asks))


def _levels(text: str) -> tuple[Level, ...]:
    return tuple(Level(*(int(part) for part in level.split("x"))) for level in text.split())


def market(lots: int, **other: Any) -> Request:
    return Request(0, BUY, EngineOrderType.MARKET, lots, **other)


def limit(lots: int, price: int, **other: Any) -> Request:
    return Request(**{"place": 0, "side": BUY, "type": EngineOrderType.LIMIT, "lots": lots, "limit": price} | other)


def fills(driver: EngineDriver) -> list[tuple[int, int, Reason]]:
    """Lots, price and reason."""
    return [(row[4], row[5], Reason(row[8])) for row in driver.books().fills]


def test_a_market_order_walks_the_levels_and_the_next_one_finds_what_is_left() -> None:
    driver = driver_for()
    driver.submit(market(7))
    driver.submit(limit(20, 102))
    driver.step(snapshot())
    level = Reason.DEPTH_LEVEL
    assert fills(driver) == [(5, 101, level), (2, 102, level), (8, 102, level)]
    assert driver.engine.book[1, code.O_FILLED] == 8
    driver.submit(market(1))
    driver.step(snapshot())
    assert len(fills(driver)) == 3
    driver.step(snapshot(1))
    assert fills(driver)[3:] == [(5, 102, Reason.LIMIT_CROSSED), (7, 102, Reason.LIMIT_CROSSED), (1, 102, level)]


def test_a_limit_waits_behind_what_is_displayed() -> None:
    driver = driver_for()
    driver.submit(limit(4, 98))
    driver.step(snapshot())
    driver.step(snapshot(1, bids="99x5 98x6"))
    driver.step(snapshot(2, bids="99x5 98x60"))
    driver.step(Trade(0, START + 3, 98, 5))
    assert fills(driver) == []
    driver.step(Trade(0, START + 4, 98, 3))
    assert fills(driver) == [(2, 98, Reason.LIMIT_CROSSED)]
    driver.step(snapshot(5, bids="97x1", asks="98x1 99x9"))
    assert fills(driver)[1:] == [(1, 98, Reason.LIMIT_CROSSED)]


def test_behind_the_last_level_the_queue_is_not_known() -> None:
    driver = driver_for()
    driver.submit(limit(4, 90))
    driver.step(snapshot())
    driver.step(Trade(0, START + 1, 90, 50))
    assert fills(driver) == []
    driver.step(Trade(0, START + 2, 89, 50))
    assert fills(driver) == [(4, 90, Reason.LIMIT_CROSSED)]


@pytest.mark.parametrize(
    ("order", "cash", "expected"),
    [
        (market(15), 10_000, [(5, 101), (10, 102)]),
        (market(16), 10_000, []),
        (market(15), 1_524, []),
        (market(15), 1_525, [(5, 101), (10, 102)]),
        (limit(5, 101), 10_000, [(5, 101)]),
        (limit(6, 101), 10_000, []),
        (limit(6, 102), 10_000, [(5, 101), (1, 102)]),
    ],
)
def test_fok_fills_over_all_levels_or_not_at_all(order: Request, cash: int, expected: list[tuple[int, int]]) -> None:
    driver = driver_for(cash=cash)
    driver.submit(replace(order, tif=EngineTimeInForce.FOK))
    driver.step(snapshot())
    assert [(lots, price) for lots, price, _ in fills(driver)] == expected
    assert driver.engine.state(0) is (EngineOrderState.FILLED if expected else EngineOrderState.CANCELLED)
    assert driver.engine.reason(0) is (Reason.DEPTH_LEVEL if expected else Reason.NOT_FILLED_AT_ONCE)


def test_money_cuts_the_walk() -> None:
    driver = driver_for(cash=1_000)
    driver.submit(market(15))
    driver.step(snapshot())
    assert fills(driver) == [(5, 101, Reason.DEPTH_LEVEL), (4, 102, Reason.DEPTH_LEVEL)]
    assert driver.engine.reason(0) is Reason.INSUFFICIENT_CASH


def test_a_stop_that_the_best_level_reaches_walks_too() -> None:
    driver = driver_for()
    driver.submit(market(12))
    driver.step(snapshot())
    driver.submit(Request(0, SELL, EngineOrderType.STOP, 12, stop=97, reduce_only=True))
    driver.step(snapshot(1))
    driver.step(snapshot(2, bids="97x4 95x50"))
    assert fills(driver)[2:] == [(4, 97, Reason.STOP_TRIGGERED), (8, 95, Reason.STOP_TRIGGERED)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"bids": ""},
        {"asks": ""},
        {"bids": "98x1 99x1"},
        {"bids": "99x1 99x1"},
        {"asks": "102x1 101x1"},
        {"bids": "102x1"},
        {"bids": "99x-1"},
        {"bids": "99x1 -5x1"},
        {"asks": "101x1 100001x1"},
    ],
)
def test_a_snapshot_that_cannot_be_changes_nothing(wrong: dict[str, str]) -> None:
    driver = driver_for()
    driver.submit(market(5))
    before = driver.books()
    given = snapshot(bids=wrong.get("bids", "99x5"), asks=wrong.get("asks", "101x5"))
    assert driver.step(given) is StepStatus.BAD_BAR
    assert driver.books() == before
    if not any(given.bids) or not any(given.asks):
        return
    with pytest.raises(InvalidInput, match="Snapshot 0"):
        depth_columns([given]).check(replace(INSTRUMENT, max_price=INSTRUMENT.price(100_000)))


def depth_columns(snapshots: list[Depth], levels: int = 3) -> DepthColumns:
    shown = np.zeros((len(snapshots), levels, code.SHOWN_COLUMNS), np.int64)
    for number, one in enumerate(snapshots):
        for first, side in ((code.L_BID, one.bids), (code.L_ASK, one.asks)):
            for index, level in enumerate(side):
                shown[number, index, first : first + 2] = level.price, level.lots
    return DepthColumns(np.array([one.at for one in snapshots], np.int64), shown)


def trade_columns(*rows: tuple[int, int, int]) -> TradeColumns:
    return TradeColumns(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


class JoinsTheBid(EventStrategy):
    """Joins the best bid once and sells at market what it gets."""

    def on_start(self) -> None:
        self.heard: list[tuple[int, int, float, float]] = []
        self.is_done = False

    def on_bar(self, bar: BarEvent) -> None:
        raise AssertionError("there are no bars")

    def on_depth(self, depth: DepthEvent) -> None:
        self.heard.append((depth.index, len(depth.bids), depth.bid, depth.ask))
        if not self.is_done:
            self.is_done = True
            self.buy(limit=depth.bid)

    def on_fill(self, fill: FillEvent) -> None:
        if fill.side == BUY:
            self.close()


def test_an_event_strategy_hears_depth_and_trades_eat_its_queue() -> None:
    unit = float(INSTRUMENT.price_unit)
    depth = depth_columns([snapshot(0), snapshot(10, bids="99x2"), snapshot(20, bids="98x2 97x9")])
    trades = trade_columns((START + 5, 99, 4), (START + 15, 99, 3))
    tape = Tape.of(depth=depth, trades=trades)
    tape.check(INSTRUMENT)
    strategy = JoinsTheBid(None)
    run = simulate_event_ticks(strategy, INSTRUMENT, IDEAL, tape, cash=Decimal(1_000_000), plan=EventPlan(sizing=BY_LOTS, size=2))
    assert strategy.heard == [(0, 2, 99 * unit, 101 * unit), (2, 1, 99 * unit, 101 * unit), (4, 2, 98 * unit, 101 * unit)]
    found = [(row[code.F_AT] - START, row[code.F_LOTS], row[code.F_PRICE], Reason(row[code.F_REASON])) for row in run.fills.tolist()]
    assert found == [(15, 2, 99, Reason.LIMIT_CROSSED), (20, 2, 98, Reason.DEPTH_LEVEL)]
    assert (run.equity[-1] - run.opening_cash) == -2 * INSTRUMENT.cash_units_per_price_unit_lot
    assert len(run.equity) == 5


@pytest.mark.parametrize("rows", [((START, 99, 0),), ((START, 0, 5),), ((START + 1, 99, 1), (START, 99, 1))])
def test_trades_that_cannot_be_are_refused(rows: tuple[tuple[int, int, int], ...]) -> None:
    with pytest.raises(InvalidInput, match="Trade"):
        trade_columns(*rows).check(INSTRUMENT)


class TakesTwice(EventStrategy):
    """A limit for more than the first quote shows, and a market order at the second one."""

    def on_bar(self, bar: BarEvent) -> None:
        raise AssertionError("there are no bars")

    def on_quote(self, quote: QuoteEvent) -> None:
        if quote.index == 0:
            self.buy(12, limit=quote.ask)
        elif quote.index == 1:
            self.buy(8)


def test_the_size_of_a_quote_is_taken_once_in_a_run() -> None:
    """The second quote is stepped for what rests and again for what the strategy orders on it."""
    at, size = START + np.arange(3, dtype=np.int64), np.full(3, 8, np.int64)
    quotes = QuoteColumns(at, np.full(3, 99, np.int64), np.full(3, 100, np.int64), size, size)
    run = simulate_event_quotes(TakesTwice(None), INSTRUMENT, replace(IDEAL, volume_share=Decimal(1)), quotes, cash=Decimal(1_000_000))
    found = [(row[code.F_AT] - START, row[code.F_LOTS], Reason(row[code.F_REASON])) for row in run.fills.tolist()]
    assert found == [
        (0, 8, Reason.LIMIT_MARKETABLE), (1, 4, Reason.LIMIT_CROSSED), (1, 4, Reason.MARKET_AT_QUOTE), (2, 4, Reason.MARKET_AT_QUOTE),
    ]  # fmt: skip
