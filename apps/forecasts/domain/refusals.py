"""Why there is no forecast."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class ForecastRefusal(StrEnum):
    """Why there is no forecast."""

    NO_MODEL = "NO_MODEL"
    WARMING_UP = "WARMING_UP"
    BAD_DATA = "BAD_DATA"
    MODEL_FAILED = "MODEL_FAILED"


@dataclass(frozen=True)
class NoForecast:
    """A forecast that could not be made, with the reason in words."""

    refusal: ForecastRefusal
    reason: str
    features: dict[str, float] = field(default_factory=dict)
