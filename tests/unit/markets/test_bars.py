"""Exact conversion between floats and stored units."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InexactValue, InvalidInput
from apps.markets.domain.bars import (
    CandleBatch,
    decimal_of,
    from_micros,
    is_on_grid,
    price_units,
    smallest_scale,
    to_candles,
    to_micros,
    volume_units,
)
from tests.unit.markets.series import daily

SCALES = st.integers(0, 8)


@given(st.integers(1, 2**48 - 1), SCALES)
def test_every_printed_price_converts_to_exactly_its_units(units: int, scale: int) -> None:
    text = format(decimal_of(units, scale), "f")
    assert price_units(np.array([float(text)]), scale).tolist() == [units]


@given(st.integers(1, 10**11), st.integers(0, 7), st.integers(1, 9))
def test_a_price_between_two_units_is_refused(units: int, scale: int, digit: int) -> None:
    between = float(format(decimal_of(units, scale) + Decimal(digit).scaleb(-scale - 1), "f"))
    with pytest.raises(InexactValue):
        price_units(np.array([between]), scale)


def test_the_noise_of_float_arithmetic_is_not_a_decimal_place() -> None:
    assert price_units(np.array([0.016984990000000002, 0.1 + 0.2]), 8).tolist() == [1_698_499, 30_000_000]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2.0**60])
def test_what_is_no_number_or_too_large_is_not_on_the_grid(value: float) -> None:
    assert is_on_grid(np.array([value]), 2).tolist() == [False]


def test_volumes_are_rounded_and_bounded() -> None:
    assert volume_units(np.array([1.25, 0.1 + 0.2]), 1).tolist() == [12, 3]
    with pytest.raises(InvalidInput):
        volume_units(np.array([1e15]), 8)


@given(st.datetimes(datetime(1901, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_times_convert_there_and_back(at: datetime) -> None:
    assert from_micros(to_micros(at)) == at


@pytest.mark.parametrize(("values", "scale"), [([1.0, 2.0], 0), ([1.5], 1), ([0.264, 10.1], 3), ([1e-8], 8)])
def test_the_smallest_scale_holds_every_value(values: list[float], scale: int) -> None:
    assert smallest_scale(np.array(values)) == scale


def test_a_series_with_too_many_places_has_no_scale() -> None:
    with pytest.raises(InexactValue):
        smallest_scale(np.array([1 / 3]))


def test_arrays_of_different_lengths_are_refused() -> None:
    short, long = np.zeros(1, np.int64), np.zeros(2, np.int64)
    with pytest.raises(InvalidInput):
        CandleBatch(short, short, short, short, short, short, short, long)


def test_a_series_becomes_candles_column_by_column() -> None:
    batch = to_candles(daily([100.0, 101.0]), price_scale=2, volume_scale=1)
    assert batch.open.tolist() == [10_000, 10_100]
    assert batch.high.tolist() == [10_100, 10_201]
    assert batch.low.tolist() == [9_900, 9_999]
    assert batch.volume.tolist() == [10_000, 10_000]
    assert len(batch.take(np.array([False, True]))) == 1
