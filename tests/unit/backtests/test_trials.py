from __future__ import annotations

import math

import numpy as np
import pytest

from apps.backtests.domain.overfitting import SharpeStatistics, probabilistic_sharpe
from apps.backtests.domain.trials import (
    Family,
    RunPurpose,
    Trial,
    average_correlation,
    counts_as_trial,
    effective_trials,
    summarise_families,
)
from apps.core.errors import InvalidInput
from tests.unit.backtests.seeds import fresh_generator

MOMENTUM = Family("momentum", "SPX", "1d")
FORECAST = Family("forecast", "SPX", "1d")


def trial(family: Family, fingerprint: str, sharpe: float) -> Trial:
    return Trial(family, fingerprint, sharpe, observations=500)


@pytest.mark.parametrize("purpose", list(RunPurpose))
def test_only_searches_with_a_result_count(purpose: RunPurpose) -> None:
    searches = {RunPurpose.SINGLE, RunPurpose.SWEEP, RunPurpose.WALK_FORWARD, RunPurpose.WHAT_IF}
    assert counts_as_trial(purpose, has_result=True) is (purpose in searches)
    assert counts_as_trial(purpose, has_result=False) is False


def test_families_are_kept_apart_and_a_repeated_configuration_counts_once() -> None:
    ledger = [
        trial(MOMENTUM, "a", 0.05),
        trial(FORECAST, "a", 0.02),
        trial(MOMENTUM, "b", 0.01),
        trial(MOMENTUM, "a", 0.03),
        trial(MOMENTUM, "c", float("nan")),
    ]
    forecast, momentum = summarise_families(ledger)
    assert (forecast.family, forecast.runs, forecast.trials, forecast.effective) == (FORECAST, 1, 1, 1.0)
    assert (momentum.family, momentum.runs, momentum.trials, momentum.effective) == (MOMENTUM, 4, 3, 3.0)
    assert momentum.sharpe_variance == pytest.approx(0.0002)
    assert momentum.best_sharpe == 0.03
    assert forecast.luck == 0.0


def test_every_further_trial_makes_the_judgement_stricter() -> None:
    statistics = SharpeStatistics(0.1, 0.0, 3.0, 500)
    judged = []
    for count in (1, 5, 50):
        (family,) = summarise_families([trial(MOMENTUM, str(n), 0.05 * (-1) ** n) for n in range(count)])
        judged.append(family.deflate(statistics))
    assert judged[0] == probabilistic_sharpe(statistics)
    assert judged == sorted(judged, reverse=True)


def test_copies_are_one_trial_and_independent_ones_are_many() -> None:
    source = fresh_generator()
    column = source.standard_normal(300)
    assert effective_trials(np.column_stack([column, 2 * column, column + 1])) == pytest.approx(1.0)
    assert effective_trials(source.standard_normal((5000, 40))) == pytest.approx(40, rel=0.05)
    assert effective_trials(np.column_stack([column, -column])) == 2.0, "opposites are no fewer than independent ones"


def test_the_average_correlation_is_the_mean_of_the_matrix() -> None:
    matrix = fresh_generator().standard_normal((200, 6)) @ np.triu(np.ones((6, 6)))
    table = np.corrcoef(matrix, rowvar=False)
    assert average_correlation(matrix) == pytest.approx((table.sum() - 6) / 30)


def test_returns_scale_to_the_whole_family() -> None:
    column = np.sin(np.arange(50.0))
    ledger = [trial(MOMENTUM, str(n), 0.01 * n) for n in range(100)]
    (family,) = summarise_families(ledger, returns={MOMENTUM: np.column_stack([column, column])})
    assert family.trials == 100
    assert family.effective == pytest.approx(1.0)


def test_a_family_that_never_traded_has_no_best() -> None:
    (family,) = summarise_families([trial(MOMENTUM, "a", float("nan"))])
    assert math.isnan(family.best_sharpe)


def test_correlation_needs_two_trials() -> None:
    with pytest.raises(InvalidInput, match="two trials"):
        average_correlation(np.ones((10, 1)))
