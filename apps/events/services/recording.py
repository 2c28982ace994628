"""Writing to the log: one statement in the caller's transaction, wake-up included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from apps.common.notify import Channel
from apps.core.clock import require_utc
from apps.core.errors import InvalidInput
from apps.core.events import Event, encode_payload
from apps.core.ids import uuid7
from apps.events.contracts import AlertLevel, AlertRaised

_COLUMNS = "id, event_type, version, priority, subject, actor, payload, occurred_at, recorded_at"
_INSERT_ONE = f"""
    WITH logged AS (INSERT INTO event_log ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s))
    SELECT pg_notify('{Channel.EVENTS}', '')
"""
_INSERT_MANY = f"""
    WITH logged AS (
        INSERT INTO event_log ({_COLUMNS})
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::smallint[], %s::smallint[], %s::text[], %s::text[], %s::jsonb[],
                             %s::timestamptz[], %s::timestamptz[])
    )
    SELECT pg_notify('{Channel.EVENTS}', '')
"""
_NUL = b"\\u0000"


@dataclass(frozen=True)
class NewEvent:
    """An event on its way into the log."""

    event: Event
    occurred_at: datetime
    actor: str = "system"
    subject: str = ""


def record_event(event: Event, *, occurred_at: datetime, actor: str = "system", subject: str = "") -> UUID:
    """Append `event` in the caller's transaction: it is in the log exactly if what it tells of happened. Returns its id.

    A naive time, a NaN, or a subject or actor that does not fit its column raises InvalidInput before the database sees it.
    """
    row = _row(NewEvent(event, occurred_at, actor, subject))
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_ONE, row)
    return UUID(str(row[0]))


def record_events(items: Sequence[NewEvent]) -> list[UUID]:
    """`record_event` for many, in one statement. Returns the ids in the order given."""
    if not items:
        return []
    rows = [_row(item) for item in items]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_MANY, [list(column) for column in zip(*rows, strict=True)])
    return [UUID(str(row[0])) for row in rows]


def raise_alert(
    level: AlertLevel,
    title: str,
    message: str,
    *,
    occurred_at: datetime | None = None,
    actor: str = "system",
    subject: str = "",
) -> UUID:
    """Record an alert for people: it goes to the pages, the process log and the outside channel `system:alerts`."""
    alert = AlertRaised(level=str(level), title=title, message=message)
    return record_event(alert, occurred_at=occurred_at or datetime.now(UTC), actor=actor, subject=subject)


def _row(item: NewEvent) -> tuple[Any, ...]:
    event = item.event
    return (
        str(uuid7()),
        event.event_type,
        event.version,
        int(event.priority),
        _fitting(item.subject, 80, "subject"),
        _fitting(item.actor, 150, "actor"),
        _storable(encode_payload(event)).decode(),
        require_utc(item.occurred_at, name="occurred_at"),
        datetime.now(UTC),
    )


def _fitting(text: str, longest: int, name: str) -> str:
    if len(text) > longest:
        raise InvalidInput(f"The {name} of an event has at most {longest} characters, got {len(text)}.", where=name)
    return text


def _storable(payload: bytes) -> bytes:
    """PostgreSQL cannot hold U+0000 in text; such a character (from an outside answer) becomes U+FFFD."""
    return msgspec.json.encode(_without_nul(msgspec.json.decode(payload))) if _NUL in payload else payload


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(item) for name, item in value.items()}
    return [_without_nul(item) for item in value] if isinstance(value, list) else value
