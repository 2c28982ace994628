"""Writing to the log."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from apps.common.notify import Channel, notify
from apps.core.events import Event, to_payload
from apps.core.ids import uuid7
from apps.events.models import LoggedEvent


def record_event(event: Event, *, occurred_at: datetime, actor: str = "system", subject: str = "") -> UUID:
    """Append `event` in the caller's transaction: it is in the log exactly if what it tells of happened. Returns its id."""
    row = LoggedEvent(
        id=uuid7(),
        event_type=event.event_type,
        version=event.version,
        priority=int(event.priority),
        subject=subject,
        actor=actor,
        payload=to_payload(event),
        occurred_at=occurred_at,
        recorded_at=datetime.now(UTC),
    )
    row.save(force_insert=True)
    notify(Channel.EVENTS)
    return row.id
