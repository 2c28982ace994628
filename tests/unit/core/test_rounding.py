"""Rounding: to the grid, by less than a step, never in the trader's favour by accident."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.core.rounding import (
    Rounding,
    muldiv,
    round_fee,
    round_limit_price,
    round_quantity,
    round_to_step,
    round_trade_price,
)
from apps.core.vocabulary import Side

values = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=10)
steps = st.sampled_from(
    [Decimal("0.01"), Decimal("0.05"), Decimal(1), Decimal("0.25"), Decimal("0.00000001"), Decimal(100), Decimal("0.003")]
)
integers = st.integers(-(2**61), 2**61)


@given(values, steps, st.sampled_from(Rounding))
def test_the_result_is_on_the_grid_and_less_than_a_step_away(value: Decimal, step: Decimal, rounding: Rounding) -> None:
    rounded = round_to_step(value, step, rounding)
    assert rounded % step == 0
    assert abs(rounded - value) < step
    assert round_to_step(rounded, step, rounding) == rounded


@given(values, steps)
def test_down_and_up_enclose_the_value(value: Decimal, step: Decimal) -> None:
    down, up = round_to_step(value, step, Rounding.DOWN), round_to_step(value, step, Rounding.UP)
    assert down <= value <= up
    assert (up - down == step) == (value % step != 0)
    nearest = round_to_step(value, step, Rounding.HALF_EVEN)
    assert nearest in (down, up)
    assert abs(nearest - value) * 2 <= step


def test_halves_go_to_the_even_step() -> None:
    assert [round_to_step(Decimal(text), Decimal(1), Rounding.HALF_EVEN) for text in ("0.5", "1.5", "2.5", "-0.5", "-1.5")] == [
        0,
        2,
        2,
        0,
        -2,
    ]


@given(values.filter(lambda value: value >= 0), steps)
def test_quantities_and_fees_never_favour_the_trader(value: Decimal, step: Decimal) -> None:
    assert round_quantity(value, step) <= value
    assert round_fee(value, step) >= value
    assert round_limit_price(value, step, Side.BUY) <= value <= round_limit_price(value, step, Side.SELL)
    assert round_trade_price(value, step, Side.SELL) <= value <= round_trade_price(value, step, Side.BUY)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity")])
def test_nonsense_is_refused(value: Decimal) -> None:
    with pytest.raises(InvalidInput):
        round_to_step(value, Decimal(1), Rounding.DOWN)
    with pytest.raises(InvalidInput):
        round_to_step(Decimal(1), value, Rounding.DOWN)
    for step in (Decimal(0), Decimal(-1)):
        with pytest.raises(InvalidInput, match="must be positive"):
            round_to_step(Decimal(1), step, Rounding.DOWN)


@given(integers, integers, st.integers(1, 2**61))
def test_muldiv_is_the_exact_quotient_rounded_as_asked(left: int, right: int, divisor: int) -> None:
    exact = Fraction(left * right, divisor)
    down, up = (muldiv(left, right, divisor, rounding) for rounding in (Rounding.DOWN, Rounding.UP))
    assert down <= exact <= up
    assert up - down == (0 if exact.denominator == 1 else 1)
    assert muldiv(left, right, divisor, Rounding.HALF_EVEN) == round(exact)


def test_muldiv_refuses_a_divisor_that_is_not_positive() -> None:
    for divisor in (0, -3):
        with pytest.raises(InvalidInput, match="divisor"):
            muldiv(1, 1, divisor, Rounding.DOWN)
