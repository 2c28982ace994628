"""Reading sealed rows as the bus carries them: payloads stay JSON text, nothing is decoded twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.events import Priority
from apps.events.bus import PackedEvent

_COLUMNS = "position, id, event_type, version, subject, actor, occurred_at, recorded_at, payload::text, priority"


def packed_after(position: int, *, limit: int) -> list[tuple[Priority, PackedEvent]]:
    """The next sealed events after a position, with their lanes."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM event_log WHERE position > %s ORDER BY position LIMIT %s", [position, limit])
        return [(Priority(row[9]), _packed(row)) for row in cursor.fetchall()]


def packed_through(position: int, *, batch: int = 5000) -> Iterator[PackedEvent]:
    """All sealed events up to and including a position."""
    after = 0
    while rows := packed_after(after, limit=batch):
        for _, item in rows:
            if item.position > position:
                return
            yield item
        after = rows[-1][1].position


def packed_by_id(event_id: UUID) -> PackedEvent | None:
    """One sealed event."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM event_log WHERE id = %s AND position IS NOT NULL", [event_id])
        row = cursor.fetchone()
    return _packed(row) if row else None


def _packed(row: tuple[Any, ...]) -> PackedEvent:
    return PackedEvent(
        position=row[0],
        id=row[1],
        event_type=row[2],
        version=row[3],
        subject=row[4],
        actor=row[5],
        occurred_at=row[6],
        recorded_at=row[7],
        payload=row[8].encode(),
    )
