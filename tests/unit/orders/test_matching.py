"""The venue's default rules for the orders of the spine: against an oracle in exact fractions written from the rules alone, and case by case."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.vocabulary import OrderType
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import Engine, EngineBar
from apps.orders.domain.engine_book import accept_in_order, restore
from apps.orders.domain.engine_codes import EngineOrderState, EngineOrderType, EngineTimeInForce, Reason, SlippageModel
from apps.orders.domain.profiles import EngineProfile, FeeModel, Slippage
from tests.unit.orders.instruments import make_instrument

SPEC = make_instrument()
TICK, MAX_PRICE, CASH = 100, 10**9, SPEC.cash_units_per_price_unit_lot
MARKET, LIMIT, STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
Order = tuple[int, OrderType, int, int, int, int, int]
Bar = tuple[int, int, int]
Outcome = tuple[EngineOrderState, str, int, int, int]


def oracle(order: Order, bar: Bar, *, adverse_ppm: int, fee_ppm: int) -> Outcome:
    """What a bar from 10 to 20 does to an order that was there before it opened."""
    side, kind, lots, limit, stop, _, day_ends_at = order
    bar_open, high, low = bar
    if day_ends_at and day_ends_at <= 10:
        return EngineOrderState.EXPIRED, "DAY_OVER", 0, 0, 0
    reason, raw = trade(side, kind, limit, stop, bar_open, high, low, adverse_ppm)
    if raw is not None:
        price = (ceil(raw / TICK) if side > 0 else floor(raw / TICK)) * TICK
        if TICK <= price <= MAX_PRICE:
            return EngineOrderState.FILLED, reason, price, lots, ceil(Fraction(price * lots * CASH * fee_ppm, 10**6))
        reason = "OUT_OF_BOUNDS"
    if day_ends_at and day_ends_at <= 20:
        return EngineOrderState.EXPIRED, "DAY_OVER", 0, 0, 0
    return EngineOrderState.OPEN, reason, 0, 0, 0


def trade(  # noqa: PLR0917
    side: int, kind: OrderType, limit: int, stop: int, bar_open: int, high: int, low: int, adverse: int
) -> tuple[str, Fraction | None]:
    def against(price: int) -> Fraction:
        return Fraction(price + side * ceil(Fraction(price * adverse, 10**6)))

    if kind is MARKET:
        return "MARKET_AT_OPEN", against(bar_open)
    if kind is LIMIT:
        if (bar_open < limit) if side > 0 else (bar_open > limit):
            return "LIMIT_GAPPED", Fraction(bar_open)
        crossed = low < limit if side > 0 else high > limit
        return ("LIMIT_CROSSED", Fraction(limit)) if crossed else ("NONE", None)
    if (bar_open >= stop) if side > 0 else (bar_open <= stop):
        return "STOP_GAPPED", against(bar_open)
    touched = high >= stop if side > 0 else low <= stop
    return ("STOP_TRIGGERED", against(stop)) if touched else ("NONE", None)


def outcome(order: Order, bar: Bar, *, adverse_ppm: int, fee_ppm: int) -> Outcome:
    """The same by the engine, with a book of one order and all the cash that it could need."""
    side, kind, lots, limit, stop, accepted_at, day_ends_at = order
    engine = Engine([SPEC], [profile(adverse_ppm, fee_ppm)], cash={"USD": SPEC.cash(code.INT64_SAFE // 2)}, capacity=2)
    values = {
        code.O_SIDE: side,
        code.O_TYPE: EngineOrderType[kind],
        code.O_TIF: EngineTimeInForce.DAY if day_ends_at else EngineTimeInForce.GTC,
        code.O_LOTS: lots,
        code.O_LIMIT: limit if kind is LIMIT else 0,
        code.O_STOP: stop if kind is STOP else 0,
        code.O_STATE: EngineOrderState.OPEN,
        code.O_ACTIVE_AT: accepted_at,
        code.O_EXPIRES_AT: day_ends_at,
    }
    accept_in_order(engine, [restore(engine, values)])
    bar_open, high, low = bar
    engine.step_bar(0, EngineBar(10, 20, bar_open, high, low, close=bar_open))
    fills = engine.fill_rows().tolist()
    if fills:
        price, traded, fee, reason = (fills[0][column] for column in (code.F_PRICE, code.F_LOTS, code.F_FEE, code.F_REASON))
        return EngineOrderState.FILLED, Reason(reason).name, price, traded, fee
    return engine.state(0), engine.reason(0).name, 0, 0, 0


def profile(adverse_ppm: int, fee_ppm: int) -> EngineProfile:
    fee = Decimal(fee_ppm) / 100
    return EngineProfile(
        "test",
        fees=FeeModel(maker_bps=fee, taker_bps=fee),
        slippage=Slippage(SlippageModel.PPM, slippage_bps=Decimal(adverse_ppm) / 100),
        maintenance=Decimal(0),
        allows_short=True,
    )


on_tick = st.integers(1, 3000).map(lambda ticks: ticks * TICK)
orders = st.tuples(
    st.sampled_from([1, -1]),
    st.sampled_from([MARKET, LIMIT, STOP]),
    st.integers(1, 100_000),
    on_tick,
    on_tick,
    st.integers(0, 10),
    st.sampled_from([0, 0, 10, 15, 20, 25]),
)


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    prices = sorted(draw(st.lists(st.integers(1000, 300_000), min_size=4, max_size=4)))
    return draw(st.sampled_from(prices)), prices[-1], prices[0]


@settings(max_examples=500)
@given(orders, bars(), st.integers(0, 3_000), st.integers(0, 2_000))
def test_the_engine_fills_the_orders_of_the_spine_by_its_rules(order: Order, bar: Bar, adverse_ppm: int, fee_ppm: int) -> None:
    assert outcome(order, bar, adverse_ppm=adverse_ppm, fee_ppm=fee_ppm) == oracle(order, bar, adverse_ppm=adverse_ppm, fee_ppm=fee_ppm)


@settings(max_examples=200)
@given(orders, bars(), st.integers(0, 3_000), st.integers(0, 2_000))
def test_no_fill_is_better_than_its_order_or_than_the_open_allows(order: Order, bar: Bar, adverse_ppm: int, fee_ppm: int) -> None:
    status, _, price, lots, fee = outcome(order, bar, adverse_ppm=adverse_ppm, fee_ppm=fee_ppm)
    if status is not EngineOrderState.FILLED:
        assert (price, lots, fee) == (0, 0, 0)
        return
    side, kind = order[0], order[1]
    assert price % TICK == 0
    assert lots == order[2]
    assert fee * 10**6 >= price * lots * CASH * fee_ppm
    if kind is LIMIT:
        assert side * (order[3] - price) >= 0, "never worse than the limit"
    if kind is MARKET:
        assert side * (price - bar[0]) >= 0, "never better than the open"
    if kind is STOP:
        assert side * (price - order[4]) >= 0, "never better than the stop"


def make_order(side: int, kind: OrderType, *, limit: int = 0, stop: int = 0, accepted_at: int = 10, day_ends_at: int = 0) -> Order:
    return side, kind, 5, limit, stop, accepted_at, day_ends_at


@pytest.mark.parametrize(
    ("what", "order", "bar", "reason", "price"),
    [
        ("a market buy pays the open plus costs, up to the tick", make_order(1, MARKET), (10_050, 11_000, 9_000), "MARKET_AT_OPEN", 10_100),
        ("a market sell gets the open less costs, down to the tick", make_order(-1, MARKET), (10_050, 11_000, 9_000), "MARKET_AT_OPEN", 10_000),
        ("a limit buy that the bar only touches waits", make_order(1, LIMIT, limit=9_000), (10_000, 11_000, 9_000), "NONE", 0),
        ("a limit buy that the bar crosses fills at the limit", make_order(1, LIMIT, limit=9_000), (10_000, 11_000, 8_999), "LIMIT_CROSSED", 9_000),
        ("a limit buy above the open fills at the open", make_order(1, LIMIT, limit=9_000), (8_800, 9_500, 8_000), "LIMIT_GAPPED", 8_800),
        ("opening at the limit is not beyond it", make_order(1, LIMIT, limit=9_000), (9_000, 9_500, 9_000), "NONE", 0),
        ("a limit sell that the bar crosses fills at the limit", make_order(-1, LIMIT, limit=9_000), (8_500, 9_001, 8_000), "LIMIT_CROSSED", 9_000),
        ("a limit sell below the open fills at the open", make_order(-1, LIMIT, limit=9_000), (9_400, 9_500, 9_300), "LIMIT_GAPPED", 9_400),
        ("a stop sell that the bar touches fills below the stop", make_order(-1, STOP, stop=9_000), (9_500, 9_600, 9_000), "STOP_TRIGGERED", 8_900),
        ("a stop sell that the market gaps over fills at the open", make_order(-1, STOP, stop=9_000), (8_000, 8_500, 7_000), "STOP_GAPPED", 7_900),
        ("a stop buy that the bar touches fills above the stop", make_order(1, STOP, stop=9_000), (8_500, 9_000, 8_000), "STOP_TRIGGERED", 9_100),
        ("a stop buy below the market fills at the open", make_order(1, STOP, stop=9_000), (9_500, 9_600, 9_400), "STOP_GAPPED", 9_600),
        ("a stop that is not reached waits", make_order(1, STOP, stop=9_700), (9_500, 9_600, 9_400), "NONE", 0),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else None,
)  # fmt: skip
def test_each_rule_by_an_example(what: str, order: Order, bar: Bar, reason: str, price: int) -> None:
    result = outcome(order, bar, adverse_ppm=200, fee_ppm=500)
    assert result[1:3] == (reason, price), what
    assert result[0] == (EngineOrderState.FILLED if price else EngineOrderState.OPEN)


def test_an_order_never_trades_in_a_bar_that_closed_when_it_was_accepted() -> None:
    decided_on_this_bar = make_order(1, MARKET, accepted_at=20)
    assert outcome(decided_on_this_bar, (10_000, 11_000, 9_000), adverse_ppm=0, fee_ppm=0) == (EngineOrderState.OPEN, "NONE", 0, 0, 0)


def test_an_order_that_comes_while_the_bar_is_under_way_sees_its_close_alone() -> None:
    late = make_order(1, LIMIT, limit=9_500, accepted_at=15)
    assert outcome(late, (10_000, 11_000, 9_000), adverse_ppm=0, fee_ppm=0)[0] is EngineOrderState.OPEN
    late = make_order(1, MARKET, accepted_at=15)
    assert outcome(late, (10_000, 11_000, 9_000), adverse_ppm=0, fee_ppm=0)[2] == 10_000


def test_a_day_order_may_trade_in_its_last_bar_and_expires_with_it() -> None:
    waiting = make_order(1, LIMIT, limit=5_000, day_ends_at=20)
    assert outcome(waiting, (9_000, 9_000, 5_000), adverse_ppm=0, fee_ppm=0)[:2] == (EngineOrderState.EXPIRED, "DAY_OVER")
    assert outcome(waiting, (9_000, 9_000, 4_999), adverse_ppm=0, fee_ppm=0)[:3] == (EngineOrderState.FILLED, "LIMIT_CROSSED", 5_000)
    yesterday = make_order(1, MARKET, day_ends_at=10)
    assert outcome(yesterday, (9_000, 9_000, 4_999), adverse_ppm=0, fee_ppm=0)[:2] == (EngineOrderState.EXPIRED, "DAY_OVER")


def test_a_price_outside_the_bounds_fills_nothing() -> None:
    assert outcome(make_order(-1, MARKET), (99, 99, 99), adverse_ppm=0, fee_ppm=0)[:2] == (EngineOrderState.OPEN, "OUT_OF_BOUNDS")
    beyond = outcome(make_order(1, MARKET), (MAX_PRICE, MAX_PRICE, 1), adverse_ppm=1, fee_ppm=0)
    assert beyond[:2] == (EngineOrderState.OPEN, "OUT_OF_BOUNDS")
