"""Champions ready to predict. A loaded model is kept per process, keyed by its id (a stored model never changes), newest used first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import numpy as np

from apps.core.errors import Conflict
from apps.forecasts.domain.calibration import Calibration, Outlook, outlook
from apps.forecasts.domain.dataset import row_scale
from apps.forecasts.domain.features import FEATURES
from apps.forecasts.learners import new_learner
from apps.forecasts.models import ForecastModel
from apps.forecasts.ports import Learner

LOADED_MODELS = 64
"""Models kept per process; a small booster takes some 100 kB."""


@dataclass(frozen=True)
class Predictor:
    """A loaded model."""

    learner: Learner
    names: tuple[str, ...]
    calibration: Calibration

    def predict(self, features: dict[str, float], horizon_bars: int) -> Outlook:
        """The outlook of one bar whose features are all finite."""
        scale = row_scale(features, horizon_bars, floor=self.calibration.scale_floor)
        row = np.array([[features[name] for name in self.names]])
        return outlook(float(self.learner.predict(row, np.array([scale]))[0]), scale, self.calibration)


@lru_cache(maxsize=LOADED_MODELS)
def load_predictor(model_id: UUID) -> Predictor:
    """Read and parse a stored model; raises Conflict if it wants features that this version no longer computes."""
    row = ForecastModel.objects.get(id=model_id)
    missing = [name for name in row.features if name not in FEATURES]
    if missing:
        raise Conflict(
            f"The model was trained on features that are no longer computed: {', '.join(missing)}.", where=str(row), hint="Train it again."
        )
    learner = new_learner(row.learner)
    learner.load_text(row.artifact)
    return Predictor(learner, tuple(row.features), Calibration.from_dict(row.calibration))
