"""The arithmetic of the trial ledger: what was tried, how often, and how many of the tries were really different.

A Sharpe ratio can only be judged by who knows how many others were looked at. So every result that somebody could have picked counts:
each configuration (strategy, instrument, timeframe, parameters, costs) that was evaluated on data, once. What repeats a configuration to
learn more about it (Monte Carlo, stress, a parity replay, a look-ahead check) adds no choice and does not count, nor does a run
without a result. A family is what was searched together: all trials of one strategy on one instrument and timeframe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.overfitting import SharpeStatistics, deflated_sharpe, expected_maximum_sharpe
from apps.core.errors import InvalidInput


class RunPurpose(StrEnum):
    """Why something was simulated."""

    SINGLE = "SINGLE"
    SWEEP = "SWEEP"
    WALK_FORWARD = "WALK_FORWARD"
    MONTE_CARLO = "MONTE_CARLO"
    STRESS = "STRESS"
    REGIMES = "REGIMES"
    PARITY = "PARITY"
    LOOK_AHEAD = "LOOK_AHEAD"
    WHAT_IF = "WHAT_IF"


SEARCHES = frozenset({RunPurpose.SINGLE, RunPurpose.SWEEP, RunPurpose.WALK_FORWARD, RunPurpose.WHAT_IF})
"""Purposes that add a result somebody could pick. A what-if is one: it looks for a better setting on data already seen."""


def counts_as_trial(purpose: RunPurpose, *, has_result: bool) -> bool:
    """Whether a run belongs in the ledger: it searched, and it came to a result (whatever it was)."""
    return has_result and purpose in SEARCHES


@dataclass(frozen=True, order=True)
class Family:
    """What is searched together. An instrument list of a portfolio run is one name, in a fixed order."""

    strategy: str
    instrument: str
    timeframe: str


@dataclass(frozen=True)
class Trial:
    """One configuration that was evaluated: `fingerprint` identifies parameters and costs, `sharpe` is per bar (NaN: it never traded)."""

    family: Family
    fingerprint: str
    sharpe: float
    observations: int


@dataclass(frozen=True)
class FamilyTrials:
    """A family in the ledger. `runs` counts every evaluation, `trials` every different configuration, `effective` the independent ones."""

    family: Family
    runs: int
    trials: int
    effective: float
    sharpe_variance: float
    best_sharpe: float

    @property
    def luck(self) -> float:
        """The Sharpe ratio per bar that the best of as many worthless trials is expected to show."""
        return expected_maximum_sharpe(trials=self.effective, sharpe_variance=self.sharpe_variance)

    def deflate(self, statistics: SharpeStatistics) -> float:
        """The Deflated Sharpe Ratio of a result of this family.

        While fewer than two Sharpe ratios are known their variance is not, and the variance of a worthless strategy's estimate stands in.
        """
        variance = self.sharpe_variance or 1.0 / max(statistics.observations - 1, 1)
        return deflated_sharpe(statistics, trials=self.effective, sharpe_variance=variance)


def summarise_families(trials: Iterable[Trial], *, returns: dict[Family, npt.ArrayLike] | None = None) -> list[FamilyTrials]:
    """The ledger by family, sorted. `returns` may give a family's returns (bars x trials) to measure how many were independent.

    The same configuration tried again counts once (its newest result stands). Without returns every different configuration counts as
    independent, which can only make the judgement stricter.
    """
    grouped: dict[Family, list[Trial]] = {}
    for trial in trials:
        grouped.setdefault(trial.family, []).append(trial)
    return [_summary(family, grouped[family], (returns or {}).get(family)) for family in sorted(grouped)]


def _summary(family: Family, trials: list[Trial], returns: npt.ArrayLike | None) -> FamilyTrials:
    different = {trial.fingerprint: trial.sharpe for trial in trials}
    sharpes = np.array([sharpe for sharpe in different.values() if np.isfinite(sharpe)])
    effective = float(len(different))
    if returns is not None and len(different) > 1:
        effective = effective_trials(returns, count=len(different))
    return FamilyTrials(
        family=family,
        runs=len(trials),
        trials=len(different),
        effective=effective,
        sharpe_variance=sharpe_variance(list(different.values())),
        best_sharpe=float(sharpes.max()) if len(sharpes) else float("nan"),
    )


def average_correlation(returns: npt.ArrayLike) -> float:
    """Mean correlation between different columns (bars x trials). Columns that never move are as independent as can be: 0."""
    matrix = np.asarray(returns, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] < 2 or matrix.shape[1] < 2 or not np.isfinite(matrix).all():
        raise InvalidInput(f"Correlation needs two finite bars of two trials, got shape {matrix.shape}.", where="returns")
    centred = matrix - matrix.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    moving = length > 0
    unit = centred[:, moving] / length[moving]
    count = matrix.shape[1]
    total = float((unit.sum(axis=1) ** 2).sum()) - float(moving.sum())
    return total / float(count * (count - 1))


def effective_trials(returns: npt.ArrayLike, *, count: int | None = None) -> float:
    """How many independent trials `count` trials amount to: rho + (1 - rho) M with the average correlation rho (not below 0).

    M for independent trials, 1 for copies of one. `count` is M where the columns of `returns` are only a sample of the trials.
    Source: Bailey, Lopez de Prado, "The Deflated Sharpe Ratio" (2014), appendix 3.
    """
    correlation = min(max(average_correlation(returns), 0.0), 1.0)
    trials = np.shape(returns)[1] if count is None else count
    return float(correlation + (1.0 - correlation) * trials)


def sharpe_variance(sharpes: Sequence[float]) -> float:
    """Variance (ddof 1) of the trials' Sharpe ratios per bar, leaving out trials that never traded; 0 with fewer than two."""
    known = [sharpe for sharpe in sharpes if np.isfinite(sharpe)]
    return float(np.var(np.array(known), ddof=1)) if len(known) > 1 else 0.0
