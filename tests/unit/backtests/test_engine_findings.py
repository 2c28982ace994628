"""What random streams found in the engine, each in its smallest form."""

from __future__ import annotations

from dataclasses import replace

from apps.orders.domain.engine_codes import (
    BUY,
    I_MIN_LOTS,
    PPM,
    RATE_ONE,
    SELL,
    EngineOrderState,
    EngineOrderType,
    EngineTimeInForce,
    Reason,
    SlippageModel,
    StepStatus,
)
from tests.unit.backtests.engine_driver import EngineDriver, SkippingDriver
from tests.unit.backtests.oracle import Bar, Depth, Instrument, Level, Quote, Request, Trade
from tests.unit.backtests.streams import run_streams
from tests.unit.backtests.worlds import PERIOD, START, World

PLAIN = Instrument(max_price=100_000, max_lots=100_000)
MARGIN = replace(PLAIN, allows_short=True, initial_ppm=PPM // 10, maintenance_ppm=PPM // 20)


def driver_for(*instruments: Instrument, cash: int = 1_000_000, kind: type[EngineDriver] = EngineDriver) -> EngineDriver:
    return kind(World(list(instruments), [cash], [RATE_ONE], 0, ("bar",)))


def bar(number: int, open_: int, high: int, low: int, close: int, *, place: int = 0) -> Bar:
    opened_at = START + number * PERIOD
    return Bar(place, opened_at, opened_at + PERIOD, open_, high, low, close, -1)


def test_a_stop_above_its_entry_brings_no_free_money() -> None:
    """Bought at 90 inside the bar, a sell stop at 105 was already passed: it sells at 90, not at 105."""
    driver = driver_for(PLAIN)
    entry, _ = driver.submit(Request(0, BUY, EngineOrderType.LIMIT, 10, limit=90))
    driver.submit(Request(0, SELL, EngineOrderType.STOP, 10, stop=105, parent=entry, reduce_only=True))
    driver.step(bar(0, 100, 110, 85, 100))
    books = driver.books()
    assert [row[5] for row in books.fills] == [90, 90]
    assert books.cash == [1_000_000]


def test_a_position_below_the_smallest_order_is_liquidated_too() -> None:
    driver = driver_for(replace(MARGIN, min_lots=3), cash=40)
    driver.submit(Request(0, BUY, EngineOrderType.MARKET, 3))
    driver.step(bar(0, 100, 100, 100, 100))
    driver.engine.places[0, I_MIN_LOTS] = 5
    driver.step(bar(1, 88, 88, 88, 88))
    assert [row[8] for row in driver.books().fills] == [Reason.MARKET_AT_OPEN, Reason.LIQUIDATED_AT_OPEN]
    assert driver.books().positions == [0]


def test_a_grandchild_ends_with_the_order_that_never_filled() -> None:
    driver = driver_for(PLAIN)
    parent, _ = driver.submit(Request(0, BUY, EngineOrderType.LIMIT, 1, limit=50))
    child, _ = driver.submit(Request(0, BUY, EngineOrderType.LIMIT, 1, limit=50, parent=parent))
    grandchild, _ = driver.submit(Request(0, BUY, EngineOrderType.LIMIT, 1, limit=50, parent=child))
    driver.cancel(parent)
    assert driver.engine.state(grandchild) is EngineOrderState.CANCELLED
    assert driver.engine.reason(grandchild) is Reason.PARENT_ENDED


def test_post_only_never_takes_a_quote() -> None:
    driver = driver_for(PLAIN)
    driver.submit(Request(0, BUY, EngineOrderType.LIMIT, 1, limit=101, post_only=True))
    driver.step(Quote(0, START, 99, 100, -1, -1))
    assert driver.engine.reason(0) is Reason.WOULD_TAKE
    assert driver.books().fills == []


def test_an_immediate_order_lives_through_a_trade_and_leaves_with_a_quote_of_its_own_time() -> None:
    driver = driver_for(PLAIN)
    driver.step(Quote(0, START, 99, 100, -1, -1))
    driver.submit(Request(0, BUY, EngineOrderType.LIMIT, 1, limit=50, tif=EngineTimeInForce.IOC))
    driver.step(Trade(0, START, 80, 5))
    assert driver.engine.state(0) is EngineOrderState.OPEN
    driver.step(Quote(0, START, 99, 100, -1, -1))
    assert driver.engine.reason(0) is Reason.NOT_FILLED_AT_ONCE


def test_a_trailing_buy_before_any_price_waits_for_its_stop() -> None:
    driver = driver_for(MARGIN)
    driver.submit(Request(0, BUY, EngineOrderType.TRAILING, 1, trail=10))
    driver.step(bar(0, 100, 105, 99, 100))
    assert driver.books().fills == []
    assert driver.books().orders[0][9] == 109


def test_a_loss_elsewhere_liquidates_where_bars_were_being_skipped() -> None:
    """What another instrument did to the account moves the price at which this one is liquidated."""
    driver = driver_for(MARGIN, MARGIN, cash=2_500, kind=SkippingDriver)
    driver.submit(Request(0, BUY, EngineOrderType.MARKET, 100))
    driver.step(bar(0, 100, 100, 100, 100))
    driver.step(bar(1, 100, 100, 100, 100))
    driver.submit(Request(1, BUY, EngineOrderType.MARKET, 100))
    driver.step(bar(2, 100, 100, 100, 100, place=1))
    driver.step(bar(3, 88, 88, 88, 88, place=1))
    driver.step(bar(3, 93, 93, 93, 93))
    assert Reason.LIQUIDATED_AT_OPEN in [row[8] for row in driver.books().fills]
    assert driver.books().positions[0] == 0


def test_nothing_is_bought_behind_a_stop_that_has_filled() -> None:
    """The bar lets half of the entry trade and its stop at once: the other half would never be protected again."""
    driver = driver_for(replace(PLAIN, volume_share_ppm=PPM // 2))
    entry, _ = driver.submit(Request(0, BUY, EngineOrderType.LIMIT, 10, limit=95))
    stop, _ = driver.submit(Request(0, SELL, EngineOrderType.STOP, 10, stop=90, parent=entry, reduce_only=True))
    driver.step(replace(bar(0, 100, 101, 94, 98), volume=8))
    driver.step(replace(bar(1, 97, 97, 85, 86), volume=200))
    driver.step(bar(2, 86, 99, 80, 98))
    assert [(row[3], row[4], row[5]) for row in driver.books().fills] == [(BUY, 4, 95), (SELL, 4, 90)]
    assert driver.engine.state(stop) is EngineOrderState.FILLED
    assert driver.engine.reason(entry) is Reason.PROTECTION_FILLED


def test_a_stop_that_cannot_be_paid_at_the_open_does_not_fill_at_itself() -> None:
    """The market opens where a buyer's price with slippage is beyond the largest one; the stop below was passed before."""
    dear = replace(MARGIN, max_price=1_000, slippage=SlippageModel.PPM, slippage_ppm=50_000)
    driver = driver_for(dear)
    driver.step(bar(0, 850, 850, 850, 850))
    driver.submit(Request(0, BUY, EngineOrderType.STOP, 1, stop=900))
    driver.submit(Request(0, BUY, EngineOrderType.TRAILING, 1, trail=60))
    driver.step(bar(1, 990, 995, 890, 950))
    assert driver.books().fills == []
    assert [driver.engine.reason(row) for row in (0, 1)] == [Reason.OUT_OF_BOUNDS] * 2
    driver.step(bar(2, 940, 950, 940, 940))
    assert [row[5] for row in driver.books().fills] == [987, 987]


def test_time_does_not_go_back() -> None:
    """Of one instrument; another one may be told later."""
    driver = driver_for(PLAIN, PLAIN)
    driver.step(bar(1, 100, 100, 100, 100))
    half = replace(bar(1, 100, 100, 100, 100), opened_at=START + PERIOD + 5)
    shown = Depth(0, START, (Level(99, 1),), (Level(101, 1),))
    for late in (bar(0, 100, 100, 100, 100), half, Quote(0, START, 99, 100, -1, -1), Trade(0, START, 99, 1), shown):
        before = driver.books()
        assert driver.step(late) is StepStatus.BAD_BAR
        assert driver.books() == before
    assert driver.step(bar(0, 100, 100, 100, 100, place=1)) is StepStatus.OK
    assert driver.step(Quote(0, START + PERIOD + 1, 99, 100, -1, -1)) is StepStatus.BAD_BAR


def test_a_quote_that_is_told_twice_offers_its_size_once() -> None:
    driver = driver_for(replace(PLAIN, volume_share_ppm=PPM))
    quote = Quote(0, START, 99, 100, 8, 8)
    for lots in (5, 5):
        driver.submit(Request(0, BUY, EngineOrderType.MARKET, lots))
        driver.step(quote)
    assert [row[4] for row in driver.books().fills] == [5, 3]
    driver.step(replace(quote, at=START + 1))
    assert [row[4] for row in driver.books().fills] == [5, 3, 2]


def test_a_stop_that_a_fill_opened_is_looked_at_once_in_its_bar() -> None:
    """Two streams in which a second look cancelled what the position could not cover."""
    for seed in (1_761_424_425, 1_761_424_432):
        assert run_streams(seed, 1).differences == []
