"""Running handlers: read, hand over, mark, acknowledge.

A chunk of deliveries is handled in one transaction with the marks it moves, each handler call in a savepoint, and acknowledged after the
commit: what a crash leaves unacknowledged is claimed by the next process, which skips what the marks say is done. A failure becomes a retry row
in the same transaction, so that it neither holds up nor loses anything.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

import redis
import structlog
from django.db import transaction
from django.utils import timezone

from apps.core.errors import InvalidInput
from apps.core.events import Priority
from apps.events.bus import Bus, Delivery, PackedEvent
from apps.events.ports import Handler
from apps.events.services.marks import advance, consumer_name, ensure_marks, lock_mark, marks_of
from apps.events.services.relaying import note_key, relayed_position
from apps.events.services.retries import is_database_lost, note_failure, retry_due

log = structlog.get_logger(__name__)

READ_BATCH = 100
CHUNK_SECONDS = 0.05
"""A transaction is committed after so long: a slow handler holds no locks for the sake of the next one."""
IDLE_MARK_SECONDS = 1.0
RETRY_LOOK_SECONDS = 0.5


@dataclass
class Progress:
    """What a chunk does to one mark."""

    position: int = 0
    handled: int = 0
    failed: int = 0
    seconds: float = 0.0


Moved = defaultdict[tuple[str, Priority], Progress]


class HandlerRunner:
    """Gives the events of one consumer group to its handlers. One runner per group at a time (the caller holds the lease)."""

    def __init__(self, bus: Bus, *, group: str, handlers: Sequence[Handler], consumer: str, log_id: UUID) -> None:
        self._bus = bus
        self._group = group
        self._handlers = list(handlers)
        self._consumer = consumer
        self._log_id = log_id
        self._marks: dict[tuple[str, Priority], int] = {}
        self._idle_marked_at = 0.0
        self._retries_looked_at = 0.0

    def prepare(self) -> int:
        """Make marks and groups where they are missing, and finish what a dead predecessor (or we, before an error) left pending.

        A missing group means that Redis has lost its streams, or never had them: without its note the relay publishes them again.
        """
        ensure_marks(self._handlers)
        if self._bus.ensure_group(self._group):
            self._bus.client.delete(note_key(self._bus))
        self._marks = marks_of(self._handlers)
        left = self._bus.claim(self._group, self._consumer, min_idle_ms=0)
        self._handle_all(sorted(left, key=lambda item: (item.lane, item.position)))
        return len(left)

    def step(self, *, block_ms: int | None = None) -> int:
        """Handle one batch of the highest lane that has any, then retries that are due. Returns how many deliveries."""
        try:
            relayed = relayed_position(self._bus, self._log_id)
            deliveries = self._bus.read(self._group, self._consumer, count=READ_BATCH, block_ms=block_ms)
        except redis.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            return self.prepare()
        self._handle_all(deliveries)
        if not deliveries and relayed is not None:
            self._mark_idle(relayed)
        self._retry_now_and_then()
        return len(deliveries)

    def _handle_all(self, deliveries: list[Delivery]) -> None:
        waiting = deliveries
        while waiting:
            done = self._handle_chunk(waiting)
            self._bus.acknowledge(self._group, waiting[:done])
            waiting = waiting[done:]

    def _handle_chunk(self, deliveries: list[Delivery]) -> int:
        """Handle deliveries of one transaction; returns how many. After an error the marks are read afresh by `prepare`."""
        started = time.monotonic()
        done = 0
        moved: Moved = defaultdict(Progress)
        with transaction.atomic():
            for delivery in deliveries:
                self._deliver(delivery, moved)
                done += 1
                if time.monotonic() - started > CHUNK_SECONDS or (done < len(deliveries) and deliveries[done].lane != delivery.lane):
                    break
            for (name, lane), progress in moved.items():
                advance(consumer_name(name, lane), **asdict(progress))
        self._marks.update({key: progress.position for key, progress in moved.items()})
        return done

    def _deliver(self, delivery: Delivery, moved: Moved) -> None:
        packed = _unpacked(delivery)
        for handler in self._handlers:
            key = (handler.name, delivery.lane)
            if key not in self._marks or delivery.position <= self._marks[key]:
                continue
            if packed is not None and handler.takes(packed.event_type):
                if key not in moved and lock_mark(consumer_name(*key)) >= delivery.position:
                    continue
                _give(handler, packed, moved[key])
            moved[key].position = delivery.position

    def _retry_now_and_then(self) -> None:
        if time.monotonic() - self._retries_looked_at >= RETRY_LOOK_SECONDS:
            retry_due(self._handlers, now=timezone.now())
            self._retries_looked_at = time.monotonic()

    def _mark_idle(self, relayed: int) -> None:
        """Every lane is empty: all that was relayed before we looked is dealt with, also where no event of ours was among it."""
        now = time.monotonic()
        behind = [key for key, position in self._marks.items() if position < relayed]
        if not behind or now - self._idle_marked_at < IDLE_MARK_SECONDS:
            return
        for name, lane in behind:
            advance(consumer_name(name, lane), relayed)
            self._marks[name, lane] = relayed
        self._idle_marked_at = now


def _unpacked(delivery: Delivery) -> PackedEvent | None:
    """The packed event; None for an entry that somebody else wrote into our stream."""
    try:
        return delivery.unpack()
    except InvalidInput as error:
        log.error("foreign_stream_entry", error=str(error))
        return None


def _give(handler: Handler, packed: PackedEvent, progress: Progress) -> None:
    """Call the handler once in a savepoint; a failure is noted for a later attempt. Only a lost database is raised."""
    started = time.perf_counter()
    try:
        with transaction.atomic():
            handler.function(packed.envelope())
    except Exception as error:
        if is_database_lost():
            raise
        progress.failed += 1
        note_failure(handler.name, packed.id, error=error, now=timezone.now())
    else:
        progress.handled += 1
    progress.seconds += time.perf_counter() - started
