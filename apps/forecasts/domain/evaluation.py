"""Out-of-sample figures. Errors are measured in units of each bar's scale, so that one crisis does not decide alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from apps.forecasts.domain.calibration import COVERAGE, residual_quantiles
from apps.forecasts.domain.series import FloatArray


@dataclass(frozen=True)
class HeldOut:
    """Predictions of one test block by a model that has not seen it, with what came true (log returns) and the scales."""

    predictions: FloatArray
    labels: FloatArray
    scales: FloatArray

    @property
    def residuals(self) -> FloatArray:
        """Errors in units of the scale."""
        return (self.labels - self.predictions) / self.scales


@dataclass(frozen=True)
class Evaluation:
    """How a learner did on all held-out blocks. `None` where a figure is not defined (a constant prediction has no correlation)."""

    rows: int
    rmse: float
    baseline_rmse: float
    fold_skill: tuple[float, ...]
    information_coefficient: float | None
    edge_t: float | None
    hit_rate: float | None
    coverage: float | None

    @property
    def skill(self) -> float:
        """Mean over the folds of 1 - squared error / squared error of the baseline; 0 for the baseline itself."""
        return float(np.mean(self.fold_skill))


def joined(blocks: list[HeldOut]) -> HeldOut:
    """All blocks as one."""
    return HeldOut(
        np.concatenate([block.predictions for block in blocks]),
        np.concatenate([block.labels for block in blocks]),
        np.concatenate([block.scales for block in blocks]),
    )


def evaluate(blocks: list[HeldOut], baseline: list[HeldOut], *, horizon_bars: int) -> Evaluation:
    """Figures of a learner beside a baseline on the same blocks."""
    everything, reference = joined(blocks), joined(baseline)
    departures = (everything.predictions - reference.predictions) / everything.scales
    return Evaluation(
        rows=len(everything.labels),
        rmse=_root_mean_square(everything.labels - everything.predictions),
        baseline_rmse=_root_mean_square(reference.labels - reference.predictions),
        fold_skill=tuple(_skill(block, other) for block, other in zip(blocks, baseline, strict=True)),
        information_coefficient=rank_correlation(departures, reference.residuals),
        edge_t=edge_statistic(departures, reference.residuals, horizon_bars=horizon_bars),
        hit_rate=_hit_rate(everything),
        coverage=_coverage(blocks),
    )


def _root_mean_square(errors: FloatArray) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def _skill(block: HeldOut, baseline: HeldOut) -> float:
    error, reference = float(np.sum(block.residuals**2)), float(np.sum(baseline.residuals**2))
    return 1.0 - error / reference if reference > 0 else 0.0


def edge_statistic(departures: FloatArray, baseline_residuals: FloatArray, *, horizon_bars: int) -> float | None:
    """Clark and West's t: do a learner's departures from the baseline point where the baseline then errs?

    The mean of departure x residual in standard errors. Nothing is centred within a block: a centred correlation of slowly moving
    predictions rewards mean reversion even in pure noise. Overlapping labels count as rows / horizon independent ones.
    """
    gains = departures * baseline_residuals
    spread = float(np.std(gains))
    return float(np.mean(gains)) / spread * sqrt(len(gains) / horizon_bars) if spread > 0 else None


def rank_correlation(left: FloatArray, right: FloatArray) -> float | None:
    """Spearman's correlation with mean ranks for ties; None if either side is constant."""
    first, second = _ranks(left), _ranks(right)
    spread = float(np.sqrt(np.sum(first**2) * np.sum(second**2)))
    return float(np.sum(first * second)) / spread if spread > 0 else None


def _ranks(values: FloatArray) -> FloatArray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    ranks: FloatArray = mean_rank[inverse]
    centred: FloatArray = ranks - ranks.mean()
    return centred


def _hit_rate(block: HeldOut) -> float | None:
    """Share of moves whose sign was right, of bars that moved and predictions that took a side."""
    counted = (block.labels != 0) & (block.predictions != 0)
    return float(np.mean(np.sign(block.labels[counted]) == np.sign(block.predictions[counted]))) if counted.any() else None


def _coverage(blocks: list[HeldOut]) -> float | None:
    """Share of outcomes inside the interval, each block judged by quantiles of the blocks before it."""
    inside: list[FloatArray] = []
    for number in range(1, len(blocks)):
        low, high = residual_quantiles(joined(blocks[:number]).residuals, COVERAGE)
        residuals = blocks[number].residuals
        inside.append(((residuals >= low) & (residuals <= high)).astype(np.float64))
    return float(np.mean(np.concatenate(inside))) if inside else None
