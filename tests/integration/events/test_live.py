"""The live feed: coalesced, bounded, following the log from its start."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import channel_layers, get_channel_layer

from apps.events.adapters.live import LiveSender
from apps.events.services import LiveFeed, record_events
from apps.events.services.live import MOST_EVENTS
from tests.integration.events.conftest import OwnRedis, sealed_log, some_events


class Outlet:
    def __init__(self) -> None:
        self.sent: list[tuple[list[int], int]] = []

    def send(self, events: list[dict[str, Any]], head: int) -> None:
        self.sent.append(([event["position"] for event in events], head))


@pytest.mark.django_db
def test_only_what_is_sealed_after_the_start_is_sent_each_once() -> None:
    outlet = Outlet()
    feed = LiveFeed(outlet)
    sealed_log(5)
    assert feed.step() == 0
    sealed_log(3, first=5)
    record_events(some_events(2))
    assert feed.step() == 3
    feed._sent_at = -1.0
    assert feed.step() == 0
    assert outlet.sent == [([6, 7, 8], 8)]


@pytest.mark.django_db
def test_messages_are_at_most_five_a_second_and_what_waits_goes_together() -> None:
    outlet = Outlet()
    feed = LiveFeed(outlet)
    feed.step()
    sealed_log(1)
    assert feed.step() == 1
    sealed_log(1)
    assert feed.step() == 0
    assert 0 < feed.seconds_to_wait() <= 0.2
    sealed_log(1)
    feed._sent_at -= 0.2
    assert feed.step() == 2
    assert outlet.sent == [([1], 1), ([2, 3], 3)]


@pytest.mark.django_db
def test_of_a_flood_only_the_newest_are_sent() -> None:
    outlet = Outlet()
    feed = LiveFeed(outlet)
    feed.step()
    sealed_log(MOST_EVENTS + 50)
    assert feed.step() == MOST_EVENTS
    ((positions, head),) = outlet.sent
    assert (positions, head) == (list(range(51, MOST_EVENTS + 51)), MOST_EVENTS + 50)


@pytest.mark.django_db
def test_a_message_tells_what_a_page_shows() -> None:
    told: list[dict[str, Any]] = []

    class Keeper:
        def send(self, events: list[dict[str, Any]], head: int) -> None:
            told.extend(events)

    feed = LiveFeed(Keeper())
    feed.step()
    sealed_log(1)
    feed.step()
    assert {name: told[0][name] for name in ("position", "type", "priority", "subject", "actor", "occurred_at", "payload")} == {
        "position": 1,
        "type": "system.alert_raised",
        "priority": 0,
        "subject": "0",
        "actor": "system",
        "occurred_at": "2026-01-02T03:04:05+00:00",
        "payload": {"level": "INFO", "title": "0", "message": "told"},
    }


def test_the_layer_carries_it_to_whoever_listens(own_redis: OwnRedis, settings: Any) -> None:
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [own_redis.url], "prefix": "t"}}
    }
    channel_layers.backends = {}
    sender = LiveSender()

    async def listen() -> dict[str, Any]:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add("live", channel)
        await asyncio.get_running_loop().run_in_executor(None, lambda: sender.send([{"position": 1}], 1))
        message: dict[str, Any] = await asyncio.wait_for(layer.receive(channel), 5)
        return message

    assert asyncio.run(listen()) == {"type": "live.events", "events": [{"position": 1}], "head": 1}
    sender.close()
    channel_layers.backends = {}
