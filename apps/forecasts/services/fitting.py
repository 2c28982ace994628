"""Fitting every learner on one dataset and judging it on purged folds. No database: arrays in, candidates out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.core.errors import InvalidInput
from apps.forecasts.domain.calibration import Calibration, calibrate
from apps.forecasts.domain.dataset import MINIMUM_ROWS, Dataset
from apps.forecasts.domain.evaluation import Evaluation, HeldOut, evaluate, joined
from apps.forecasts.domain.promotion import judge
from apps.forecasts.domain.splits import purged_folds
from apps.forecasts.learners import BASELINE, LEARNERS, new_learner

FOLDS = 5
EMBARGO_ROWS = 5
SEED = 20_261_120
"""One seed for all: what a model is depends on its data alone."""


@dataclass(frozen=True)
class Candidate:
    """A learner fitted on all rows, with what its held-out predictions say about it."""

    learner: str
    label: str
    is_baseline: bool
    evaluation: Evaluation
    calibration: Calibration
    artifact: str
    importance: dict[str, float]
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Contest:
    """All candidates of one dataset, the champion's learner and the reason for the choice."""

    candidates: tuple[Candidate, ...]
    champion: str
    reason: str


def fit_all(dataset: Dataset, *, seed: int = SEED) -> Contest:
    """Fit and compare all learners; the same dataset and seed give the same contest, bit for bit.

    Raises InvalidInput if there are too few rows.
    """
    if len(dataset) < MINIMUM_ROWS:
        raise InvalidInput(f"{len(dataset)} labelled bars are too few, {MINIMUM_ROWS} are needed.", where="rows")
    baseline = held_out_predictions(dataset, BASELINE, seed=seed)
    candidates = tuple(_candidate(dataset, name, baseline, seed) for name in LEARNERS)
    return _choose(candidates)


def held_out_predictions(dataset: Dataset, learner_name: str, *, seed: int) -> list[HeldOut]:
    """Predictions of every test block by a learner that was trained on rows well before it."""
    blocks: list[HeldOut] = []
    for fold in purged_folds(len(dataset), folds=FOLDS, horizon_bars=dataset.horizon_bars, embargo=EMBARGO_ROWS):
        learner = new_learner(learner_name)
        learner.fit(dataset.rows(0, fold.train_stop), seed=seed)
        test = dataset.rows(fold.test_start, fold.test_stop)
        blocks.append(HeldOut(learner.predict(test.features, test.scales), test.labels, test.scales))
    return blocks


def _candidate(dataset: Dataset, name: str, baseline: list[HeldOut], seed: int) -> Candidate:
    blocks = baseline if name == BASELINE else held_out_predictions(dataset, name, seed=seed)
    everything = joined(blocks)
    learner = new_learner(name)
    learner.fit(dataset, seed=seed)
    return Candidate(
        learner=name,
        label=learner.label,
        is_baseline=learner.is_baseline,
        evaluation=evaluate(blocks, baseline, horizon_bars=dataset.horizon_bars),
        calibration=calibrate(everything.predictions, everything.labels, everything.scales, scale_floor=dataset.scale_floor),
        artifact=learner.to_text(),
        importance=learner.importance(),
        parameters=learner.parameters(),
    )


def _choose(candidates: tuple[Candidate, ...]) -> Contest:
    """The promoted learner with the largest skill, else the baseline."""
    verdicts = {item.learner: judge(item.evaluation, label=item.label) for item in candidates if not item.is_baseline}
    promoted = [item for item in candidates if not item.is_baseline and verdicts[item.learner].is_promoted]
    if promoted:
        best = max(promoted, key=lambda item: item.evaluation.skill)
        return Contest(candidates, best.learner, verdicts[best.learner].reason)
    reasons = " ".join(verdict.reason for verdict in verdicts.values())
    return Contest(candidates, BASELINE, f"The naive baseline stays: {reasons}")
