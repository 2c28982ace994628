"""Reading the log: by position, by subject, and how far its stages have come."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from apps.core.events import Priority
from apps.events.contracts import LogEntry, LogLag
from apps.events.models import ConsumerCheckpoint, LoggedEvent

RELAY = "relay"
PROJECTION = "activity"


def tail(
    *,
    after: int,
    limit: int,
    types: Sequence[str] = (),
    priority: Priority | None = None,
) -> list[LogEntry]:
    """Sealed events with a position greater than `after`, oldest first, at most `limit`; nothing is ever skipped."""
    rows = LoggedEvent.objects.filter(position__gt=after)
    if types:
        rows = rows.filter(event_type__in=types)
    if priority is not None:
        rows = rows.filter(priority=int(priority))
    return _entries(rows.order_by("position")[:limit])


def latest(*, limit: int, before: int | None = None, types: Sequence[str] = ()) -> list[LogEntry]:
    """The newest sealed events, newest first; `before` pages back from a position."""
    rows = LoggedEvent.objects.filter(position__isnull=False)
    if before is not None:
        rows = rows.filter(position__lt=before)
    if types:
        rows = rows.filter(event_type__in=types)
    return _entries(rows.order_by("-position")[:limit])


def head_position() -> int:
    """The position of the newest sealed event; 0 while there is none."""
    return LoggedEvent.objects.aggregate(head=Max("position"))["head"] or 0


def events_for_subject(subject: str, *, limit: int = 500) -> list[LogEntry]:
    """Everything logged about `subject`, oldest first; events that wait for the sealer come last, with position None."""
    rows = list(LoggedEvent.objects.filter(subject=subject).order_by("-position", "-id")[:limit])
    unsealed = sorted((row for row in rows if row.position is None), key=lambda row: row.id)
    sealed = sorted((row for row in rows if row.position is not None), key=lambda row: row.position or 0)
    return [_entry(row) for row in [*sealed, *unsealed]]


def log_lag() -> LogLag:
    """How far sealing, relaying and projecting are behind the writers."""
    waiting = LoggedEvent.objects.filter(position__isnull=True)
    oldest = waiting.aggregate(oldest=Min("recorded_at"))["oldest"]
    marks = dict(ConsumerCheckpoint.objects.filter(consumer__in=[RELAY, PROJECTION]).values_list("consumer", "position"))
    return LogLag(
        head_position=head_position(),
        unsealed=waiting.count(),
        oldest_unsealed_seconds=max((timezone.now() - oldest).total_seconds(), 0.0) if oldest else 0.0,
        relayed_position=marks.get(RELAY, 0),
        projected_position=marks.get(PROJECTION, 0),
    )


def _entries(rows: QuerySet[LoggedEvent]) -> list[LogEntry]:
    return [_entry(row) for row in rows]


def _entry(row: LoggedEvent) -> LogEntry:
    return LogEntry(
        position=row.position,
        id=row.id,
        event_type=row.event_type,
        version=row.version,
        priority=Priority(row.priority),
        subject=row.subject,
        actor=row.actor,
        payload=row.payload,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
    )
