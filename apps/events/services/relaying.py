"""The relay: copies sealed events to the three streams and to the outside channels, in order, each once.

A batch, its outside messages and the note how far the relay has come (`<prefix>relayed`) enter Redis in one MULTI, so the note tells the truth
about what Redis holds. If the note is gone, is another log's, or is not what the relay left there, Redis has forgotten: the streams are deleted
and published again from where the slowest handler stands in PostgreSQL. Outside messages are not sent a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec
import structlog
from redis.client import Pipeline

from apps.core.events import Priority
from apps.events.adapters.outside import add_message
from apps.events.bus import STREAM_LENGTH, Bus, PackedEvent
from apps.events.channels import LAYOUT_KEY, LAYOUT_VERSION, SOURCE_TYPES, outside_messages
from apps.events.models import ConsumerCheckpoint
from apps.events.ports import Handler
from apps.events.selectors.log import RELAY
from apps.events.selectors.packed import packed_after
from apps.events.services.marks import advance, ensure_marks, marks_of

log = structlog.get_logger(__name__)

RELAY_BATCH = 500


class Relay:
    """The one relay of a log. Raises what Redis raises; after any error `synchronise` finds out where things stand."""

    def __init__(self, bus: Bus, *, log_id: UUID, handlers: Sequence[Handler], ahead_at_most: int = STREAM_LENGTH // 2) -> None:
        self._bus = bus
        self._log_id = log_id
        self._handlers = handlers
        self._ahead_at_most = ahead_at_most
        self._note_key = note_key(bus)
        self.position = 0
        self._sent_outside = 0
        self._is_synchronised = False

    def synchronise(self) -> None:
        """Compare what Redis holds with what PostgreSQL knows; publish again what Redis has forgotten."""
        ensure_marks(self._handlers)
        row, _ = ConsumerCheckpoint.objects.get_or_create(consumer=RELAY)
        self._sent_outside = row.position
        noted = self.noted_position()
        if noted is None:
            self.position = self._slowest_mark(row.position)
            log.info("bus_rebuilt", from_position=self.position, relayed_before=row.position)
            self._rebuild()
        else:
            self.position = noted
        self._bus.client.set(LAYOUT_KEY, LAYOUT_VERSION)
        self._is_synchronised = True

    def step(self) -> int:
        """Relay one batch. Returns how many events; 0 when there are none or the slowest handler is too far behind."""
        if not self._is_synchronised or self.noted_position() != self.position:
            self.synchronise()
        if self._is_too_far_ahead():
            return 0
        rows = packed_after(self.position, limit=RELAY_BATCH)
        if rows:
            self._is_synchronised = False
            was_remembered = self._send(rows)
            advance(RELAY, self.position, handled=len(rows))
            self._is_synchronised = was_remembered
        return len(rows)

    def noted_position(self) -> int | None:
        """How far Redis says that it was filled from this log; None if it does not know."""
        return relayed_position(self._bus, self._log_id)

    def _send(self, rows: list[tuple[Priority, PackedEvent]]) -> bool:
        """One MULTI. Whether Redis still knew the batch before; if not, the note is removed again so that the next step rebuilds."""
        pipe = self._bus.client.pipeline(transaction=True)
        pipe.get(self._note_key)
        for lane, item in rows:
            self._bus.add(pipe, lane, item)
            if item.event_type in SOURCE_TYPES and item.position > self._sent_outside:
                _add_outside(pipe, item)
        last = rows[-1][1].position
        pipe.set(self._note_key, self._note(last))
        was_remembered = bool(pipe.execute()[0] == self._note(self.position).encode())
        if not was_remembered:
            self._bus.client.delete(self._note_key)
        self.position = last
        self._sent_outside = max(self._sent_outside, last)
        return was_remembered

    def _rebuild(self) -> None:
        pipe = self._bus.client.pipeline(transaction=True)
        self._bus.add_reset(pipe, groups=sorted({handler.group for handler in self._handlers}))
        pipe.set(self._note_key, self._note(self.position))
        pipe.execute()

    def _is_too_far_ahead(self) -> bool:
        return bool(self._handlers) and self.position - self._slowest_mark(self.position) > self._ahead_at_most

    def _slowest_mark(self, otherwise: int) -> int:
        return min(marks_of(self._handlers).values(), default=otherwise)

    def _note(self, position: int) -> str:
        return f"{self._log_id}:{position}"


def note_key(bus: Bus) -> str:
    """Where the relay notes how far it has come. Without the note it publishes again what handlers may have missed."""
    return f"{bus.prefix}relayed"


def relayed_position(bus: Bus, log_id: UUID) -> int | None:
    """How far this Redis was filled from this log; None if it was not, or has forgotten."""
    note = bus.client.get(note_key(bus))
    if not isinstance(note, bytes):
        return None
    known, _, position = note.decode().partition(":")
    return int(position) if known == str(log_id) else None


def _add_outside(pipe: Pipeline, item: PackedEvent) -> None:
    try:
        messages = outside_messages(item.event_type, msgspec.json.decode(item.payload), item.occurred_at.isoformat())
    except (KeyError, TypeError, ValueError) as error:
        log.warning("outside_message_skipped", event_type=item.event_type, position=item.position, error=repr(error))
        return
    for channel, payload in messages:
        add_message(pipe, channel, payload, position=item.position)
