"""The states of a venue's clock."""

from __future__ import annotations

from enum import StrEnum


class ClockStatus(StrEnum):
    """PREPARING until first models are trained; ENDED at the end of the data; ARCHIVED when a newer replay took over."""

    PREPARING = "PREPARING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    ENDED = "ENDED"
    ARCHIVED = "ARCHIVED"
