"""What a learner is, and where a run without a database gets its forecasts.

One file per learner in `learners/`; adding one is that file and a line in `learners/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from apps.forecasts.contracts import ForecastView, NoForecast
from apps.forecasts.domain.dataset import Dataset
from apps.forecasts.domain.looking import Look
from apps.forecasts.domain.series import FloatArray
from apps.markets.contracts import BarWindow


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


class ForecastSource(Protocol):
    """What is forecast on a bar: what was forecast then, or what models trained on the way say. The same call always gives the same answer."""

    def forecast(self, window: BarWindow, look: Look, *, horizon_bars: int) -> ForecastView | NoForecast:
        """The forecast on the last bar of `window`, or why there is none; `look` is that bar's, without a refusal or with one to be passed on."""
        ...


class Rehearsal(Protocol):
    """Models trained over a history as a market's clock would have had them trained."""

    def over(self, bars: Sequence[BarWindow], *, starts_at: datetime) -> ForecastSource:
        """Forecasts of these instruments for bars that close after `starts_at`; no model sees a bar after the one it is first used on."""
        ...
