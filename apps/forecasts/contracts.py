"""What other apps may know of forecasts. No Django here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from apps.core.events import Event, Priority, event
from apps.forecasts.domain.refusals import ForecastRefusal as ForecastRefusal
from apps.forecasts.domain.refusals import NoForecast as NoForecast

HORIZONS = (1, 5)
"""Bars ahead for which models are trained."""


class Trend(StrEnum):
    UP = "UP"
    DOWN = "DOWN"
    FLAT = "FLAT"


TRENDS = {1: Trend.UP, 0: Trend.FLAT, -1: Trend.DOWN}
"""By the direction of an outlook."""


class ModelStatus(StrEnum):
    CANDIDATE = "CANDIDATE"
    CHAMPION = "CHAMPION"
    RETIRED = "RETIRED"


class TrainingStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


def model_label(learner: str, version: int, horizon_bars: int) -> str:
    """How people are told of a model."""
    return f"{learner} v{version}, {horizon_bars} bar{'s' if horizon_bars > 1 else ''} ahead"


@dataclass(frozen=True)
class ForecastView:
    """One forecast: log return over the horizon with its interval, and how far it can be trusted.

    `is_tradable` is False when the champion is a naive baseline: nothing better than naive was found, so the forecast strategy refuses.
    """

    id: UUID
    instrument_id: UUID
    horizon_bars: int
    as_of: datetime
    model_id: UUID
    model_label: str
    learner: str
    expected_return: float
    lower: float
    upper: float
    coverage: float
    probability_up: float
    confidence: float
    trend: Trend
    is_tradable: bool
    features: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingState:
    """A training run as pages and loops see it; `progress_*` count models (instruments times horizons)."""

    run_id: UUID
    venue_id: UUID
    status: TrainingStatus
    reason: str
    trained_through: datetime
    instruments: int
    progress_done: int
    progress_total: int
    message: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        """It has ended, well or badly."""
        return self.status not in (TrainingStatus.QUEUED, TrainingStatus.RUNNING)


@dataclass(frozen=True)
class ModelMetrics:
    """Figures on held-out bars. None where a figure is not defined, such as the correlation of a constant prediction.

    `skill` is 1 - squared error / squared error of the naive baseline, `edge_t` how many standard errors the edge over it is from zero.
    """

    rows: int
    rmse: float
    baseline_rmse: float
    skill: float
    fold_skill: tuple[float, ...]
    information_coefficient: float | None
    edge_t: float | None
    hit_rate: float | None
    coverage: float | None


@dataclass(frozen=True)
class ModelSummary:
    """One version of a model."""

    id: UUID
    instrument_id: UUID
    symbol: str
    timeframe: str
    horizon_bars: int
    learner: str
    label: str
    version: int
    status: ModelStatus
    status_reason: str
    is_tradable: bool
    trained_from: datetime
    trained_through: datetime
    rows: int
    metrics: ModelMetrics
    created_at: datetime


@dataclass(frozen=True)
class FeatureImportance:
    """Share of a model's total gain that one feature brought."""

    feature: str
    description: str
    share: float


@dataclass(frozen=True)
class ModelDetail:
    """A model with what it was made of; enough to make it again."""

    summary: ModelSummary
    training_run_id: UUID
    dataset_hash: str
    seed: int
    parameters: dict[str, Any]
    coverage: float
    importance: tuple[FeatureImportance, ...]


@dataclass(frozen=True)
class FeatureDescription:
    """A feature in words, for pages."""

    name: str
    inputs: tuple[str, ...]
    look_back: int
    unit: str
    description: str


@event("forecast.updated", priority=Priority.NORMAL)
class ForecastUpdated(Event):
    """Carried to the outside on `forecast_updates` as {asset, horizon, prediction, confidence, timestamp}."""

    forecast_id: UUID
    instrument_id: UUID
    symbol: str
    horizon_bars: int
    timeframe: str
    expected_return: float
    confidence: float
    probability_up: float
    model: str
    as_of: datetime


@event("forecast.training_started", priority=Priority.LOW)
class TrainingStarted(Event):
    run_id: UUID
    venue_id: UUID
    instruments: int


@event("forecast.training_finished")
class TrainingFinished(Event):
    run_id: UUID
    venue_id: UUID
    status: str
    models: int
    seconds: float
    message: str


@event("forecast.model_promoted")
class ModelPromoted(Event):
    model_id: UUID
    instrument_id: UUID
    symbol: str
    horizon_bars: int
    learner: str
    model_version: int
    reason: str
