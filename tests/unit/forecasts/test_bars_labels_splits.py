"""The gate before features, the labels, and folds that do not leak."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.forecasts.domain.bars import bar_problem
from apps.forecasts.domain.dataset import build_datasets, row_scale
from apps.forecasts.domain.features import FEATURES, WARMUP_BARS
from apps.forecasts.domain.labels import forward_log_return
from apps.forecasts.domain.splits import purged_folds
from tests.factories.windows import cut, make_window, random_window, real_window


def test_good_bars_have_no_problem() -> None:
    assert bar_problem(random_window(100, seed=1)) == ""
    assert bar_problem(make_window([])) == ""
    assert bar_problem(real_window()) == ""


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [
        ("close", 0, "close price is zero or negative"),
        ("open", -5, "open price is zero or negative"),
        ("high", 1, "do not enclose"),
        ("low", 10**12, "do not enclose"),
        ("volume", -1, "Volume is negative"),
        ("closed_at", 0, "does not move forward"),
    ],
)
def test_bad_bars_are_named(column: str, value: int, part: str) -> None:
    window = random_window(30, seed=2)
    values = getattr(window, column).copy()
    values[20] = value
    assert part in bar_problem(replace(window, **{column: values}))


def test_values_that_are_not_whole_numbers_are_named() -> None:
    window = random_window(30, seed=2)
    broken = window.close.astype(np.float64)
    broken[-1] = np.nan
    assert "close values are not whole numbers" in bar_problem(replace(window, close=broken))  # type: ignore[arg-type]


def test_columns_of_different_length_are_named() -> None:
    window = random_window(30, seed=2)
    assert "different lengths" in bar_problem(replace(window, high=window.high[1:]))


def test_labels_are_the_return_to_the_bar_ahead() -> None:
    window = make_window([100, 110, 121, 121])
    labels = forward_log_return(window, 2)
    assert labels[0] == pytest.approx(np.log(1.21))
    assert labels[1] == pytest.approx(np.log(1.1))
    assert np.isnan(labels[2:]).all()
    assert np.isnan(forward_log_return(window, 4)).all()


def test_a_dataset_holds_only_rows_whose_features_and_label_are_known() -> None:
    window = random_window(700, seed=3)
    for horizon, dataset in build_datasets(window, (1, 5)).items():
        assert len(dataset) == 700 - (WARMUP_BARS - 1) - horizon
        assert dataset.names == tuple(FEATURES)
        assert dataset.features.shape == (len(dataset), len(FEATURES))
        assert np.isfinite(dataset.features).all() and np.isfinite(dataset.labels).all() and (dataset.scales > 0).all()
        assert dataset.closed_at[-1] == window.closed_at[-1 - horizon]


def test_the_dataset_hash_follows_the_bytes() -> None:
    window = random_window(600, seed=3)
    first = build_datasets(window, (1,))[1]
    assert first.content_hash() == build_datasets(window, (1,))[1].content_hash()
    assert first.content_hash() != build_datasets(window, (2,))[2].content_hash()
    labels = first.labels.copy()
    labels[7] = np.nextafter(labels[7], 1)
    assert first.content_hash() != replace(first, labels=labels).content_hash()


def test_a_market_that_stood_still_is_not_taken_for_certain() -> None:
    """Months without a move have no volatility; their scale is a quarter of the usual one, not zero."""
    window = random_window(900, seed=12)
    closes = window.close.copy()
    closes[400:700] = closes[400]
    dataset = build_datasets(make_window(closes), (1,))[1]
    assert dataset.scales.min() == dataset.scale_floor > 0.0005
    still = {"volatility_20": 0.0, "volatility_60": 0.0}
    assert row_scale(still, 1, floor=dataset.scale_floor) == dataset.scale_floor
    constant = build_datasets(make_window(np.full(900, 5_000_000)), (1,))[1]
    assert (constant.scales == 1e-6).all() and (constant.labels == 0).all()


def test_a_short_window_gives_an_empty_dataset() -> None:
    assert len(build_datasets(cut(random_window(600, seed=3), 0, 150), (1,))[1]) == 0


@given(rows=st.integers(200, 4_000), horizon=st.integers(1, 20), embargo=st.integers(0, 20), folds=st.integers(1, 8))
def test_no_training_label_reaches_into_its_test_block(rows: int, horizon: int, embargo: int, folds: int) -> None:
    made = list(purged_folds(rows, folds=folds, horizon_bars=horizon, embargo=embargo))
    assert len(made) == folds
    for fold in made:
        last_label_ends_at = fold.train_stop - 1 + horizon
        assert fold.train_stop > 0
        assert last_label_ends_at + embargo < fold.test_start < fold.test_stop
    assert made[-1].test_stop == rows
    assert all(one.test_stop == two.test_start for one, two in pairwise(made))


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(InvalidInput):
        list(purged_folds(20, folds=5, horizon_bars=5, embargo=5))
    with pytest.raises(InvalidInput):
        list(purged_folds(1_000, folds=0, horizon_bars=5, embargo=5))
