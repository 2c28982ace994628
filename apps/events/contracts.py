"""Events of the runtime itself and of alerts, and what the selectors hand out. No Django here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from apps.core.events import Event, Priority, event
from apps.events.domain.verification import LogFinding, LogVerification

__all__ = [
    "AlertLevel",
    "AlertRaised",
    "DeadLetterSettled",
    "DeadLetterView",
    "HandlerFailed",
    "HandlerStats",
    "LockedOut",
    "LogEntry",
    "LogFinding",
    "LogLag",
    "LogReanchored",
    "LogVerification",
    "LoginFailed",
    "ProcessRestarted",
    "ProcessStale",
    "ProcessStarted",
    "ProjectionDifference",
    "ReplayReport",
    "UserLoggedIn",
]


class AlertLevel(StrEnum):
    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


@event("system.process_started", priority=Priority.LOW)
class ProcessStarted(Event):
    process: str
    pid: int


@event("system.process_restarted")
class ProcessRestarted(Event):
    process: str
    exit_code: int
    restarts: int


@event("system.process_stale", priority=Priority.HIGH)
class ProcessStale(Event):
    process: str
    age_seconds: float


@event("system.alert_raised", priority=Priority.HIGH)
class AlertRaised(Event):
    """Carried to the outside on `system:alerts`."""

    level: str
    title: str
    message: str


@event("system.handler_failed", priority=Priority.HIGH)
class HandlerFailed(Event):
    handler: str
    position: int
    attempts: int
    error: str


@event("access.user_logged_in", priority=Priority.LOW)
class UserLoggedIn(Event):
    username: str
    method: str


@event("access.login_failed")
class LoginFailed(Event):
    username: str


@event("access.locked_out", priority=Priority.HIGH)
class LockedOut(Event):
    username: str
    seconds: int


@event("system.dead_letter_settled")
class DeadLetterSettled(Event):
    """A person gave a dead letter back to its handler (`retried`) or put it aside (`resolved`)."""

    handler: str
    position: int
    action: str


@event("system.log_reanchored", priority=Priority.HIGH)
class LogReanchored(Event):
    """Somebody accepted the log as it stands and started a new anchor file."""

    reason: str
    position: int
    head_hash: str


@dataclass(frozen=True)
class LogEntry:
    """One row of the log as readers see it. `position` is None until the sealer has placed it."""

    position: int | None
    id: UUID
    event_type: str
    version: int
    priority: Priority
    subject: str
    actor: str
    payload: dict[str, Any]
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True)
class HandlerStats:
    """How one handler has fared. `lag` counts sealed events it has not passed yet."""

    handler: str
    position: int
    lag: int
    handled: int
    failed: int
    retried: int
    dead: int
    seconds_total: float
    updated_at: datetime


@dataclass(frozen=True)
class LogLag:
    """How far each stage is behind the writers; `oldest_unsealed_seconds` is 0.0 when everything is sealed."""

    head_position: int
    unsealed: int
    oldest_unsealed_seconds: float
    relayed_position: int
    projected_position: int


@dataclass(frozen=True)
class DeadLetterView:
    """An event that a handler could not take after all retries."""

    id: UUID
    handler: str
    event_id: UUID
    event_type: str
    position: int
    attempts: int
    error: str
    created_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True)
class ProjectionDifference:
    """A row of a projection that the log does not confirm. None stands for a row that is not there."""

    event_type: str
    day: str
    stored: tuple[int, int] | None
    replayed: tuple[int, int] | None

    @property
    def sentence(self) -> str:
        return f"{self.event_type} on {self.day}: stored {_count_text(self.stored)}, the log says {_count_text(self.replayed)}."


def _count_text(row: tuple[int, int] | None) -> str:
    return "no row" if row is None else f"{row[0]} events, last at position {row[1]}"


@dataclass(frozen=True)
class ReplayReport:
    """What `replay_events` found."""

    events: int
    through_position: int
    undecodable: tuple[str, ...]
    differences: tuple[ProjectionDifference, ...]

    @property
    def is_equal(self) -> bool:
        return not self.differences and not self.undecodable
