"""LightGBM: few, small, strongly regularised trees on returns in units of volatility. The only file that imports the library.

Returns carry little signal, so the sum of all steps stays below one (60 x 0.015): predictions are shrunk towards the mean by design. With
longer training the held-out error is worse than naive on most instruments, though the ranking (the correlation) is the same.
"""

from __future__ import annotations

from typing import Any, ClassVar

import lightgbm
import numpy as np

from apps.core.errors import InvalidInput
from apps.forecasts.domain.dataset import Dataset
from apps.forecasts.domain.series import FloatArray


class LightgbmLearner:
    """Gradient-boosted trees. One thread, deterministic, row-wise: the same rows and seed give the same text."""

    name = "lightgbm"
    label = "LightGBM"
    is_baseline = False

    rounds = 60
    settings: ClassVar[dict[str, Any]] = {
        "objective": "regression",
        "num_leaves": 4,
        "learning_rate": 0.015,
        "min_data_in_leaf": 100,
        "lambda_l2": 5.0,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "max_bin": 63,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }

    def __init__(self) -> None:
        self._booster: lightgbm.Booster | None = None

    def fit(self, rows: Dataset, *, seed: int) -> None:
        settings = self.settings | {"seed": seed}
        data = lightgbm.Dataset(
            rows.features, rows.labels / rows.scales, feature_name=list(rows.names), params=settings, free_raw_data=True
        )
        self._booster = lightgbm.train(settings, data, num_boost_round=self.rounds)

    def predict(self, features: FloatArray, scales: FloatArray) -> FloatArray:
        predicted: FloatArray = np.asarray(self._fitted().predict(features, num_threads=1), np.float64)
        return predicted * scales

    def to_text(self) -> str:
        return str(self._fitted().model_to_string())

    def load_text(self, text: str) -> None:
        if not text.startswith("tree\n"):
            raise InvalidInput("This is not a LightGBM model.", where=self.name)
        try:
            self._booster = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            raise InvalidInput(f"This LightGBM model cannot be read: {error}.", where=self.name) from error

    def importance(self) -> dict[str, float]:
        booster = self._fitted()
        gains = booster.feature_importance(importance_type="gain")
        total = float(np.sum(gains))
        names = booster.feature_name()
        return {name: float(gain) / total for name, gain in zip(names, gains, strict=True)} if total > 0 else {}

    def parameters(self) -> dict[str, Any]:
        return self.settings | {"rounds": self.rounds}

    def _fitted(self) -> lightgbm.Booster:
        if self._booster is None:
            raise InvalidInput("The LightGBM model was neither fitted nor loaded.", where=self.name)
        return self._booster
