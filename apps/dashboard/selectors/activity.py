"""The log as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.core.events import Priority, registered_events
from apps.dashboard.domain import sentences
from apps.events import selectors as events
from apps.events.contracts import LogEntry


@dataclass(frozen=True)
class EventRow:
    """An event with a sentence and the page of what it is about."""

    position: int | None
    event_type: str
    priority: Priority
    actor: str
    """Without the id behind its colon."""
    subject: str
    text: str
    path: str
    payload: dict[str, Any]
    occurred_at: datetime
    recorded_at: datetime

    def as_message(self) -> dict[str, Any]:
        """The form that goes over the websocket and into JSON downloads."""
        return {
            "position": self.position,
            "type": self.event_type,
            "priority": self.priority.name,
            "actor": self.actor,
            "text": self.text,
            "path": self.path,
            "payload": self.payload,
            "occurred_at": self.occurred_at.isoformat(),
            "recorded_at": self.recorded_at.isoformat(),
        }


def event_types() -> list[str]:
    """Every type that may be logged."""
    return sorted({item.event_type for item in registered_events()})


def types_like(text: str) -> list[str]:
    """The types that a filter means: an exact one, or all that begin with it."""
    known = event_types()
    return [text] if text in known else [item for item in known if item.startswith(text)]


def newest(*, limit: int, before: int | None = None, type_filter: str = "", priority: Priority | None = None) -> list[EventRow]:
    """The newest events that fit, newest first; a filter that means no type finds nothing."""
    types = types_like(type_filter) if type_filter else []
    if type_filter and not types:
        return []
    if priority is not None:
        of_priority = {item.event_type for item in registered_events() if item.priority is priority}
        types = sorted(of_priority.intersection(types) if types else of_priority)
        if not types:
            return []
    return [row(entry) for entry in events.latest(limit=limit, before=before, types=types)]


def since(position: int, *, limit: int) -> list[EventRow]:
    """Sealed events after a position, oldest first."""
    return [row(entry) for entry in events.tail(after=position, limit=limit)]


def about(subject: str) -> Sequence[EventRow]:
    """Everything logged about one thing, newest first."""
    return [row(entry) for entry in reversed(events.events_for_subject(subject))]


def row(entry: LogEntry) -> EventRow:
    """The entry in words."""
    return EventRow(
        position=entry.position,
        event_type=entry.event_type,
        priority=entry.priority,
        actor=entry.actor.partition(":")[0],
        subject=entry.subject,
        text=sentences.sentence(entry.event_type, entry.payload),
        path=sentences.path(entry.payload),
        payload=entry.payload,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
    )
