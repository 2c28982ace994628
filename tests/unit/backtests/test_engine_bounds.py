"""At the edges of int64 and of what an event may be, the engine refuses or stops with a status: it never answers with a wrong number."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from apps.core.errors import OutOfBounds, TradingError
from apps.orders.domain import engine_codes as code
from apps.orders.domain.book_nb import submit
from apps.orders.domain.engine_codes import (
    BUY,
    INT64_SAFE,
    PPM,
    RATE_ONE,
    SELL,
    EngineOrderState,
    EngineOrderType,
    Reason,
    SlippageModel,
    StepStatus,
)
from apps.orders.domain.pricing_nb import per_lot_fee, relative_price, volume_share
from apps.orders.domain.profiles import IDEAL, FeeModel, place_row
from apps.portfolio.domain import ledger_codes as ledger
from tests.unit.backtests.engine_driver import EngineDriver
from tests.unit.backtests.oracle import Bar, Instrument, Quote, Request, Trade
from tests.unit.backtests.worlds import PERIOD, START, Event, World

HUGE = Instrument(max_price=1 << 30, max_lots=1 << 31)
NAN: Any = float("nan")


def world(*instruments: Instrument, cash: list[int] | None = None, rates: list[int] | None = None) -> World:
    cash = cash or [INT64_SAFE]
    return World(list(instruments), cash, rates or [RATE_ONE] * len(cash), 0, ("bar",))


def bar(number: int, price: int, *, place: int = 0, **other: Any) -> Bar:
    opened_at = START + number * PERIOD
    return replace(Bar(place, opened_at, opened_at + PERIOD, price, price, price, price, -1), **other)


def market(lots: int, *, side: int = BUY, place: int = 0) -> Request:
    return Request(place=place, side=side, type=EngineOrderType.MARKET, lots=lots)


def test_an_instrument_whose_notional_does_not_fit_is_refused() -> None:
    with pytest.raises(OutOfBounds):
        EngineDriver(world(replace(HUGE, max_lots=(1 << 31) + 1)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"open": 0},
        {"low": 0},
        {"low": -5},
        {"high": 99},
        {"low": 101},
        {"close": 101},
        {"open": 99},
        {"high": (1 << 30) + 1},
        {"high": 1 << 62},
        {"closed_at": START},
        {"closed_at": START - 1},
    ],
)
def test_a_bar_that_cannot_be_changes_nothing(wrong: dict[str, Any]) -> None:
    driver = EngineDriver(world(HUGE))
    driver.submit(market(5))
    before = driver.books()
    assert driver.step(bar(0, 100, **wrong)) is StepStatus.BAD_BAR
    assert driver.books() == before
    assert driver.step(bar(0, 100)) is StepStatus.OK
    assert driver.books().positions == [5]


@pytest.mark.parametrize("wrong", [(0, 5), (-1, 5), (5, 4), (5, (1 << 30) + 1)])
def test_a_quote_that_cannot_be_changes_nothing(wrong: tuple[Any, Any]) -> None:
    driver = EngineDriver(world(HUGE))
    driver.submit(market(5))
    before = driver.books()
    assert driver.step(Quote(0, START, wrong[0], wrong[1], 1, 1)) is StepStatus.BAD_BAR
    assert driver.books() == before


@pytest.mark.parametrize("wrong", [(0, 1), (-1, 1), (5, 0), (5, -1), ((1 << 30) + 1, 1)])
def test_a_trade_that_cannot_be_changes_nothing(wrong: tuple[Any, int]) -> None:
    driver = EngineDriver(world(HUGE))
    driver.submit(Request(0, BUY, EngineOrderType.LIMIT, 5, limit=10))
    before = driver.books()
    assert driver.step(Trade(0, START, wrong[0], wrong[1])) is StepStatus.BAD_BAR
    assert driver.books() == before


@pytest.mark.parametrize(
    "event",
    [
        *(bar(0, 100, **{name: NAN}) for name in ("open", "high", "low", "close")),
        Quote(0, START, NAN, 5, 1, 1),
        Quote(0, START, 5, NAN, 1, 1),
        Trade(0, START, NAN, 1),
    ],
)
def test_nan_changes_nothing(event: Event) -> None:
    """Plain kernels see that it is in no range, compiled ones cannot even be called with it."""
    driver = EngineDriver(world(HUGE))
    driver.submit(market(5))
    before = driver.books()
    with suppress(ValueError):
        assert driver.step(event) is StepStatus.BAD_BAR
    assert driver.books() == before


@pytest.mark.parametrize("lots", [0, -1, (1 << 31) + 1, 1 << 61, 1 << 62])
def test_lots_out_of_bounds_are_refused(lots: int) -> None:
    driver = EngineDriver(world(HUGE))
    assert driver.submit(market(lots)) == (0, Reason.BAD_QUANTITY)


@pytest.mark.parametrize("limit", [0, -1, (1 << 30) + 1, 1 << 61, 1 << 62])
def test_prices_out_of_bounds_are_refused(limit: int) -> None:
    driver = EngineDriver(world(HUGE))
    assert driver.submit(Request(0, BUY, EngineOrderType.LIMIT, 1, limit=limit)) == (0, Reason.BAD_PRICE)


def test_the_largest_order_at_the_largest_price_is_exact() -> None:
    driver = EngineDriver(world(HUGE))
    driver.submit(market(1 << 31))
    assert driver.step(bar(0, 1 << 30)) is StepStatus.OK
    books = driver.books()
    assert (books.cash, books.positions, books.equity) == ([0], [1 << 31], INT64_SAFE)
    assert sum(row[3] for row in books.entries) == 0


def test_an_order_beyond_the_cash_is_refused_at_the_edge_too() -> None:
    driver = EngineDriver(world(HUGE, cash=[INT64_SAFE - 1]))
    driver.step(bar(0, 1 << 30))
    assert driver.submit(market(1 << 31)) == (0, Reason.INSUFFICIENT_CASH)


def test_cash_beyond_the_edge_ends_the_run() -> None:
    margin = replace(HUGE, allows_short=True, initial_ppm=1_000)
    driver = EngineDriver(world(margin))
    driver.submit(market(1 << 31, side=SELL))
    assert driver.step(bar(0, 1 << 30)) is StepStatus.OVERFLOW
    assert driver.step(bar(1, 1 << 30)) is StepStatus.OVERFLOW


def test_a_position_beyond_the_largest_order_ends_the_run() -> None:
    driver = EngineDriver(world(HUGE))
    driver.submit(market(1 << 31))
    driver.submit(market(1))
    assert driver.step(bar(0, 5)) is StepStatus.OVERFLOW


def test_values_of_many_instruments_that_do_not_fit_together_end_the_run() -> None:
    """Bought for next to nothing, worth 2^61 each: five of them are more than an int64."""
    margin = replace(HUGE, allows_short=True, maintenance_ppm=500_000)
    driver = EngineDriver(world(*[margin] * 5))
    for place in range(5):
        driver.submit(market(1 << 31, place=place))
    for place in range(5):
        assert driver.step(bar(0, 1, place=place)) is StepStatus.OK
    statuses = [driver.step(bar(1, 1 << 30, place=place)) for place in range(5)]
    assert statuses[-1] is StepStatus.OVERFLOW
    assert len(driver.books().fills) == 5


def test_a_rate_that_blows_a_position_up_ends_the_run() -> None:
    margin = replace(HUGE, currency=1, initial_ppm=1_000, allows_short=True)
    driver = EngineDriver(world(margin, cash=[INT64_SAFE, INT64_SAFE // 8], rates=[RATE_ONE, 1_000 * RATE_ONE]))
    driver.submit(market(1 << 20))
    assert driver.step(bar(0, 1 << 30)) is StepStatus.OVERFLOW


@pytest.mark.parametrize("price", [1 << 60, (1 << 61) - 1])
@pytest.mark.parametrize("ppm", [999_999_999, 5_000_000, 3_000_000])
def test_a_relative_price_beyond_the_edge_stays_positive(price: int, ppm: int) -> None:
    numbers: list[Any] = [np.int64(price), np.int64(ppm), np.int64(1)]
    found = relative_price(*numbers)
    assert found >= min(price, INT64_SAFE)


@pytest.mark.parametrize(("lots", "volume"), [(1 << 60, 1 << 61), (1 << 59, 1 << 61), (3, 1 << 61), (1 << 58, (1 << 58) + 1)])
def test_a_share_of_a_huge_volume_is_exact(lots: int, volume: int) -> None:
    numbers: list[Any] = [np.int64(lots), np.int64(volume)]
    exact = -(-lots * PPM // volume)
    assert exact <= volume_share(*numbers) <= exact + 1


def test_a_huge_volume_with_impact_fills_at_a_real_price() -> None:
    driver = EngineDriver(
        world(
            Instrument(
                max_price=2, max_lots=1 << 60, slippage=SlippageModel.SQUARE_ROOT, impact_ppm=10, volume_share_ppm=PPM, allows_short=True
            )
        )
    )
    driver.submit(market(1 << 60, side=SELL))
    driver.step(bar(0, 2, volume=1 << 61))
    assert [row[5] for row in driver.books().fills] == [1]


def test_full_tables_change_nothing() -> None:
    engine = EngineDriver(world(HUGE)).engine
    tables = (engine.book[:1].copy(), engine.active, engine.places, engine.account)
    order = (0, BUY, EngineOrderType.MARKET, 0, 0, 1, 0, 0, 0, 0, 0, code.NO_ROW, 0, 0, 0, 0)
    assert submit(*tables, *order) == 0
    assert tables[0][0, code.O_STATE] == EngineOrderState.OPEN
    account = engine.account.copy()
    assert submit(*tables, *order) == code.NO_ROW
    assert (engine.account == account).all()


@pytest.mark.parametrize("rate", ["0", "-1", "0.0000000000001", "1e30", "NaN"])
def test_a_rate_that_cannot_be_counted_is_refused(rate: str) -> None:
    engine = EngineDriver(world(HUGE, replace(HUGE, currency=1), cash=[1, 1])).engine
    with pytest.raises(TradingError):
        engine.set_rate("C1", Decimal(rate))


def test_the_values_of_an_endless_trip_stop_at_the_edge() -> None:
    """All but one lot sold and bought back again and again: each way is worth nearly 2^61."""
    driver = EngineDriver(world(HUGE))
    driver.submit(market(1 << 31))
    for number in range(5):
        driver.step(bar(2 * number, 1 << 30))
        driver.submit(market((1 << 31) - 1, side=SELL))
        driver.step(bar(2 * number + 1, 1 << 30))
        driver.submit(market((1 << 31) - 1))
    driver.step(bar(10, 1 << 30))
    driver.submit(market(1 << 31, side=SELL))
    assert driver.step(bar(11, 1 << 30)) is StepStatus.OK
    books = driver.books()
    assert (books.cash, books.positions) == ([INT64_SAFE], [0])
    (trade,) = books.trades
    assert trade[ledger.T_ENTRY_VALUE] == trade[ledger.T_EXIT_VALUE] == INT64_SAFE
    assert trade[ledger.T_LOTS] == 6 * (1 << 31) - 5
    assert trade[ledger.T_REALISED] == 0


@pytest.mark.parametrize(("lots", "ppm"), [(1, 1), (999_999, 10**14 + 1), (3, 1 << 60), (1 << 40, 1_000_001), (1 << 59, 1)])
def test_a_large_fee_per_lot_is_exact(lots: int, ppm: int) -> None:
    numbers: list[Any] = [np.int64(lots), np.int64(ppm)]
    assert per_lot_fee(*numbers) == -(-lots * ppm // PPM)


def test_a_fee_that_cannot_be_counted_is_refused_before_the_run() -> None:
    spec = EngineDriver(world(HUGE)).engine.instruments[0]
    largest = Decimal(code.INT64_SAFE // 2) / (1 << 31)
    assert place_row(spec, replace(IDEAL, fees=FeeModel(per_unit=largest)), currency=0)[code.I_FEE_PER_LOT_PPM] == largest * PPM
    for fees in (FeeModel(per_unit=largest + 1), FeeModel(per_unit=largest, flat=Decimal(1))):
        with pytest.raises(OutOfBounds, match="fee"):
            place_row(spec, replace(IDEAL, fees=fees), currency=0)
