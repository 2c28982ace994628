"""Times as the engine counts them, and the end of a session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def moment(micros: int) -> datetime:
    """The time that so many microseconds since 1970 UTC stand for."""
    return _EPOCH + micros * _MICROSECOND


def day_end(*, opened_at: datetime, closed_at: datetime, is_daily: bool) -> datetime:
    """When a DAY order ends whose first possible bar is this one: with a daily bar, else with the UTC day in which the bar opened."""
    if is_daily:
        return closed_at
    return datetime(opened_at.year, opened_at.month, opened_at.day, tzinfo=UTC) + timedelta(days=1)
