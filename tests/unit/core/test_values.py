"""Exact values: conversion is exact or refused, arithmetic stays on one grid, bounds keep int64 safe."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InexactValue, InvalidInput, OutOfBounds
from apps.core.values import INT64_SAFE, InstrumentSpec, Money, Price, Quantity, decimal_unit, from_units, to_units

units = st.integers(-INT64_SAFE, INT64_SAFE)
scales = st.integers(0, 10)
SPEC = InstrumentSpec(
    id=UUID(int=1),
    venue_id=UUID(int=2),
    symbol="BTC/USDT",
    base_asset="BTC",
    quote_asset="USDT",
    price_scale=4,
    volume_scale=3,
    cash_scale=8,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    min_notional=Decimal("10"),
    max_price=Decimal("1000000"),
    max_quantity=Decimal("1000"),
)


@given(units, scales)
def test_units_and_decimals_convert_back_and_forth(number: int, scale: int) -> None:
    unit = decimal_unit(scale)
    assert to_units(from_units(number, unit), unit) == number
    assert Price.from_decimal(Price(number, scale).to_decimal(), scale) == Price(number, scale)
    assert Money.from_decimal(Money(number, scale, "USD").to_decimal(), scale, "USD") == Money(number, scale, "USD")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9), st.integers(0, 5))
def test_conversion_is_exact_or_refused(value: Decimal, scale: int) -> None:
    unit = decimal_unit(scale)
    try:
        converted = to_units(value, unit)
    except InexactValue:
        assert value % unit != 0
    else:
        assert from_units(converted, unit) == value


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("sNaN"), 1.5, 1, "1"])
def test_what_is_not_a_finite_decimal_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match="must be a finite decimal number"):
        to_units(value, Decimal("0.01"))  # type: ignore[arg-type]


def test_the_bound_is_exact() -> None:
    assert to_units(Decimal(INT64_SAFE), Decimal(1)) == INT64_SAFE
    assert to_units(Decimal(-INT64_SAFE), Decimal(1)) == -INT64_SAFE
    for beyond in (INT64_SAFE + 1, -INT64_SAFE - 1, 10**40):
        with pytest.raises(OutOfBounds):
            to_units(Decimal(beyond), Decimal(1))


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), scales)
def test_sums_are_exact(left: int, right: int, scale: int) -> None:
    total = Quantity(left, scale) + Quantity(right, scale)
    assert total.to_decimal() == Quantity(left, scale).to_decimal() + Quantity(right, scale).to_decimal()
    assert total - Quantity(right, scale) == Quantity(left, scale)
    assert -total + total == Quantity(0, scale)
    assert (Money(left, scale, "USD") + Money(right, scale, "USD")).units == left + right


def test_different_scales_kinds_and_assets_do_not_mix() -> None:
    with pytest.raises(InvalidInput, match="Price at scale 2 with Price at scale 3"):
        Price(1, 2) + Price(1, 3)
    with pytest.raises(InvalidInput, match="Price at scale 2 with Quantity"):
        Price(1, 2) + Quantity(1, 2)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="Cannot add EUR"):
        Money(1, 2, "USD") + Money(1, 2, "EUR")
    with pytest.raises(InvalidInput, match="Cannot add USD at scale 3"):
        Money(1, 2, "USD") + Money(1, 3, "USD")


def test_prices_of_one_scale_are_ordered_and_of_two_scales_are_not() -> None:
    assert Price(1, 2) < Price(2, 2)
    for compare in (lambda: Price(5, 2) < Price(1, 3), lambda: Price(5, 2) >= Price(1, 3), lambda: Price(1, 2) < Quantity(2, 2)):
        with pytest.raises((InvalidInput, TypeError)):
            compare()


@given(st.integers(1, 10**9), st.integers(1, 10**6))
def test_a_notional_is_a_whole_number_of_cash_units(price_units: int, lots: int) -> None:
    price, quantity = SPEC.price(price_units), SPEC.quantity(lots)
    assert (SPEC.price_units(price), SPEC.quantity_lots(quantity)) == (price_units, lots)
    cash = SPEC.cash_units(SPEC.notional(price, quantity))
    assert cash == price_units * lots * SPEC.cash_units_per_price_unit_lot


def test_bounds_that_would_wrap_are_refused_when_configured() -> None:
    SPEC.check_bounds()
    with pytest.raises(OutOfBounds, match="max price"):
        replace(SPEC, max_quantity=Decimal("1000000")).check_bounds()
    with pytest.raises(InexactValue, match="finer than the price scale"):
        replace(SPEC, tick_size=Decimal("0.00001")).check_bounds()
    with pytest.raises(InexactValue, match="price unit x lot"):
        replace(SPEC, cash_scale=6).check_bounds()


def test_what_passes_the_bounds_fits_an_int64_twice_over() -> None:
    largest = SPEC.notional(SPEC.max_price, SPEC.max_quantity)
    assert 2 * SPEC.cash_units(largest) < 2**63
