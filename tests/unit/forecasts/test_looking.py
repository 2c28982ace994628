"""A look at a bar of a whole history is the look at the window that ends there, to the bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.forecasts.contracts import ForecastRefusal
from apps.forecasts.domain.features import FEATURES, WARMUP_BARS
from apps.forecasts.domain.looking import SeriesLooks, look_at
from tests.factories.windows import random_window, real_window


@pytest.mark.parametrize("symbol", ["sp500", "nasdaq"])
def test_bars_of_twenty_years_look_the_same_alone_and_in_its_history(symbol: str) -> None:
    window = real_window(symbol)
    looks = SeriesLooks(window)
    for index in range(0, len(window), 7):
        assert looks.at(index) == look_at(window.part(0, index + 1).last(WARMUP_BARS)), index
    assert set(looks.at(len(window) - 1).features) == set(FEATURES)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), bars=st.integers(1, 420))
def test_any_bars_look_the_same_alone_and_in_their_history(seed: int, bars: int) -> None:
    window = random_window(bars, seed=seed)
    looks = SeriesLooks(window)
    for index in {0, bars // 3, bars // 2, bars - 1}:
        assert looks.at(index) == look_at(window.part(0, index + 1))


def test_too_few_bars_are_refused_with_the_features_that_are_known() -> None:
    look = SeriesLooks(random_window(30, seed=1)).at(29)
    assert look.refusal is not None
    assert look.refusal.refusal is ForecastRefusal.WARMING_UP
    assert "volatility_20" in look.features and "distance_sma_200" not in look.features


def test_a_bad_bar_spoils_only_the_windows_that_hold_it() -> None:
    window = random_window(WARMUP_BARS + 60, seed=2)
    low = window.low.copy()
    low[10] = 0
    broken = replace(window, low=low)
    looks = SeriesLooks(broken)
    refusal = looks.at(20).refusal
    assert refusal is not None and refusal.refusal is ForecastRefusal.BAD_DATA
    last = looks.at(len(window) - 1)
    assert last.refusal is None
    assert last == SeriesLooks(window).at(len(window) - 1)
    assert np.array_equal(broken.close, window.close)
