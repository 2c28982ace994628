"""The clock port. Nothing in a domain reads the time: it is passed in, and edges take it from a `Clock`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from apps.core.errors import InvalidInput


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


class WallClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until told otherwise (tests, recorded runs)."""

    def __init__(self, at: datetime) -> None:
        self._at = require_utc(at)

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        self._at = require_utc(at)


def require_utc(at: datetime, *, name: str = "time") -> datetime:
    """Return `at` in UTC; a naive time raises."""
    if at.tzinfo is None:
        raise InvalidInput(f"{name} {at} has no time zone.", where=name, hint="Pass an aware UTC time.")
    return at.astimezone(UTC)
