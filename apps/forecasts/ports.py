"""What a learner is. One file per learner in `learners/`; adding one is that file and a line in `learners/__init__.py`."""

from __future__ import annotations

from typing import Any, Protocol

from apps.forecasts.domain.dataset import Dataset
from apps.forecasts.domain.series import FloatArray


class Learner(Protocol):
    """Predicts the log return over a horizon. The same rows and seed always give the same artifact, bit for bit."""

    name: str
    label: str
    is_baseline: bool

    def fit(self, rows: Dataset, *, seed: int) -> None:
        """Learn from rows in time order (at least one)."""
        ...

    def predict(self, features: FloatArray, scales: FloatArray) -> FloatArray:
        """One log return per row of `features` (columns in the order of training). Raises if it was neither fitted nor loaded."""
        ...

    def to_text(self) -> str:
        """The fitted model as text; never a pickle."""
        ...

    def load_text(self, text: str) -> None:
        """Take over a model written by `to_text`; raises InvalidInput on anything else."""
        ...

    def importance(self) -> dict[str, float]:
        """How much each feature contributed, summing to one; empty if that has no meaning."""
        ...

    def parameters(self) -> dict[str, Any]:
        """The settings it learns with, for the model's row."""
        ...
