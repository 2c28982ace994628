"""From a predicted return to an interval, a probability and a confidence, all learned from held-out bars.

* The interval is conformal: the prediction plus the residual quantiles of held-out bars, in units of the bar's scale (so it widens with
  volatility).
* z = expected return / scale. The probability of a rise is 1 / (1 + exp(-slope * z)), with the one slope >= 0 that fits the held-out
  signs best; a model whose sign was no better than a coin gets slope 0.
* Confidence is the probability of the likelier side, max(p, 1 - p): 0.5 is a coin flip, 1 is certain, and it grows with |z|.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import exp, floor
from typing import Any

import numpy as np

from apps.forecasts.domain.series import FloatArray

COVERAGE = 0.8
"""Nominal share of outcomes inside the interval."""
LARGEST_SLOPE = 5.0
FLAT_SHARE = 0.02
"""An expected return below this share of the interval's width is no direction."""


@dataclass(frozen=True)
class Calibration:
    """What held-out bars say about a model's errors; `lower` and `upper` are residual quantiles in units of the scale, which is never
    below `scale_floor`."""

    coverage: float
    lower: float
    upper: float
    slope: float
    rows: int
    scale_floor: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        return cls(
            coverage=float(values["coverage"]),
            lower=float(values["lower"]),
            upper=float(values["upper"]),
            slope=float(values["slope"]),
            rows=int(values["rows"]),
            scale_floor=float(values["scale_floor"]),
        )


@dataclass(frozen=True)
class Outlook:
    """A prediction with how far it can be trusted. Returns are log returns over the horizon; `direction` is 1, 0 or -1."""

    expected_return: float
    lower: float
    upper: float
    coverage: float
    probability_up: float
    confidence: float
    direction: int

    @property
    def is_finite(self) -> bool:
        values = (self.expected_return, self.lower, self.upper, self.probability_up, self.confidence)
        return bool(np.isfinite(values).all())


def residual_quantiles(residuals: FloatArray, coverage: float) -> tuple[float, float]:
    """Order statistics that hold `coverage` of exchangeable new residuals, with the finite-sample correction; always around zero."""
    ordered = np.sort(residuals)
    tail = max(floor((len(ordered) + 1) * (1 - coverage) / 2 + 1e-9) - 1, 0)
    return min(float(ordered[tail]), 0.0), max(float(ordered[len(ordered) - 1 - tail]), 0.0)


def probability_slope(scores: FloatArray, labels: FloatArray) -> float:
    """The slope >= 0 of maximum likelihood for sign(label) given the score; the derivative falls, so bisection finds it."""
    moved = labels != 0
    margins = np.sign(labels[moved]) * scores[moved]

    def gain(slope: float) -> float:
        return float(np.sum(margins / (1.0 + np.exp(np.clip(slope * margins, -500, 500)))))

    if not len(margins) or gain(0.0) <= 0:
        return 0.0
    low, high = 0.0, LARGEST_SLOPE
    if gain(high) >= 0:
        return high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if gain(middle) > 0 else (low, middle)
    return (low + high) / 2


def calibrate(predictions: FloatArray, labels: FloatArray, scales: FloatArray, *, scale_floor: float) -> Calibration:
    """Learn the interval and the slope from held-out bars (at least one)."""
    lower, upper = residual_quantiles((labels - predictions) / scales, COVERAGE)
    return Calibration(COVERAGE, lower, upper, probability_slope(predictions / scales, labels), len(labels), scale_floor)


def outlook(expected_return: float, scale: float, calibration: Calibration) -> Outlook:
    """The prediction of one bar with its interval and probabilities. Not finite if its inputs are not: check `is_finite`."""
    lower, upper = expected_return + calibration.lower * scale, expected_return + calibration.upper * scale
    argument = calibration.slope * expected_return / scale
    probability_up = 1.0 / (1.0 + exp(-min(max(argument, -500.0), 500.0)))
    is_flat = abs(expected_return) < FLAT_SHARE * (upper - lower) or expected_return == 0
    return Outlook(
        expected_return=expected_return,
        lower=lower,
        upper=upper,
        coverage=calibration.coverage,
        probability_up=probability_up,
        confidence=max(probability_up, 1.0 - probability_up),
        direction=0 if is_flat else (1 if expected_return > 0 else -1),
    )
