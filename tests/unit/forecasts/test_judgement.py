"""Metrics, calibration and the promotion rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.forecasts.domain.calibration import (
    COVERAGE,
    LARGEST_SLOPE,
    Calibration,
    calibrate,
    outlook,
    probability_slope,
    residual_quantiles,
)
from apps.forecasts.domain.evaluation import Evaluation, HeldOut, edge_statistic, evaluate, rank_correlation
from apps.forecasts.domain.promotion import judge

PLAIN = Calibration(coverage=0.8, lower=-1.3, upper=1.2, slope=1.7, rows=1_000, scale_floor=0.001)


def block(predictions: object, labels: object) -> HeldOut:
    values = np.asarray(predictions, np.float64)
    return HeldOut(values, np.asarray(labels, np.float64), np.full(len(values), 0.5))


def evaluation(skill: float, t_value: float | None) -> Evaluation:
    return Evaluation(1_000, 0.01, 0.011, (skill, skill), None if t_value is None else 0.05, t_value, 0.5, 0.8)


def test_figures_of_a_perfect_and_a_constant_prediction() -> None:
    labels = np.array([0.01, -0.02, 0.03, -0.04, 0.05, -0.06])
    perfect, constant = [block(labels, labels)], [block(np.zeros(6), labels)]
    result = evaluate(perfect, constant, horizon_bars=1)
    assert (result.rmse, result.skill, result.hit_rate) == (0.0, 1.0, 1.0)
    assert result.baseline_rmse == pytest.approx(np.sqrt(np.mean(labels**2)))
    assert result.information_coefficient == pytest.approx(1.0)
    baseline = evaluate(constant, constant, horizon_bars=1)
    assert baseline.skill == 0.0
    assert baseline.information_coefficient is None and baseline.edge_t is None and baseline.hit_rate is None


def test_rank_correlation_shares_ranks_between_ties() -> None:
    assert rank_correlation(np.array([1.0, 1.0, 2.0]), np.array([1.0, 1.0, 9.0])) == pytest.approx(1.0)
    assert rank_correlation(np.ones(5), np.arange(5.0)) is None


def test_the_edge_is_positive_where_departures_point_at_the_baseline_error() -> None:
    random = np.random.default_rng(8)
    errors = random.normal(size=2_000)
    good, noise = 0.1 * errors + random.normal(size=2_000), random.normal(size=2_000)
    assert (edge_statistic(good, errors, horizon_bars=1) or 0) > 3
    assert abs(edge_statistic(noise, errors, horizon_bars=1) or 9) < 2.5
    assert edge_statistic(np.zeros(2_000), errors, horizon_bars=1) is None
    assert (edge_statistic(good, errors, horizon_bars=5) or 0) == pytest.approx(
        (edge_statistic(good, errors, horizon_bars=1) or 0) / 5**0.5
    )


def test_coverage_is_judged_by_earlier_blocks() -> None:
    random = np.random.default_rng(21)
    blocks = [block(np.zeros(400), random.normal(0, 0.5, 400)) for _ in range(5)]
    coverage = evaluate(blocks, blocks, horizon_bars=1).coverage
    assert coverage is not None and abs(coverage - COVERAGE) < 0.04
    assert evaluate(blocks[:1], blocks[:1], horizon_bars=1).coverage is None


def test_residual_quantiles_hold_the_nominal_share() -> None:
    random = np.random.default_rng(3)
    low, high = residual_quantiles(random.normal(size=5_000), 0.8)
    fresh = random.normal(size=20_000)
    assert abs(((fresh >= low) & (fresh <= high)).mean() - 0.8) < 0.02
    assert residual_quantiles(np.array([0.3]), 0.8) == (0.0, 0.3)


def test_probability_is_calibrated_on_the_held_out_signs() -> None:
    random = np.random.default_rng(4)
    scores = random.normal(0, 0.5, 40_000)
    labels = np.where(random.random(40_000) < 1 / (1 + np.exp(-1.2 * scores)), 1.0, -1.0)
    assert probability_slope(scores, labels) == pytest.approx(1.2, abs=0.05)


def test_a_model_whose_sign_was_no_better_than_a_coin_has_confidence_one_half() -> None:
    random = np.random.default_rng(5)
    scores = random.normal(size=2_000)
    made = calibrate(scores, -scores, np.ones(2_000), scale_floor=1e-6)
    assert made.slope == 0.0
    assert outlook(0.05, 0.01, made).confidence == 0.5
    assert probability_slope(scores, np.zeros(2_000)) == 0.0
    assert probability_slope(scores, scores) == LARGEST_SLOPE


@given(first=st.floats(-1, 1), second=st.floats(-1, 1), scale=st.floats(1e-6, 1))
def test_confidence_grows_with_the_size_of_the_expected_return(first: float, second: float, scale: float) -> None:
    one, two = outlook(first, scale, PLAIN), outlook(second, scale, PLAIN)
    for item in (one, two):
        assert item.is_finite
        assert 0.5 <= item.confidence <= 1.0
        assert item.lower <= item.expected_return <= item.upper
        assert item.confidence == max(item.probability_up, 1 - item.probability_up)
    if abs(first) <= abs(second):
        assert one.confidence <= two.confidence


def test_direction_is_flat_inside_a_fiftieth_of_the_interval() -> None:
    assert outlook(0.0, 0.01, PLAIN).direction == 0
    assert outlook(0.0004, 0.01, PLAIN).direction == 0
    assert outlook(0.0006, 0.01, PLAIN).direction == 1
    assert outlook(-0.0006, 0.01, PLAIN).direction == -1


def test_a_number_that_is_not_finite_is_seen() -> None:
    assert not outlook(float("nan"), 0.01, PLAIN).is_finite
    assert not outlook(float("inf"), 0.01, PLAIN).is_finite
    assert not outlook(0.01, float("nan"), PLAIN).is_finite


def test_calibration_reads_back() -> None:
    assert Calibration.from_dict(PLAIN.to_dict()) == PLAIN


@pytest.mark.parametrize(("skill", "t_value", "promoted"), [(0.01, 1.7, True), (0.01, 1.64, False), (0.0, 5.0, False), (0.01, None, False)])
def test_a_learner_is_promoted_only_when_better_and_not_by_luck(skill: float, t_value: float | None, promoted: bool) -> None:
    verdict = judge(evaluation(skill, t_value), label="LightGBM")
    assert verdict.is_promoted is promoted
    assert verdict.reason.startswith("LightGBM") and verdict.reason.endswith(".")


def test_skill_is_the_mean_over_the_folds() -> None:
    assert replace(evaluation(0.0, 1.0), fold_skill=(0.1, -0.3)).skill == pytest.approx(-0.1)
