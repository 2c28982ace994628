"""What other apps may know of forecasts. No Django here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from apps.core.events import Event, Priority, event


class Trend(StrEnum):
    UP = "UP"
    DOWN = "DOWN"
    FLAT = "FLAT"


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


class ForecastRefusal(StrEnum):
    """Why there is no forecast."""

    NO_MODEL = "NO_MODEL"
    WARMING_UP = "WARMING_UP"
    BAD_DATA = "BAD_DATA"
    MODEL_FAILED = "MODEL_FAILED"


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
class NoForecast:
    """A forecast that could not be made, with the reason in words."""

    refusal: ForecastRefusal
    reason: str
    features: dict[str, float] = field(default_factory=dict)


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
    version: int
    reason: str
