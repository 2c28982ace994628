"""The rule by which a learner replaces the naive baseline: it must have been better on bars it had not seen, and not by luck.

Both must hold on the purged folds: the mean skill over the naive baseline is above zero, and the edge (`edge_statistic`) is more than
`REQUIRED_T` standard errors above zero (one-sided 5 %). Otherwise the baseline stays, and the forecast strategy does not trade on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.forecasts.domain.evaluation import Evaluation

REQUIRED_T = 1.64


@dataclass(frozen=True)
class Verdict:
    """Whether the learner is promoted, and why, in words."""

    is_promoted: bool
    reason: str


def judge(evaluation: Evaluation, *, label: str) -> Verdict:
    """Compare a learner with the naive baseline it was evaluated against."""
    t_value = evaluation.edge_t if evaluation.edge_t is not None else 0.0
    coefficient = evaluation.information_coefficient if evaluation.information_coefficient is not None else 0.0
    figures = f"skill {evaluation.skill:+.2%}, information coefficient {coefficient:+.3f}, t {t_value:+.2f}"
    if evaluation.skill <= 0:
        return Verdict(False, f"{label} predicts no better than the naive baseline on held-out bars: {figures}.")
    if t_value <= REQUIRED_T:
        return Verdict(False, f"{label}'s edge over the naive baseline may be luck (t must exceed {REQUIRED_T}): {figures}.")
    return Verdict(True, f"{label} beats the naive baseline on held-out bars: {figures}.")
