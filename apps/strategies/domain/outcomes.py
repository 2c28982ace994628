"""How a decision may end."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a decision ended."""

    TRADE = "TRADE"
    HOLD = "HOLD"
    NO_SIGNAL = "NO_SIGNAL"
    REFUSED_BY_RISK = "REFUSED_BY_RISK"
    FORECAST_REFUSED = "FORECAST_REFUSED"
    TOO_SMALL = "TOO_SMALL"
    LATE_BAR = "LATE_BAR"
    WARMING_UP = "WARMING_UP"
    HALTED = "HALTED"
    ORDER_OPEN = "ORDER_OPEN"
    FAILED = "FAILED"
