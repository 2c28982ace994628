"""What can be an order at all, and costs on their grid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.core.vocabulary import OrderType, TimeInForce
from apps.orders.domain.costs import Costs
from apps.orders.domain.prices import average_price
from apps.orders.domain.validation import check_order
from tests.unit.orders.instruments import make_instrument

GOOD: dict[str, Any] = {
    "order_type": OrderType.MARKET,
    "time_in_force": TimeInForce.GTC,
    "quantity": Decimal(10),
    "limit_price": None,
    "stop_price": None,
}


def check(**changes: Any) -> None:
    check_order(make_instrument(min_notional=Decimal(5)), **(GOOD | changes))


def test_good_orders_pass() -> None:
    check()
    check(order_type=OrderType.LIMIT, limit_price=Decimal("99.99"))
    check(order_type=OrderType.STOP, stop_price=Decimal("99.99"), time_in_force=TimeInForce.DAY)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN", "0", "-1", "0.5", "100001"])
def test_a_quantity_that_is_no_quantity_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(quantity=Decimal(value))
    assert caught.value.where == "quantity"


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
        ({"time_in_force": "FOK"}, "time_in_force"),
        ({"quantity": Decimal(1), "order_type": OrderType.LIMIT, "limit_price": Decimal("4.99")}, "quantity"),
        ({"quantity": Decimal(1), "reference_price": Decimal("4.99")}, "quantity"),
        ({"quantity": 10.0}, "quantity"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(**changes)
    assert caught.value.where == where


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(InvalidInput) as caught:
        check(quantity=Decimal("10.4"))
    assert caught.value.hint == "Use 10.0 or 11.0."


@given(
    st.sampled_from(["1", "0.1", "0.00000001", "0.25", "100"]),
    st.decimals(min_value="0.00000001", max_value=100_000, allow_nan=False, allow_infinity=False, places=8),
)
def test_whatever_the_lot_only_multiples_of_it_pass(lot: str, quantity: Decimal) -> None:
    instrument = make_instrument(lot_size=Decimal(lot), min_quantity=Decimal(lot))
    try:
        check_order(instrument, **(GOOD | {"quantity": quantity}))
        passed = True
    except InvalidInput:
        passed = False
    assert passed == (quantity % Decimal(lot) == 0 and quantity >= Decimal(lot))


def test_costs_become_whole_parts_per_million_against_the_trader() -> None:
    costs = Costs.from_bps(fee_bps=Decimal("5.25"), spread_bps=Decimal("0.03"), slippage_bps=Decimal(1))
    assert (costs.fee_ppm, costs.adverse_ppm) == (525, 2 + 100)


@pytest.mark.parametrize("value", ["-0.01", "2000.01", "1.005", "NaN", "Infinity"])
def test_costs_off_the_grid_are_refused(value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Costs.from_bps(fee_bps=Decimal(1), spread_bps=Decimal(value), slippage_bps=Decimal(0))
    assert caught.value.where == "spread_bps"


def test_an_average_price_reads_well() -> None:
    assert str(average_price(Decimal(1000), Decimal(10))) == "100"
    assert str(average_price(Decimal(100), Decimal(3))) == "33.3333333333"
    assert str(average_price(Decimal("301.5"), Decimal(3))) == "100.5"
