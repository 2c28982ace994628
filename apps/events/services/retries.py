"""What happens to an event that a handler failed on: tried again with growing waits, then a dead letter that a person can settle."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from django.db import connection, transaction

from apps.core.errors import Conflict, NotFound
from apps.core.events import Priority
from apps.events.bus import PackedEvent
from apps.events.contracts import DeadLetterSettled, HandlerFailed
from apps.events.domain.backoff import next_delay
from apps.events.models import DeadLetter, HandlerRetry, LoggedEvent
from apps.events.ports import Handler
from apps.events.selectors.packed import packed_by_id
from apps.events.services.marks import advance, consumer_name
from apps.events.services.recording import record_event

log = structlog.get_logger(__name__)

DUE_AT_ONCE = 20
LONGEST_ERROR = 500


def note_failure(handler: str, event_id: UUID, *, error: Exception, now: datetime, attempts: int = 1) -> None:
    """In the caller's transaction: plan the next attempt, or give up after the last one. Given up is recorded as HandlerFailed."""
    delay = next_delay(attempts)
    text = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
    log.warning("handler_failed", handler=handler, event_id=str(event_id), attempts=attempts, error=text, gave_up=delay is None)
    if delay is not None:
        HandlerRetry.objects.update_or_create(
            event_id=event_id, handler=handler, defaults={"attempts": attempts, "next_attempt_at": now + delay, "error": text}
        )
        return
    HandlerRetry.objects.filter(event_id=event_id, handler=handler).delete()
    DeadLetter.objects.update_or_create(
        event_id=event_id, handler=handler, defaults={"attempts": attempts, "error": text, "resolved_at": None}
    )
    _tell(handler, event_id, attempts, text, now)


def retry_due(handlers: Sequence[Handler], *, now: datetime) -> int:
    """Try again what is due for these handlers, each in a transaction of its own. Returns how many attempts were made."""
    by_name = {handler.name: handler for handler in handlers}
    due = HandlerRetry.objects.filter(handler__in=list(by_name), next_attempt_at__lte=now).values_list("id", "handler")[:DUE_AT_ONCE]
    return sum(_retry(retry_id, by_name[name], now) for retry_id, name in list(due))


def retry_dead_letter(dead_letter_id: UUID, *, actor: str, now: datetime | None = None) -> None:
    """Give a dead letter back to its handler with a full set of attempts. Raises NotFound, or Conflict if it is settled."""
    at = now or datetime.now(UTC)
    with transaction.atomic():
        letter = _open_letter(dead_letter_id)
        HandlerRetry.objects.update_or_create(
            event_id=letter.event_id, handler=letter.handler, defaults={"attempts": 0, "next_attempt_at": at, "error": letter.error}
        )
        _settle(letter, "retried", actor, at)


def resolve_dead_letter(dead_letter_id: UUID, *, actor: str, now: datetime | None = None) -> None:
    """Put a dead letter aside: the handler will not get the event again. Raises NotFound, or Conflict if it is settled."""
    at = now or datetime.now(UTC)
    with transaction.atomic():
        _settle(_open_letter(dead_letter_id), "resolved", actor, at)


def is_database_lost() -> bool:
    """Whether this thread's connection is gone, so that an error is not the handler's own."""
    return connection.connection is None or connection.closed_in_transaction or bool(connection.connection.closed)


def _retry(retry_id: UUID, handler: Handler, now: datetime) -> int:
    with transaction.atomic():
        retry = HandlerRetry.objects.select_for_update(skip_locked=True).filter(id=retry_id).first()
        packed = packed_by_id(retry.event_id) if retry else None
        if retry is None or packed is None:
            return 0
        consumer = consumer_name(handler.name, _lane(retry.event_id))
        started = time.perf_counter()
        failure = _attempt(handler, packed)
        seconds = time.perf_counter() - started
        if failure is None:
            retry.delete()
            advance(consumer, 0, handled=1, retried=1, seconds=seconds)
        else:
            advance(consumer, 0, failed=1, retried=1, seconds=seconds)
            note_failure(handler.name, packed.id, error=failure, attempts=retry.attempts + 1, now=now)
    return 1


def _attempt(handler: Handler, packed: PackedEvent) -> Exception | None:
    try:
        with transaction.atomic():
            handler.function(packed.envelope())
    except Exception as error:
        if is_database_lost():
            raise
        return error
    return None


def _lane(event_id: UUID) -> Priority:
    return Priority(LoggedEvent.objects.values_list("priority", flat=True).get(id=event_id))


def _tell(handler: str, event_id: UUID, attempts: int, text: str, now: datetime) -> None:
    """Record that a handler gave up; not about a HandlerFailed itself, which could go round for ever."""
    event = LoggedEvent.objects.get(id=event_id)
    if event.event_type != HandlerFailed.event_type:
        failed = HandlerFailed(handler=handler, position=event.position or 0, attempts=attempts, error=text)
        record_event(failed, occurred_at=now, subject=handler)


def _open_letter(dead_letter_id: UUID) -> DeadLetter:
    letter = DeadLetter.objects.select_for_update().filter(id=dead_letter_id).first()
    if letter is None:
        raise NotFound(f"There is no dead letter {dead_letter_id}.", where="dead_letter")
    if letter.resolved_at is not None:
        raise Conflict(f"The dead letter {dead_letter_id} was settled at {letter.resolved_at:%Y-%m-%d %H:%M:%S}.", where="dead_letter")
    return letter


def _settle(letter: DeadLetter, action: str, actor: str, at: datetime) -> None:
    letter.resolved_at = at
    letter.save(update_fields=["resolved_at"])
    settled = DeadLetterSettled(handler=letter.handler, position=letter.event.position or 0, action=action)
    record_event(settled, occurred_at=at, actor=actor, subject=letter.handler)
