"""The states of runs and sweeps."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    """QUEUED -> RUNNING -> DONE, FAILED or CANCELLED; a queued run may be cancelled at once."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_over(self) -> bool:
        """It has ended, well or badly."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


class SweepMethod(StrEnum):
    """How the points of a search space are chosen: all of them, at random, or by Optuna from the results so far."""

    GRID = "grid"
    RANDOM = "random"
    OPTUNA = "optuna"
