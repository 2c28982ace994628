"""The bus: typed events on three Redis Streams, one per priority, read by consumer groups.

Keys (`ts:` is EVENTS_KEY_PREFIX): `ts:events:high`, `ts:events:normal`, `ts:events:low`. An entry's id is `<position>-0`, so an event cannot be
put twice into a stream, and its one field `e` is the event packed by msgpack. Redis holds copies only: the log in PostgreSQL is the truth,
and what Redis forgets is published again from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import hiredis
import msgspec
import redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from apps.core.errors import InvalidInput
from apps.core.events import Envelope, Priority, decode_payload, encode_payload

STREAM_LENGTH = 50_000
"""Entries a stream keeps, about. The relay waits for the slowest handler well before that."""
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 5.0
_FIELD = b"e"


class PackedEvent(msgspec.Struct, frozen=True, array_like=True):
    """What travels: the envelope with the payload still as JSON, so that only those who want the event decode it."""

    position: int
    id: UUID
    event_type: str
    version: int
    subject: str
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    payload: bytes

    def envelope(self) -> Envelope:
        """The typed event; raises InvalidInput where its schema is unknown or does not fit."""
        return Envelope(
            id=self.id,
            event=decode_payload(self.event_type, self.version, self.payload),
            subject=self.subject,
            actor=self.actor,
            occurred_at=self.occurred_at,
            recorded_at=self.recorded_at,
            position=self.position,
        )


class Delivery(msgspec.Struct, frozen=True):
    """An entry handed to one consumer of a group; it stays pending until acknowledged."""

    lane: Priority
    entry_id: bytes
    packed: bytes

    @property
    def position(self) -> int:
        return int(self.entry_id.partition(b"-")[0])

    def unpack(self) -> PackedEvent:
        """The event still packed; raises InvalidInput if the entry is not ours."""
        try:
            return _decoder.decode(self.packed)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise InvalidInput(f"The stream entry {self.entry_id.decode()} is not a packed event: {error}.", where="bus") from error

    def envelope(self) -> Envelope:
        return self.unpack().envelope()


Command = Callable[..., Any]
"""What redis-py and hiredis leave untyped."""

_pack_command: Command = hiredis.pack_command
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(PackedEvent)
_LANES = tuple(Priority)


def connect(url: str) -> redis.Redis:
    """A client that fails at once instead of trying again by itself: the loops above decide when."""
    client = redis.Redis.from_url(
        url, protocol=2, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
    )
    for command in ("XREADGROUP", "XREAD", "XAUTOCLAIM"):
        client.set_response_callback(command, _as_it_comes)
    return client


def _as_it_comes(response: Any, **options: Any) -> Any:
    return response


def pack(envelope: Envelope) -> PackedEvent:
    """An envelope ready to be published; it must have its position."""
    if envelope.position is None:
        raise InvalidInput("Only a sealed event can be published: it has no position.", where="bus")
    event = envelope.event
    return PackedEvent(
        position=envelope.position,
        id=envelope.id,
        event_type=event.event_type,
        version=event.version,
        subject=envelope.subject,
        actor=envelope.actor,
        occurred_at=envelope.occurred_at,
        recorded_at=envelope.recorded_at,
        payload=encode_payload(event),
    )


class Bus:
    """Publishing to and consuming from the three streams."""

    def __init__(self, client: redis.Redis, *, prefix: str, length: int = STREAM_LENGTH) -> None:
        self.client = client
        self.prefix = prefix
        self._command: Command = client.execute_command
        self._length = b"%d" % length
        self._streams = {lane: f"{prefix}events:{lane.name.lower()}".encode() for lane in _LANES}
        self._lanes = {stream: lane for lane, stream in self._streams.items()}

    def stream(self, lane: Priority) -> str:
        """The key of a lane."""
        return self._streams[lane].decode()

    def publish(self, envelopes: Iterable[Envelope]) -> int:
        """Publish sealed events in one round trip, in their order. Returns how many; raises the first refusal after the others were sent."""
        commands = [_pack_command(self._xadd(envelope.event.priority, pack(envelope))) for envelope in envelopes]
        if commands:
            self._send_packed(commands)
        return len(commands)

    def add(self, pipe: Pipeline, lane: Priority, event: PackedEvent) -> None:
        """Put one event into a pipeline of the caller's."""
        send: Command = pipe.execute_command
        send(*self._xadd(lane, event))

    def ensure_group(self, group: str) -> bool:
        """Create the group on every lane that lacks it, from the first entry kept. Whether one was missing."""
        was_missing = False
        for stream in self._streams.values():
            try:
                self.client.xgroup_create(stream, group, id="0", mkstream=True)
                was_missing = True
            except redis.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise
        return was_missing

    def read(self, group: str, consumer: str, *, count: int, block_ms: int | None = None) -> list[Delivery]:
        """Up to `count` new entries of the highest lane that has any; with `block_ms`, waits that long for some if none has."""
        for lane in _LANES:
            if found := self._read([lane], group, consumer, count, None):
                return found
        return self._read(_LANES, group, consumer, count, block_ms) if block_ms else []

    def claim(self, group: str, consumer: str, *, min_idle_ms: int) -> list[Delivery]:
        """Take over what consumers of the group left unacknowledged for so long, high lane first (XAUTOCLAIM)."""
        found: list[Delivery] = []
        for lane, stream in self._streams.items():
            cursor = b"0-0"
            while True:
                cursor, entries, *_ = self._command("XAUTOCLAIM", stream, group, consumer, min_idle_ms, cursor, "COUNT", 1000)
                found += [Delivery(lane, entry_id, fields[1]) for entry_id, fields in filter(_is_kept, entries)]
                if cursor == b"0-0":
                    break
        return found

    def acknowledge(self, group: str, deliveries: Sequence[Delivery]) -> None:
        """Tell Redis that these are dealt with, in one round trip."""
        pipe = self.client.pipeline(transaction=False)
        send: Command = pipe.execute_command
        for lane, stream in self._streams.items():
            if entry_ids := [item.entry_id for item in deliveries if item.lane is lane]:
                send("XACK", stream, group, *entry_ids)
        pipe.execute()

    def pending(self, group: str) -> int:
        """Entries of the group delivered and not acknowledged."""
        return sum(int(cast("dict[str, int]", self.client.xpending(stream, group))["pending"]) for stream in self._streams.values())

    def add_reset(self, pipe: Pipeline, *, groups: Sequence[str]) -> None:
        """Put into a pipeline: delete the streams with all that is pending, and begin them anew with these groups."""
        pipe.delete(*self._streams.values())
        for stream in self._streams.values():
            for group in groups:
                pipe.xgroup_create(stream, group, id="0", mkstream=True)

    def forget(self) -> None:
        """Delete the streams with their groups."""
        self.client.delete(*self._streams.values())

    def _xadd(self, lane: Priority, event: PackedEvent) -> tuple[bytes, ...]:
        return (b"XADD", self._streams[lane], b"MAXLEN", b"~", self._length, b"%d-0" % event.position, _FIELD, _encoder.encode(event))

    def _send_packed(self, commands: list[bytes]) -> None:
        """What a pipeline does, without its cost for each command (it is most of the time of publishing)."""
        pool = self.client.connection_pool
        connection: Any = pool.get_connection()
        try:
            connection.send_packed_command([b"".join(commands)])
            answers = [_answer(connection) for _ in commands]
        finally:
            pool.release(connection)
        for answer in answers:
            if isinstance(answer, redis.ResponseError):
                raise answer

    def _read(self, lanes: Sequence[Priority], group: str, consumer: str, count: int, block_ms: int | None) -> list[Delivery]:
        wait: list[Any] = ["BLOCK", block_ms] if block_ms else []
        streams = [self._streams[lane] for lane in lanes]
        answer = self._command("XREADGROUP", "GROUP", group, consumer, "COUNT", count, *wait, "STREAMS", *streams, *[b">"] * len(streams))
        return [
            Delivery(self._lanes[stream], entry_id, fields[1])
            for stream, entries in answer or ()
            for entry_id, fields in filter(_is_kept, entries)
        ]


def _answer(connection: Any) -> object:
    """The next answer; a refusal is one, too, so that the answers behind it are read. A lost connection is closed and raised."""
    try:
        answer: object = connection.read_response()
    except redis.ResponseError as refusal:
        return refusal
    return answer


def _is_kept(entry: Any) -> bool:
    """An entry that was trimmed away while pending comes back without fields."""
    return bool(entry) and bool(entry[1])
