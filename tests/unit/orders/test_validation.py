"""What can be an order at all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.core.vocabulary import OrderType, TimeInForce
from apps.orders.domain.prices import average_price
from apps.orders.domain.terms import OrderTerms
from apps.orders.domain.validation import check_order
from tests.unit.orders.instruments import make_instrument

GOOD: dict[str, Any] = {
    "order_type": OrderType.MARKET,
    "time_in_force": TimeInForce.GTC,
    "quantity": Decimal(10),
    "limit_price": None,
    "stop_price": None,
}


def check(*, is_child: bool = False, reference_price: Decimal | None = None, **changes: Any) -> OrderTerms:
    """The terms, having passed."""
    terms = OrderTerms(**(GOOD | changes))
    check_order(make_instrument(min_notional=Decimal(5)), terms, is_child=is_child, reference_price=reference_price)
    return terms


def test_good_orders_pass() -> None:
    assert check().quantity == 10
    assert check(order_type=OrderType.LIMIT, limit_price=Decimal("99.99")).limit_price == Decimal("99.99")
    stop = check(order_type=OrderType.STOP, stop_price=Decimal("99.99"), time_in_force=TimeInForce.DAY)
    assert (stop.stop_price, stop.time_in_force) == (Decimal("99.99"), TimeInForce.DAY)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN", "0", "-1", "0.5", "100001"])
def test_a_quantity_that_is_no_quantity_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(quantity=Decimal(value))
    assert caught.value.where == "quantity"


@pytest.mark.parametrize(("value", "hint"), [("0.5000", "Use 1."), ("2.50", "Use 2 or 3.")])
def test_a_broken_quantity_is_answered_with_those_that_can_be_ordered(value: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(quantity=Decimal(value))
    assert caught.value.hint == hint


@pytest.mark.parametrize(("order_type", "name"), [(OrderType.LIMIT, "limit_price"), (OrderType.STOP, "stop_price")])
@pytest.mark.parametrize("value", [None, "NaN", "Infinity", "0", "-1", "99.995", "100000.01"])
def test_a_price_that_is_no_price_is_refused_by_name(order_type: OrderType, name: str, value: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(order_type=order_type, **{name: None if value is None else Decimal(value)})
    assert caught.value.where == name


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"limit_price": Decimal(99)}, "limit_price"),
        ({"stop_price": Decimal(99)}, "stop_price"),
        ({"order_type": OrderType.LIMIT, "limit_price": Decimal(99), "stop_price": Decimal(98)}, "stop_price"),
        ({"order_type": "ICEBERG"}, "order_type"),
        ({"time_in_force": "NOW"}, "time_in_force"),
        ({"quantity": Decimal(1), "order_type": OrderType.LIMIT, "limit_price": Decimal("4.99")}, "quantity"),
        ({"quantity": Decimal(1), "reference_price": Decimal("4.99")}, "quantity"),
        ({"quantity": 10.0}, "quantity"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(**changes)
    assert caught.value.where == where


SOON = datetime(2026, 1, 31, 21, tzinfo=UTC)
FULL_VOCABULARY: list[dict[str, Any]] = [
    {"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal(100), "limit_price": Decimal(101)},
    {"order_type": OrderType.TRAILING, "trail_amount": Decimal(5)},
    {"order_type": OrderType.TRAILING, "trail_percent": Decimal("2.5001")},
    {"order_type": OrderType.MARKET_ON_OPEN},
    {"order_type": OrderType.MARKET_ON_CLOSE},
    {"time_in_force": TimeInForce.IOC},
    {"order_type": OrderType.LIMIT, "limit_price": Decimal(99), "time_in_force": TimeInForce.FOK},
    {"order_type": OrderType.LIMIT, "limit_price": Decimal(99), "is_post_only": True},
    {"time_in_force": TimeInForce.GTD, "expires_at": SOON},
    {"order_type": OrderType.STOP, "stop_offset_percent": Decimal("-5.0001"), "is_child": True, "is_reduce_only": True},
    {"order_type": OrderType.LIMIT, "limit_offset_percent": Decimal(7), "is_child": True, "is_reduce_only": True},
    {"order_type": OrderType.LIMIT, "limit_price": Decimal("0.01"), "is_reduce_only": True},
]


@pytest.mark.parametrize("changes", FULL_VOCABULARY, ids=str)
def test_every_kind_of_order_can_be_written(changes: dict[str, Any]) -> None:
    terms = check(**changes)
    assert {name: getattr(terms, name) for name in changes if name != "is_child"} == {
        name: value for name, value in changes.items() if name != "is_child"
    }


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal(100)}, "limit_price", "needs a limit_price"),
        ({"order_type": OrderType.STOP_LIMIT, "limit_price": Decimal(100)}, "stop_price", "needs a stop_price"),
        ({"order_type": OrderType.TRAILING}, "trail_amount", "needs a trail_amount or a trail_percent"),
        ({"order_type": OrderType.TRAILING, "trail_amount": Decimal(1), "trail_percent": Decimal(1)}, "trail_percent", "not both"),
        ({"order_type": OrderType.TRAILING, "trail_amount": Decimal("0.005")}, "trail_amount", "multiple of the tick"),
        ({"order_type": OrderType.TRAILING, "trail_percent": Decimal(100)}, "trail_percent", "below 100"),
        ({"order_type": OrderType.TRAILING, "trail_percent": Decimal("1.00001")}, "trail_percent", "four decimals"),
        ({"order_type": OrderType.TRAILING, "trail_percent": Decimal("NaN")}, "trail_percent", "finite"),
        ({"order_type": OrderType.TRAILING, "trail_amount": Decimal(1), "stop_price": Decimal(90)}, "stop_price", "takes no stop_price"),
        ({"trail_percent": Decimal(1)}, "trail_percent", "takes no trail_percent"),
        ({"order_type": OrderType.STOP, "stop_price": Decimal(90), "is_post_only": True}, "is_post_only", "cannot be post-only"),
        ({"order_type": OrderType.STOP, "stop_price": Decimal(90), "time_in_force": TimeInForce.FOK}, "time_in_force", "cannot be FOK"),
        ({"order_type": OrderType.MARKET_ON_CLOSE, "time_in_force": TimeInForce.IOC}, "time_in_force", "cannot be IOC"),
        ({"time_in_force": TimeInForce.GTD}, "expires_at", "needs expires_at"),
        ({"expires_at": SOON}, "expires_at", "takes no expires_at"),
        ({"time_in_force": TimeInForce.GTD, "expires_at": SOON.replace(tzinfo=None)}, "expires_at", "time zone"),
        ({"order_type": OrderType.STOP, "stop_offset_percent": Decimal(-5)}, "stop_offset_percent", "needs a parent"),
        ({"order_type": OrderType.STOP, "stop_offset_percent": Decimal(-100), "is_child": True}, "stop_offset_percent", "above -100"),
        ({"limit_offset_percent": Decimal(5), "is_child": True}, "limit_offset_percent", "takes no limit_offset_percent"),
        (
            {"order_type": OrderType.STOP, "stop_price": Decimal(9), "stop_offset_percent": Decimal(-5), "is_child": True},
            "stop_offset_percent",
            "not both",
        ),
    ],
)
def test_what_the_kinds_cannot_have_is_refused_with_a_sentence(changes: dict[str, Any], where: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        check(**changes)
    assert caught.value.where == where
    assert caught.value.hint or "finite" in words


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(InvalidInput) as caught:
        check(quantity=Decimal("10.4"))
    assert caught.value.hint == "Use 10 or 11."


@given(
    st.sampled_from(["1", "0.1", "0.00000001", "0.25", "100"]),
    st.decimals(min_value="0.00000001", max_value=100_000, allow_nan=False, allow_infinity=False, places=8),
)
def test_whatever_the_lot_only_multiples_of_it_pass(lot: str, quantity: Decimal) -> None:
    instrument = make_instrument(lot_size=Decimal(lot), min_quantity=Decimal(lot))
    try:
        check_order(instrument, OrderTerms(**(GOOD | {"quantity": quantity})))
        passed = True
    except InvalidInput:
        passed = False
    assert passed == (quantity % Decimal(lot) == 0 and quantity >= Decimal(lot))


def test_an_average_price_reads_well() -> None:
    assert str(average_price(Decimal(1000), Decimal(10))) == "100"
    assert str(average_price(Decimal(100), Decimal(3))) == "33.3333333333"
    assert str(average_price(Decimal("301.5"), Decimal(3))) == "100.5"
