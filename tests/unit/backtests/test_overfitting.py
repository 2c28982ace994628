"""The published worked examples, and what the tests say of pure noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from apps.backtests.domain.overfitting import (
    Correction,
    SharpeStatistics,
    correct_p_values,
    deflated_sharpe,
    expected_maximum,
    expected_maximum_sharpe,
    haircut,
    haircuts,
    minimum_backtest_years,
    minimum_track_record,
    probabilistic_sharpe,
)
from apps.core.errors import InvalidInput
from tests.unit.backtests.seeds import fresh_generator


def normal(sharpe: float, observations: int) -> SharpeStatistics:
    return SharpeStatistics(sharpe, skewness=0.0, kurtosis=3.0, observations=observations)


def test_the_hedge_fund_of_the_sharpe_ratio_efficient_frontier() -> None:
    fund = SharpeStatistics(sharpe=0.458, skewness=-2.448, kurtosis=10.164, observations=24)
    assert round(probabilistic_sharpe(normal(0.458, 24)), 3) == 0.982
    assert round(probabilistic_sharpe(fund), 3) == 0.913
    assert round(probabilistic_sharpe(fund, benchmark=1 / math.sqrt(12)), 3) == 0.693


@pytest.mark.parametrize(("bars_per_year", "years"), [(250, 2.73), (52, 2.83), (12, 3.24)])
def test_the_years_until_an_annual_sharpe_of_two_is_surely_above_one(bars_per_year: int, years: float) -> None:
    root = math.sqrt(bars_per_year)
    assert round(minimum_track_record(normal(2 / root, 100), benchmark=1 / root) / bars_per_year, 2) == years


def test_the_minimum_track_record_is_where_the_probability_reaches_the_confidence() -> None:
    shape = SharpeStatistics(sharpe=0.1, skewness=-1.5, kurtosis=8.0, observations=2)
    bars = minimum_track_record(shape, confidence=0.95)
    assert probabilistic_sharpe(SharpeStatistics(0.1, -1.5, 8.0, math.ceil(bars))) >= 0.95
    assert probabilistic_sharpe(SharpeStatistics(0.1, -1.5, 8.0, math.floor(bars))) < 0.95


def test_a_sharpe_below_the_benchmark_never_has_a_long_enough_record() -> None:
    assert minimum_track_record(normal(0.1, 50), benchmark=0.1) == math.inf


@pytest.mark.parametrize(
    ("trials", "skewness", "kurtosis", "probability"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_the_worked_example_of_the_deflated_sharpe_ratio(trials: int, skewness: float, kurtosis: float, probability: float) -> None:
    statistics = SharpeStatistics(2.5 / math.sqrt(250), skewness, kurtosis, 1250)
    assert round(deflated_sharpe(statistics, trials=trials, sharpe_variance=0.5 / 250), 4) == probability


def test_the_threshold_of_that_example() -> None:
    assert round(expected_maximum_sharpe(trials=100, sharpe_variance=0.5 / 250), 4) == 0.1132


def test_five_years_bear_at_most_forty_five_configurations() -> None:
    assert round(expected_maximum(10), 2) == 1.57
    assert minimum_backtest_years(trials=45, annual_sharpe=1.0) < 5 < minimum_backtest_years(trials=46, annual_sharpe=1.0)


def test_one_trial_needs_no_deflation_and_more_trials_never_help() -> None:
    statistics = normal(0.1, 500)
    assert deflated_sharpe(statistics, trials=1, sharpe_variance=0.01) == probabilistic_sharpe(statistics)
    deflated = [deflated_sharpe(statistics, trials=trials, sharpe_variance=0.002) for trials in (1, 1.5, 2, 3, 10, 1000)]
    assert deflated == sorted(deflated, reverse=True)


def test_the_expected_maximum_is_what_simulation_finds() -> None:
    source = fresh_generator()
    found = source.standard_normal((20_000, 50)).max(axis=1).mean()
    assert abs(found - expected_maximum(50)) < 0.05


def test_the_haircut_of_backtesting_by_harvey_and_liu() -> None:
    cut = haircut(0.75 / math.sqrt(12), observations=240, trials=200)
    assert round(cut.p_value, 4) == 0.0008
    assert round(cut.corrected_p_value, 2) == 0.15
    assert round(cut.corrected_sharpe * math.sqrt(12), 2) == 0.32
    assert round(cut.share, 2) == 0.57


def test_the_six_tests_of_harvey_and_liu() -> None:
    p_values = [0.005, 0.009, 0.0128, 0.0135, 0.045, 0.06]
    assert correct_p_values(p_values, Correction.BONFERRONI) == pytest.approx([0.03, 0.054, 0.0768, 0.081, 0.27, 0.36])
    assert correct_p_values(p_values, Correction.HOLM) == pytest.approx([0.03, 0.045, 0.0512, 0.0512, 0.09, 0.09])
    assert correct_p_values(p_values, Correction.BENJAMINI_YEKUTIELI)[:4] == pytest.approx([0.049613] * 4, abs=1e-6)


@pytest.mark.parametrize(
    ("correction", "method"),
    [
        (Correction.BONFERRONI, "bonferroni"),
        (Correction.HOLM, "holm"),
        (Correction.BENJAMINI_YEKUTIELI, "fdr_by"),
        (Correction.INDEPENDENT, "sidak"),
    ],
)
def test_corrections_agree_with_statsmodels(correction: Correction, method: str) -> None:
    p_values = fresh_generator().random(40) ** 3
    assert correct_p_values(p_values, correction) == pytest.approx(multipletests(p_values, method=method)[1], rel=1e-9)


def test_a_family_of_haircuts_keeps_the_sign_and_never_adds() -> None:
    for cut in haircuts([0.3, -0.2, 0.05], observations=120, correction=Correction.HOLM):
        assert abs(cut.corrected_sharpe) <= abs(cut.sharpe)
        assert cut.corrected_sharpe * cut.sharpe >= 0


def test_moments_are_those_of_the_returns() -> None:
    statistics = SharpeStatistics.of([0.01, 0.01, 0.01, -0.03])
    assert statistics.observations == 4
    assert statistics.sharpe == 0.0
    assert statistics.skewness == pytest.approx(-2 / math.sqrt(3))
    assert statistics.kurtosis == pytest.approx(7 / 3)


def test_returns_that_never_move_have_no_sharpe() -> None:
    flat = SharpeStatistics.of([0.001] * 10)
    assert math.isnan(flat.sharpe)
    assert math.isnan(probabilistic_sharpe(flat))
    assert math.isnan(minimum_track_record(flat))


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(InvalidInput, match="position 1"):
        SharpeStatistics.of([0.1, float("nan"), 0.2])
    with pytest.raises(InvalidInput, match="at least one trial"):
        expected_maximum(0.5)
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        minimum_track_record(normal(0.1, 10), confidence=1.0)
    with pytest.raises(InvalidInput, match="p-value"):
        correct_p_values([0.1, 1.2], Correction.HOLM)


def test_on_pure_noise_the_best_of_fifty_is_rarely_called_skill() -> None:
    source = fresh_generator()
    found = []
    for _ in range(400):
        trials = source.standard_normal((250, 50)) * 0.01
        sharpes = trials.mean(axis=0) / trials.std(axis=0, ddof=1)
        best = SharpeStatistics.of(trials[:, sharpes.argmax()])
        found.append((probabilistic_sharpe(best), deflated_sharpe(best, trials=50, sharpe_variance=float(sharpes.var(ddof=1)))))
    believed, deflated = np.array(found).T
    assert (believed > 0.95).mean() > 0.8, "without deflation nearly every search finds something"
    assert (deflated > 0.95).mean() < 0.1
    assert 0.35 < np.median(deflated) < 0.65


def test_a_real_edge_survives_deflation() -> None:
    source = fresh_generator()
    survived = 0
    for _ in range(50):
        trials = source.standard_normal((1000, 20)) * 0.01
        trials[:, 7] += 0.002
        sharpes = trials.mean(axis=0) / trials.std(axis=0, ddof=1)
        assert sharpes.argmax() == 7
        best = SharpeStatistics.of(trials[:, 7])
        others = float(np.delete(sharpes, 7).var(ddof=1))
        survived += deflated_sharpe(best, trials=20, sharpe_variance=others) > 0.95
    assert survived >= 45
