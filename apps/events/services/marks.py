"""Marks: up to which position each consumer has dealt with each lane, kept in PostgreSQL, where Redis cannot lose them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from apps.core.events import Priority
from apps.events.models import ConsumerCheckpoint
from apps.events.ports import Handler
from apps.events.selectors.log import head_position

_ADVANCE = """
    UPDATE events_consumercheckpoint
    SET position = greatest(position, %(position)s), handled = handled + %(handled)s, failed = failed + %(failed)s,
        retried = retried + %(retried)s, seconds_total = seconds_total + %(seconds)s, updated_at = clock_timestamp()
    WHERE consumer = %(consumer)s
"""


def consumer_name(handler: str, lane: Priority) -> str:
    """The checkpoint row of a handler's lane."""
    return f"{handler}:{lane.name.lower()}"


def ensure_marks(handlers: Sequence[Handler]) -> None:
    """Give handlers that have none their marks: they start with what is sealed from now on."""
    names = [consumer_name(handler.name, lane) for handler in handlers for lane in handler.lanes]
    known = set(ConsumerCheckpoint.objects.filter(consumer__in=names).values_list("consumer", flat=True))
    if missing := [name for name in names if name not in known]:
        head = head_position()
        ConsumerCheckpoint.objects.bulk_create(
            [ConsumerCheckpoint(consumer=name, position=head) for name in missing], ignore_conflicts=True
        )


def marks_of(handlers: Sequence[Handler]) -> dict[tuple[str, Priority], int]:
    """The marks as stored."""
    wanted = {consumer_name(handler.name, lane): (handler.name, lane) for handler in handlers for lane in handler.lanes}
    rows = ConsumerCheckpoint.objects.filter(consumer__in=list(wanted)).values_list("consumer", "position")
    return {wanted[consumer]: position for consumer, position in rows}


def advance(consumer: str, position: int, *, handled: int = 0, failed: int = 0, retried: int = 0, seconds: float = 0.0) -> None:
    """Move a mark forward (never back) and count."""
    parameters: dict[str, str | int | float] = {
        "consumer": consumer,
        "position": position,
        "handled": handled,
        "failed": failed,
        "retried": retried,
        "seconds": seconds,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE, parameters)


def lock_mark(consumer: str) -> int:
    """Inside a transaction: the mark as it is now, held against anybody else who handles this lane."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT position FROM events_consumercheckpoint WHERE consumer = %s FOR UPDATE", [consumer])
        row = cursor.fetchone()
    return row[0] if row else 0
