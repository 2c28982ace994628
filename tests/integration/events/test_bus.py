"""The bus on a real Redis: lanes, groups, acknowledgement, recovery of what a dead consumer left."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
import redis

from apps.core.errors import InvalidInput
from apps.core.events import Envelope, Event, Priority
from apps.core.ids import uuid7
from apps.events.bus import Bus, PackedEvent
from apps.events.contracts import AlertRaised, ProcessRestarted, ProcessStarted
from tests.integration.events.conftest import OwnRedis

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
GROUP = "g"


def envelope(position: int, event: Event | None = None) -> Envelope:
    item = event or ProcessRestarted(process="web", exit_code=1, restarts=position)
    return Envelope(id=uuid7(), event=item, subject="web", actor="ada", occurred_at=NOW, recorded_at=NOW, position=position)


def alert(position: int) -> Envelope:
    return envelope(position, AlertRaised(level="INFO", title="t", message="m"))


def low(position: int) -> Envelope:
    return envelope(position, ProcessStarted(process="web", pid=1))


def test_what_is_published_is_consumed_as_it_was(bus: Bus) -> None:
    bus.ensure_group(GROUP)
    sent = [envelope(1), alert(2), low(3)]
    assert bus.publish(sent) == 3
    read = [bus.read(GROUP, "a", count=10) for _ in range(3)]
    assert [[item.envelope() for item in batch] for batch in read] == [[sent[1]], [sent[0]], [sent[2]]]
    assert bus.read(GROUP, "a", count=10) == []


def test_the_higher_lane_is_read_first_also_when_it_fills_later(bus: Bus) -> None:
    bus.ensure_group(GROUP)
    bus.publish([low(1), low(2), low(3), envelope(4), envelope(5)])
    assert [item.position for item in bus.read(GROUP, "a", count=1)] == [4]
    bus.publish([alert(6), alert(7)])
    order = [item.position for _ in range(6) for item in bus.read(GROUP, "a", count=1)]
    assert order == [6, 7, 5, 1, 2, 3]


def test_each_group_gets_everything_and_consumers_of_one_share(bus: Bus) -> None:
    bus.ensure_group(GROUP)
    bus.ensure_group("other")
    bus.publish([envelope(number) for number in range(1, 11)])
    first, second = bus.read(GROUP, "a", count=4), bus.read(GROUP, "b", count=10)
    assert [item.position for item in [*first, *second]] == list(range(1, 11))
    assert len(bus.read("other", "a", count=100)) == 10


def test_acknowledged_is_gone_and_the_rest_is_pending(bus: Bus) -> None:
    bus.ensure_group(GROUP)
    bus.publish([alert(1), envelope(2), low(3)])
    batches = [bus.read(GROUP, "a", count=10) for _ in range(3)]
    assert bus.pending(GROUP) == 3
    bus.acknowledge(GROUP, [*batches[0], *batches[2]])
    assert bus.pending(GROUP) == 1
    bus.acknowledge(GROUP, batches[1])
    assert bus.pending(GROUP) == 0
    bus.acknowledge(GROUP, [])


def test_what_a_dead_consumer_left_is_claimed_by_another(bus: Bus) -> None:
    bus.ensure_group(GROUP)
    bus.publish([low(1), *[envelope(number) for number in range(2, 2003)], alert(2003)])
    dead = [item for _ in range(3) for item in bus.read(GROUP, "dead", count=5000)]
    assert len(dead) == 2003
    assert bus.claim(GROUP, "alive", min_idle_ms=60_000) == []
    claimed = bus.claim(GROUP, "alive", min_idle_ms=0)
    assert [item.position for item in claimed] == [2003, *range(2, 2003), 1]
    bus.acknowledge(GROUP, claimed)
    assert bus.claim(GROUP, "dead", min_idle_ms=0) == []


def test_an_event_is_not_put_twice_into_a_stream(bus: Bus) -> None:
    bus.publish([envelope(1), envelope(2)])
    with pytest.raises(redis.ResponseError, match="equal or smaller"):
        bus.publish([envelope(2)])
    assert bus.client.xlen(bus.stream(Priority.NORMAL)) == 2


def test_a_stream_keeps_a_bounded_number(own_redis: OwnRedis) -> None:
    bus = Bus(own_redis.client(), prefix="short:", length=100)
    bus.publish([envelope(number) for number in range(1, 1001)])
    assert bus.client.xlen(bus.stream(Priority.NORMAL)) <= 200


def test_a_new_group_starts_with_the_first_event_kept(bus: Bus) -> None:
    bus.publish([envelope(1)])
    assert bus.ensure_group(GROUP) is True
    assert bus.ensure_group(GROUP) is False
    assert [item.position for item in bus.read(GROUP, "a", count=10)] == [1]


def test_waiting_ends_with_the_first_event(bus: Bus) -> None:
    bus.ensure_group(GROUP)
    assert bus.read(GROUP, "a", count=10, block_ms=20) == []
    bus.publish([low(1)])
    assert [item.position for item in bus.read(GROUP, "a", count=10, block_ms=1000)] == [1]


def test_an_event_without_a_position_cannot_be_published(bus: Bus) -> None:
    with pytest.raises(InvalidInput, match="no position"):
        bus.publish([msgspec.structs.replace(envelope(1), position=None)])


def test_unknown_fields_missing_fields_and_unknown_versions_are_refused(bus: Bus) -> None:
    bus.ensure_group(GROUP)
    packed = {
        1: (1, b'{"process": "web", "exit_code": 1, "restarts": 1, "extra": 1}', "unknown field"),
        2: (1, b'{"process": "web"}', "missing required field"),
        3: (9, b'{"process": "web", "exit_code": 1, "restarts": 1}', r"version 9 is registered, only version \[1\]"),
    }
    for position, (version, payload, _) in packed.items():
        pipe = bus.client.pipeline()
        item = PackedEvent(position, uuid7(), "system.process_restarted", version, "", "ada", NOW, NOW, payload)
        bus.add(pipe, Priority.NORMAL, item)
        pipe.execute()
    for delivery in bus.read(GROUP, "a", count=10):
        with pytest.raises(InvalidInput, match=packed[delivery.position][2]):
            delivery.envelope()


def test_a_foreign_entry_is_refused_by_name(bus: Bus) -> None:
    bus.ensure_group(GROUP)
    bus.client.xadd(bus.stream(Priority.NORMAL), {"hello": "there"})
    (delivery,) = bus.read(GROUP, "a", count=10)
    with pytest.raises(InvalidInput, match="is not a packed event"):
        delivery.envelope()
