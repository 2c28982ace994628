"""The baseline: the historical mean return, whatever the features say. Every other learner must beat it on held-out bars."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

import numpy as np

from apps.core.errors import InvalidInput
from apps.forecasts.domain.dataset import Dataset
from apps.forecasts.domain.series import FloatArray


class NaiveLearner:
    """Predicts the mean log return of its training rows."""

    name = "naive"
    label = "Naive mean"
    is_baseline = True

    def __init__(self) -> None:
        self._mean: float | None = None

    def fit(self, rows: Dataset, *, seed: int) -> None:
        self._mean = float(np.mean(rows.labels))

    def predict(self, features: FloatArray, scales: FloatArray) -> FloatArray:
        if self._mean is None:
            raise InvalidInput("The naive model was neither fitted nor loaded.", where=self.name)
        return np.full(len(features), self._mean)

    def to_text(self) -> str:
        return json.dumps({"mean": self._mean})

    def load_text(self, text: str) -> None:
        try:
            mean = float(json.loads(text)["mean"])
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInput(f"This is not a naive model: {error}.", where=self.name) from error
        if not isfinite(mean):
            raise InvalidInput("The stored mean is not a finite number.", where=self.name)
        self._mean = mean

    def importance(self) -> dict[str, float]:
        return {}

    def parameters(self) -> dict[str, Any]:
        return {}
