"""What an approved order holds, and how it shrinks."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.core.vocabulary import OrderType, Side
from apps.risk.domain.facts import Reserved, reserve_for, shrink, worst_price
from apps.risk.domain.limits import strictest
from apps.risk.domain.values import LimitCode
from tests.unit.risk.proposals import make_exit, make_proposal


def test_a_buy_reserves_its_value_and_cash_with_an_allowance() -> None:
    assert reserve_for(make_proposal()) == Reserved(Decimal(100), Decimal(5000), Decimal(5050), False)


def test_a_short_reserves_its_value_as_collateral() -> None:
    assert reserve_for(make_proposal(side=Side.SELL)) == Reserved(Decimal(-100), Decimal(5000), Decimal(5050), False)


def test_an_exit_adds_no_exposure_and_one_that_buys_back_holds_its_cash() -> None:
    assert reserve_for(make_exit()) == Reserved(Decimal(-100), Decimal(0), Decimal(0), True)
    assert reserve_for(make_exit(side=Side.BUY)) == Reserved(Decimal(100), Decimal(0), Decimal(5050), True)
    assert reserve_for(make_exit(reference_price=None)) == Reserved(Decimal(-100), Decimal(0), Decimal(0), True)


def test_orders_count_at_the_worst_price_they_may_trade_at() -> None:
    assert worst_price(make_proposal(order_type=OrderType.LIMIT, limit_price=Decimal(40))) == Decimal(40)
    assert worst_price(make_proposal(order_type=OrderType.LIMIT, limit_price=Decimal(40), side=Side.SELL)) == Decimal(50)
    assert worst_price(make_proposal(order_type=OrderType.STOP, stop_price=Decimal(60))) == Decimal(60)
    assert worst_price(make_proposal(order_type=OrderType.STOP, stop_price=None)) is None


def test_the_other_kinds_count_at_what_they_may_trade_at() -> None:
    stop_limit = {"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal(60), "limit_price": Decimal(61)}
    assert worst_price(make_proposal(**stop_limit)) == Decimal(61)
    assert worst_price(make_proposal(**stop_limit | {"limit_price": None})) is None
    selling = {"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal(40), "limit_price": Decimal(39), "side": Side.SELL}
    assert worst_price(make_proposal(**selling)) == Decimal(50)
    for order_type in (OrderType.TRAILING, OrderType.MARKET_ON_OPEN, OrderType.MARKET_ON_CLOSE):
        assert worst_price(make_proposal(order_type=order_type)) == Decimal(50), "at the reference"


def test_a_reduce_only_exit_reserves_nothing() -> None:
    nothing = Reserved(Decimal(0), Decimal(0), Decimal(0), True)
    assert reserve_for(make_exit(is_reduce_only=True)) == nothing
    assert reserve_for(make_exit(side=Side.BUY, is_reduce_only=True)) == nothing
    assert reserve_for(make_proposal(is_reduce_only=True)).notional == 5000, "what adds exposure reserves it whatever it is called"


def test_shrinking_keeps_the_sign_and_takes_in_proportion() -> None:
    held = Reserved(Decimal(-100), Decimal(5000), Decimal(5050), False)
    assert shrink(held, remaining=Decimal(25)) == Reserved(Decimal(-25), Decimal(1250), Decimal("1262.5"), False)
    assert shrink(held, remaining=Decimal(0)) == Reserved(Decimal(0), Decimal(0), Decimal(0), False)


@given(quantity=st.integers(1, 10**6), notional=st.decimals(0, 10**9, places=10), remaining=st.integers(-10, 2 * 10**6))
def test_a_reservation_never_grows_and_never_holds_less_than_its_share(quantity: int, notional: Decimal, remaining: int) -> None:
    held = Reserved(Decimal(quantity), notional, notional, False)
    left = shrink(held, remaining=Decimal(remaining))
    assert 0 <= left.quantity <= held.quantity
    assert left.notional <= held.notional
    assert left.notional * quantity >= held.notional * left.quantity


def test_the_strictest_limit_counts() -> None:
    values = [Decimal(3), Decimal(1), Decimal(2)]
    assert strictest(LimitCode.MAX_OPEN_ORDERS, values) == 1
    assert strictest(LimitCode.MIN_CONFIDENCE, values) == 3
    assert strictest(LimitCode.MAX_OPEN_ORDERS, [*values, Decimal("NaN")]).is_nan()
