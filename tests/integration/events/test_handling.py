"""From the log through the relay to handlers: each once, failures retried, dead letters, nothing lost with Redis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from apps.core.errors import Conflict, NotFound
from apps.core.events import Envelope, Event, Priority
from apps.core.ids import uuid7
from apps.events import selectors
from apps.events.bus import Bus
from apps.events.contracts import AlertRaised, HandlerFailed, ProcessRestarted, ProcessStarted
from apps.events.models import ConsumerCheckpoint, DeadLetter, HandlerRetry, LoggedEvent
from apps.events.ports import HandlerRegistry, handles
from apps.events.services import HandlerRunner, Relay, log_identity, resolve_dead_letter, retry_dead_letter
from apps.events.services.relaying import note_key
from apps.events.services.retries import retry_due
from tests.integration.events.conftest import PREFIX, OwnRedis, sealed_log

pytestmark = pytest.mark.django_db

Failure = Callable[[Envelope], bool]


class World:
    """A relay and a runner with one handler `h` that notes what it was given."""

    def __init__(self, bus: Bus, *classes: type[Event], fails: Failure = lambda envelope: False) -> None:
        self.bus = bus
        self.given: list[int] = []
        self.fails = fails
        self.registry = HandlerRegistry()

        @handles(*(classes or (AlertRaised, ProcessRestarted, ProcessStarted)), name="h", registry=self.registry)
        def note(envelope: Envelope) -> None:
            if self.fails(envelope):
                raise ValueError(f"cannot take {envelope.position}")
            self.given.append(envelope.position or 0)

        self.restart()

    def restart(self, consumer: str = "consumer") -> None:
        """New processes, as after a crash."""
        handlers = self.registry.all()
        self.relay = Relay(self.bus, log_id=log_identity(), handlers=handlers)
        self.runner = HandlerRunner(self.bus, group="handlers", handlers=handlers, consumer=consumer, log_id=log_identity())
        self.relay.synchronise()
        self.runner.prepare()

    def run(self) -> None:
        """Until there is nothing left to do, three times in a row."""
        idle = 0
        while idle < 3:
            idle = 0 if self.relay.step() + self.runner.step() else idle + 1

    def stats(self) -> tuple[int, int, int]:
        (stats,) = selectors.handler_stats()
        return stats.handled, stats.failed, stats.retried


@pytest.fixture
def world(bus: Bus) -> World:
    return World(bus)


def test_each_event_is_given_once_in_order_within_its_lane(world: World) -> None:
    sealed_log(30)
    world.run()
    assert world.given == [*range(1, 31, 3), *range(2, 31, 3), *range(3, 31, 3)]
    assert world.bus.pending("handlers") == 0
    assert world.stats() == (30, 0, 0)


def test_a_handler_gets_only_its_classes(bus: Bus) -> None:
    world = World(bus, ProcessRestarted)
    sealed_log(9)
    world.run()
    assert world.given == [2, 5, 8]
    assert set(ConsumerCheckpoint.objects.filter(consumer__startswith="h:").values_list("consumer", flat=True)) == {"h:normal"}


def test_a_new_handler_starts_with_what_is_sealed_after_its_first_start(bus: Bus) -> None:
    sealed_log(6)
    world = World(bus)
    sealed_log(3, first=6)
    world.run()
    assert sorted(world.given) == [7, 8, 9]


def test_after_a_crash_before_the_acknowledgement_nothing_is_given_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed_log(6)
    world.relay.step()
    with monkeypatch.context() as patched:
        patched.setattr(Bus, "acknowledge", lambda *_: (_ for _ in ()).throw(redis.ConnectionError("gone")))
        with pytest.raises(redis.ConnectionError):
            world.runner.step()
    assert world.given == [1, 4]
    world.restart("another")
    world.run()
    assert world.given == [1, 4, 2, 5, 3, 6]
    assert world.bus.pending("handlers") == 0


def test_what_a_dead_consumer_had_read_and_not_handled_is_handled_by_the_next(world: World) -> None:
    sealed_log(9)
    world.relay.step()
    assert len(world.bus.read("handlers", "dead", count=100)) == 3
    sealed_log(3, first=9)
    world.relay.step()
    world.restart("another")
    world.run()
    assert sorted(world.given) == list(range(1, 13))
    assert world.given[:3] == [1, 4, 7]


def test_redis_flushed_before_handlers_had_read_loses_nothing(world: World, own_redis: OwnRedis) -> None:
    sealed_log(9)
    world.run()
    sealed_log(9, first=9)
    world.relay.step()
    own_redis.client().flushall()
    sealed_log(3, first=18)
    world.run()
    assert sorted(world.given) == list(range(1, 22))


def test_redis_flushed_between_two_looks_of_the_relay_is_seen_by_the_relay(world: World, own_redis: OwnRedis) -> None:
    sealed_log(9)
    world.relay.step()
    sealed_log(3, first=9)
    genuine = world.relay.noted_position
    world.relay.noted_position = lambda: (genuine(), own_redis.client().flushall())[0]  # type: ignore[method-assign]
    world.relay.step()
    world.relay.noted_position = genuine  # type: ignore[method-assign]
    world.run()
    assert sorted(world.given) == list(range(1, 13))


def test_one_lost_stream_is_published_again(world: World, own_redis: OwnRedis) -> None:
    sealed_log(9)
    world.relay.step()
    own_redis.client().delete(world.bus.stream(Priority.NORMAL))
    world.run()
    assert sorted(world.given) == list(range(1, 10))


def test_redis_killed_and_started_empty_loses_nothing(world: World, own_redis: OwnRedis) -> None:
    sealed_log(9)
    world.relay.step()
    own_redis.kill()
    sealed_log(9, first=9)
    with pytest.raises(redis.ConnectionError):
        world.relay.step()
    with pytest.raises(redis.ConnectionError):
        world.runner.step()
    own_redis.start()
    world.restart()
    world.run()
    assert sorted(world.given) == list(range(1, 19))


def test_after_a_rebuild_handlers_skip_what_they_have_had(world: World, own_redis: OwnRedis) -> None:
    sealed_log(9)
    world.run()
    own_redis.client().delete(note_key(world.bus))
    sealed_log(3, first=9)
    world.run()
    assert sorted(world.given) == list(range(1, 13))


def test_a_redis_that_holds_another_log_is_filled_anew(world: World, own_redis: OwnRedis) -> None:
    own_redis.client().set(note_key(world.bus), f"{uuid7()}:5000")
    sealed_log(3)
    world.run()
    assert sorted(world.given) == [1, 2, 3]


def test_the_relay_waits_for_a_handler_that_is_far_behind(bus: Bus) -> None:
    world = World(bus)
    relay = Relay(bus, log_id=log_identity(), handlers=world.registry.all(), ahead_at_most=5)
    sealed_log(10)
    assert relay.step() == 10
    sealed_log(1, first=10)
    assert relay.step() == 0
    while world.runner.step():
        pass
    world.runner.step()
    assert relay.step() == 1


def test_idle_lanes_do_not_hold_the_mark_back(bus: Bus) -> None:
    world = World(bus, AlertRaised)
    sealed_log(9)
    world.run()
    world.runner._idle_marked_at = -100.0
    world.runner.step()
    (stats,) = selectors.handler_stats()
    assert (stats.position, stats.lag) == (9, 0)


def test_a_failure_is_retried_with_growing_waits_and_holds_nothing_up(world: World) -> None:
    world.fails = lambda envelope: envelope.position == 4
    sealed_log(9)
    world.run()
    assert 4 not in world.given
    assert len(world.given) == 8
    assert world.stats() == (8, 1, 0)
    retry = HandlerRetry.objects.get()
    assert (retry.attempts, retry.error) == (1, "ValueError: cannot take 4")
    now = timezone.now()
    assert retry_due(world.registry.all(), now=now - timedelta(minutes=1)) == 0
    waits = []
    for hours in range(1, 4):
        at = now + timedelta(hours=hours)
        assert retry_due(world.registry.all(), now=at) == 1
        retry.refresh_from_db()
        waits.append((retry.next_attempt_at - at).total_seconds())
    assert waits == [4.0, 16.0, 64.0]
    world.fails = lambda envelope: False
    assert retry_due(world.registry.all(), now=now + timedelta(hours=4)) == 1
    assert world.given[-1] == 4
    assert world.stats() == (9, 4, 4)
    assert (HandlerRetry.objects.count(), DeadLetter.objects.count()) == (0, 0)


def bury(world: World, position: int) -> DeadLetter:
    world.fails = lambda envelope: envelope.position == position
    sealed_log(position)
    world.run()
    for hours in range(1, 5):
        assert retry_due(world.registry.all(), now=timezone.now() + timedelta(hours=hours)) == 1
    return DeadLetter.objects.get()


def test_after_five_attempts_an_event_is_a_dead_letter_and_that_is_an_event(world: World) -> None:
    letter = bury(world, 4)
    assert (letter.handler, letter.attempts, letter.error) == ("h", 5, "ValueError: cannot take 4")
    assert HandlerRetry.objects.count() == 0
    failed = LoggedEvent.objects.get(event_type=HandlerFailed.event_type)
    assert failed.payload == {"handler": "h", "position": 4, "attempts": 5, "error": "ValueError: cannot take 4"}
    (view,) = selectors.dead_letters()
    assert (view.position, view.event_type, view.resolved_at) == (4, "system.alert_raised", None)
    assert selectors.handler_stats()[0].dead == 1


def test_a_dead_letter_can_be_retried(world: World) -> None:
    letter = bury(world, 4)
    world.fails = lambda envelope: False
    retry_dead_letter(letter.id, actor="ada")
    assert selectors.dead_letters() == []
    assert [view.id for view in selectors.dead_letters(include_settled=True)] == [letter.id]
    assert retry_due(world.registry.all(), now=timezone.now()) == 1
    assert world.given[-1] == 4
    settled = LoggedEvent.objects.get(event_type="system.dead_letter_settled")
    assert (settled.actor, settled.payload) == ("ada", {"handler": "h", "position": 4, "action": "retried"})
    with pytest.raises(Conflict, match="was settled"):
        retry_dead_letter(letter.id, actor="ada")


def test_a_dead_letter_that_fails_again_is_open_again(world: World) -> None:
    letter = bury(world, 4)
    retry_dead_letter(letter.id, actor="ada")
    for hours in range(1, 6):
        assert retry_due(world.registry.all(), now=timezone.now() + timedelta(hours=hours)) == 1
    assert [view.id for view in selectors.dead_letters()] == [letter.id]


def test_a_dead_letter_can_be_put_aside(world: World) -> None:
    letter = bury(world, 4)
    resolve_dead_letter(letter.id, actor="ada")
    assert selectors.dead_letters() == []
    assert HandlerRetry.objects.count() == 0
    with pytest.raises(NotFound):
        resolve_dead_letter(uuid7(), actor="ada")


def test_a_handler_of_failures_that_fails_itself_does_not_go_round_for_ever(bus: Bus) -> None:
    world = World(bus, HandlerFailed, AlertRaised, fails=lambda envelope: True)
    sealed_log(1)
    for hours in range(1, 13):
        sealed_log(0)
        world.run()
        retry_due(world.registry.all(), now=timezone.now() + timedelta(hours=hours))
    assert LoggedEvent.objects.filter(event_type=HandlerFailed.event_type).count() == 1
    assert DeadLetter.objects.count() == 2


def test_what_a_failing_handler_wrote_is_undone(bus: Bus) -> None:
    registry = HandlerRegistry()

    @handles(AlertRaised, name="writer", registry=registry)
    def write(envelope: Envelope) -> None:
        ConsumerCheckpoint.objects.create(consumer="written by the handler")
        raise RuntimeError("after writing")

    relay = Relay(bus, log_id=log_identity(), handlers=registry.all())
    runner = HandlerRunner(bus, group="handlers", handlers=registry.all(), consumer="c", log_id=log_identity())
    runner.prepare()
    sealed_log(1)
    relay.step()
    relay.step()
    runner.step()
    assert HandlerRetry.objects.count() == 1
    assert not ConsumerCheckpoint.objects.filter(consumer="written by the handler").exists()


def test_a_foreign_entry_in_a_stream_is_passed_over(world: World) -> None:
    sealed_log(3)
    world.relay.step()
    world.bus.client.xadd(world.bus.stream(Priority.HIGH), {"hello": "there"}, id="2-5")
    world.run()
    assert sorted(world.given) == [1, 2, 3]
    assert world.bus.pending("handlers") == 0


def test_the_keys_stand_under_the_prefix(world: World, own_redis: OwnRedis) -> None:
    sealed_log(3)
    world.run()
    keys = {key.decode() for key in own_redis.client().keys("*") if key.startswith(PREFIX.encode())}
    assert keys == {f"{PREFIX}events:{lane}" for lane in ("high", "normal", "low")} | {f"{PREFIX}relayed"}
