"""Events of the runtime itself, and of alerts. No Django here."""

from __future__ import annotations

from enum import StrEnum

from apps.core.events import Event, Priority, event


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
