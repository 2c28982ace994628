"""Features: the same bits in batch and live, no look into the future, clear values on odd windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.errors import Misconfigured
from apps.forecasts.domain.features import FEATURES, WARMUP_BARS, compute_features, latest_features
from apps.forecasts.domain.oscillator_features import MACD_TAPS
from apps.forecasts.domain.registry import declare
from apps.forecasts.domain.series import rolling_deviation, rolling_sum
from tests.factories.windows import COLUMNS, cut, make_window, random_window, real_window

ALL = sorted(FEATURES)


def bits(values: object) -> bytes:
    """Bytes of floats, every NaN alike."""
    array = np.array(values, np.float64)
    array[np.isnan(array)] = np.nan
    return array.tobytes()


def test_at_least_twenty_features_are_declared_in_words() -> None:
    assert len(FEATURES) == 30
    for item in FEATURES.values():
        assert item.description.endswith(".") and item.description[0].isupper()
        assert item.unit and item.inputs
        assert item.warm_up == item.look_back - 1


def test_the_longest_look_back_sets_the_warm_up() -> None:
    assert WARMUP_BARS == 200
    assert max(item.look_back for item in FEATURES.values()) == WARMUP_BARS


def test_a_feature_is_declared_once() -> None:
    with pytest.raises(Misconfigured):
        declare(FEATURES["rsi_14"])
    with pytest.raises(Misconfigured):
        declare(replace(FEATURES["rsi_14"], name="other", look_back=0))


@pytest.mark.parametrize("source", ["random", "sp500", "nasdaq"])
def test_the_last_bar_equals_the_batch_to_the_bit(source: str) -> None:
    window = random_window(1_500, seed=11) if source == "random" else real_window(source, bars=1_500)
    batch = compute_features(window)
    for stop in (*range(1, 450), *range(450, len(window) + 1, 41)):
        last = latest_features(cut(window, 0, stop))
        for name in ALL:
            assert bits([last[name]]) == bits([batch[name][stop - 1]]), (name, stop)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), bars=st.integers(1, 900), volatility=st.sampled_from([0.0, 1e-5, 0.01, 0.3]))
def test_any_window_gives_the_same_last_row(seed: int, bars: int, volatility: float) -> None:
    window = random_window(bars, seed=seed, volatility=volatility)
    batch, last = compute_features(window), latest_features(window)
    for name in ALL:
        assert bits([last[name]]) == bits([batch[name][-1]]), name


@pytest.mark.parametrize("name", ALL)
def test_no_feature_sees_the_future(name: str) -> None:
    window = random_window(600, seed=5)
    whole = compute_features(window)[name]
    for stop in (250, 377, 599):
        assert bits(compute_features(cut(window, 0, stop))[name]) == bits(whole[:stop])
        other = random_window(600, seed=6)
        spliced = replace(
            window, **{column: np.concatenate([getattr(window, column)[:stop], getattr(other, column)[stop:]]) for column in COLUMNS}
        )
        assert bits(compute_features(spliced)[name][:stop]) == bits(whole[:stop])


@pytest.mark.parametrize("name", ALL)
def test_no_feature_depends_on_more_bars_than_declared(name: str) -> None:
    window = random_window(500, seed=9)
    look_back = FEATURES[name].look_back
    needed = cut(window, 500 - look_back, 500)
    assert bits([compute_features(needed)[name][-1]]) == bits([compute_features(window)[name][-1]])
    short = compute_features(cut(window, 500 - look_back + 1, 500))[name] if look_back > 1 else np.empty(0)
    assert np.isnan(short).all()


@pytest.mark.parametrize("name", ALL)
def test_warm_up_is_nan_and_everything_after_is_finite(name: str) -> None:
    values = compute_features(real_window(bars=800))[name]
    warm_up = FEATURES[name].warm_up
    assert np.isnan(values[:warm_up]).all()
    assert np.isfinite(values[warm_up:]).all()


def test_a_constant_price_gives_neutral_values() -> None:
    last = latest_features(make_window(np.full(250, 5_000_000)))
    neutral = {"rsi_14": 50.0, "bollinger_position": 0.5, "range_position_20": 0.5, "range_position_120": 0.5, "volatility_ratio": 1.0}
    for name, value in neutral.items():
        assert last[name] == value, name
    zero = set(ALL) - set(neutral) - {"day_of_week", "month", "aroon_25"}
    assert {name: last[name] for name in zero if abs(last[name]) > 1e-12} == {}
    assert all(np.isfinite(value) for value in last.values())


def test_bars_without_volume_give_constant_volume_features() -> None:
    window = replace(random_window(400, seed=3), volume=np.zeros(400, np.int64))
    result = compute_features(window)
    for name in ("volume_score_20", "volume_trend"):
        assert FEATURES[name].is_constant_without == "volume"
        assert (result[name][FEATURES[name].warm_up :] == 0).all()


def test_closes_only_bars_give_finite_features() -> None:
    window = make_window(random_window(400, seed=4).close)
    assert all(np.isfinite(value) for value in latest_features(window).values())
    assert (compute_features(window)["close_location"] == 0).all()


def test_no_bars_give_no_features() -> None:
    assert latest_features(make_window([])) == {}
    assert all(len(values) == 0 for values in compute_features(make_window([])).values())


def test_unusable_prices_give_nan_and_not_an_exception() -> None:
    closes = random_window(300, seed=8).close.copy()
    closes[-1] = 0
    assert np.isnan(latest_features(make_window(closes))["return_1"]) or np.isinf(latest_features(make_window(closes))["return_1"])


def test_values_agree_with_the_textbook() -> None:
    window = real_window(bars=1_200)
    close = window.close / 1e6
    returns = np.diff(np.log(close))
    last = latest_features(window)
    assert last["return_5"] == pytest.approx(np.log(close[-1] / close[-6]), abs=1e-15)
    assert last["distance_sma_200"] == pytest.approx(close[-1] / close[-200:].mean() - 1, abs=1e-12)
    assert last["volatility_20"] == pytest.approx(returns[-20:].std(), rel=1e-4)
    assert last["volatility_ratio"] == pytest.approx(returns[-20:].std() / returns[-60:].std(), rel=1e-4)
    upper, _, lower = talib.BBANDS(np.log(close), 20, 2, 2)
    assert last["bollinger_position"] == pytest.approx((np.log(close[-1]) - lower[-1]) / (upper[-1] - lower[-1]), abs=1e-4)
    assert last["atr_14"] == pytest.approx(
        talib.SMA(talib.TRANGE(window.high / 1e6, window.low / 1e6, close), 14)[-1] / close[-1], rel=1e-9
    )
    changes = np.diff(close)[-14:]
    assert last["rsi_14"] == pytest.approx(100 * changes[changes > 0].sum() / np.abs(changes).sum(), rel=1e-9)


def test_the_macd_histogram_follows_talib_within_the_weight_of_the_cut() -> None:
    """TA-Lib's averages never forget; ours drop what is older than 120 bars, whose weight is below 10^-4 of the price."""
    window = real_window(bars=1_500)
    close = window.close.astype(np.float64)
    reference = talib.MACD(close)[2] / close
    ours = compute_features(window)["macd_histogram"]
    difference = np.abs(ours - reference)[2 * MACD_TAPS :]
    assert difference.max() < 1e-4
    assert difference.max() < 0.05 * np.abs(reference[2 * MACD_TAPS :]).max()


def test_rolling_sums_are_exact_even_where_the_total_wraps() -> None:
    values = np.full(50, 2**60, np.int64)
    assert (rolling_sum(values, 4)[3:] == 2**62).all()
    assert (rolling_sum(values, 4)[:3] == 0).all()
    assert (rolling_sum(values, 51) == 0).all()


def test_rolling_deviation_is_exactly_zero_for_a_constant() -> None:
    assert (rolling_deviation(np.full(100, 123_456_789, np.int64), 20) == 0).all()


def test_calendar_features_follow_the_opening_day() -> None:
    window = replace(make_window([1, 1]), opened_at=np.array([0, 31 * 86_400_000_000 + 5 * 3_600_000_000]))
    result = compute_features(window)
    assert result["day_of_week"].tolist() == [3.0, 6.0]
    assert result["month"].tolist() == [1.0, 2.0]
    assert result["hour_of_day"].tolist() == [0.0, 5.0]
