"""The outside channels: what programs outside rely on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import redis

from apps.core.errors import InvalidInput
from apps.core.events import registered_events
from apps.events.adapters import outside
from apps.events.bus import Bus
from apps.events.channels import CHANNELS, SOURCE_TYPES, outside_messages
from apps.events.contracts import AlertRaised
from apps.events.services import Relay, anchor_sealed, log_identity, publish_outside, record_event, seal_batch
from apps.events.services.relaying import note_key
from tests.integration.events.conftest import OwnRedis

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMES = ["forecast_updates", "risk_updates", "strategy_config", "trading:signals", "ai:predictions", "system:alerts", "market:ticks"]
SAMPLES = {
    "str": "1d",
    "int": 3,
    "float": 0.5,
    "uuid": "0197b3a0-0000-7000-8000-000000000000",
    "decimal": "0.8",
    "datetime": "2026-01-02T03:04:05Z",
}


def sample_payload(cls: type[Any]) -> dict[str, Any]:
    """A payload with a value for every field of the event class."""
    described = msgspec.inspect.type_info(cls)
    payload: dict[str, Any] = {}
    for item in described.fields:
        kind = type(item.type).__name__.removesuffix("Type").lower()
        payload[item.encode_name] = {"list": [], "dict": {}, "bool": True, "union": None}.get(kind, SAMPLES.get(kind))
    return payload


def test_the_published_names_are_all_there() -> None:
    assert list(CHANNELS) == NAMES


def test_every_source_is_an_event_whose_fields_fill_the_published_schema() -> None:
    classes = {cls.event_type: cls for cls in registered_events()}
    assert classes.keys() >= SOURCE_TYPES
    for event_type in SOURCE_TYPES:
        messages = outside_messages(event_type, sample_payload(classes[event_type]), NOW.isoformat())
        assert messages
        for channel, payload in messages:
            channel.require_schema(payload)
            assert all(value is not None for value in payload.values()), (channel.name, payload)


def test_a_forecast_goes_out_as_published() -> None:
    payload = {
        "symbol": "AAPL",
        "horizon_bars": 5,
        "timeframe": "1d",
        "expected_return": 0.01,
        "confidence": 0.7,
        "probability_up": 0.6,
        "model": "lightgbm-3",
        "forecast_id": "f",
        "as_of": "2008-09-15T20:00:00Z",
    }
    messages = {channel.name: message for channel, message in outside_messages("forecast.updated", payload, "")}
    assert messages["forecast_updates"] == {
        "asset": "AAPL",
        "horizon": "5d",
        "prediction": 0.01,
        "confidence": 0.7,
        "timestamp": "2008-09-15T20:00:00Z",
    }
    assert messages["ai:predictions"]["probability_up"] == 0.6


@pytest.mark.django_db
def test_a_sealed_event_reaches_subscribers_and_the_stream_once_also_after_a_rebuild(bus: Bus, own_redis: OwnRedis) -> None:
    client = own_redis.client()
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("system:alerts")
    listener.get_message(timeout=1)
    record_event(AlertRaised(level="WARNING", title="Feed", message="slow"), occurred_at=NOW)
    seal_batch()
    anchor_sealed()
    relay = Relay(bus, log_id=log_identity(), handlers=[])
    relay.step()
    expected = {"level": "WARNING", "title": "Feed", "message": "slow", "timestamp": "2026-01-02T03:04:05+00:00"}
    message = listener.get_message(timeout=2)
    assert message is not None
    assert json.loads(message["data"]) == expected
    ((_, fields),) = client.xrange("system:alerts")
    assert (json.loads(fields[b"payload"]), fields[b"version"], fields[b"position"]) == (expected, b"1", b"1")
    assert client.get("ts:layout") == b"1"
    client.delete(note_key(bus))
    Relay(bus, log_id=log_identity(), handlers=[]).step()
    assert client.xlen("system:alerts") == 1
    assert listener.get_message(timeout=0.1) is None
    listener.close()


def test_anybody_can_publish_what_fits_the_table(own_redis: OwnRedis, settings: Any) -> None:
    settings.REDIS_URL = own_redis.url
    outside.outside_sender.cache_clear()
    tick = {"venue": "replay-1", "timeframe": "1d", "instruments": 0, "bars": [], "timestamp": NOW.isoformat()}
    assert publish_outside("market:ticks", tick) is True
    ((_, fields),) = own_redis.client().xrange("market:ticks")
    assert json.loads(fields[b"payload"]) == tick
    with pytest.raises(InvalidInput, match=r"missing \['bars'\], unknown \['colour'\]"):
        publish_outside("market:ticks", {**{name: 1 for name in tick if name != "bars"}, "colour": 1})
    with pytest.raises(InvalidInput, match="No outside channel is named 'x'"):
        publish_outside("x", {})
    outside.outside_sender.cache_clear()


def test_a_redis_that_is_down_costs_the_message_and_nothing_else(settings: Any) -> None:
    class Gone:
        calls = 0

        def pipeline(self, transaction: bool) -> Any:
            Gone.calls += 1
            raise redis.ConnectionError("down")

    sender = outside.OutsideSender(Gone())  # type: ignore[arg-type]
    tick = {"venue": "v", "timeframe": "1d", "instruments": 0, "bars": [], "timestamp": ""}
    assert [sender.send(CHANNELS["market:ticks"], tick) for _ in range(5)] == [False] * 5
    assert Gone.calls == 1
