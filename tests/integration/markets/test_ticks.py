"""The outside channel `market:ticks`: the bars of a step, after its commit, and nothing lost with Redis."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from apps.core.errors import Conflict
from apps.events.adapters import outside
from apps.markets import services
from apps.markets.management.replay_player import ReplayPlayer
from apps.markets.models import Instrument, VenueClock
from apps.markets.services import replay, ticks
from tests.integration.markets.conftest import FakeBarrier

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    sent: list[tuple[str, dict[str, Any]]] = []

    def publish(name: str, payload: dict[str, Any]) -> bool:
        json.dumps(payload)
        sent.append((name, payload))
        return True

    monkeypatch.setattr(ticks, "publish_outside", publish)
    return sent


def test_a_step_is_published_with_its_bars_after_its_commit(published: list[tuple[str, dict[str, Any]]]) -> None:
    venue = services.open_replay_venue(starts_at=datetime(2003, 1, 2, tzinfo=UTC), reason="test", actor="test")
    services.start_clock(venue.id)
    reel = replay.replay_reel(venue.id)
    with transaction.atomic():
        services.play_step(venue_id=venue.id, reel=reel)
        assert published == []
    ((name, payload),) = published
    assert name == "market:ticks"
    assert (payload["venue"], payload["timeframe"], payload["timestamp"]) == (venue.code, "1d", "2003-01-02T21:00:00+00:00")
    assert payload["instruments"] == len(payload["bars"]) == 22
    index = next(bar for bar in payload["bars"] if bar["asset"] == "SP500")
    assert {name: Decimal(index[name]) for name in ("open", "high", "low", "close")} == {
        "open": Decimal("879.82"), "high": Decimal("909.03"), "low": Decimal("879.82"), "close": Decimal("909.03"),
    }  # fmt: skip


def test_a_step_that_is_rolled_back_is_not_published(published: list[tuple[str, dict[str, Any]]]) -> None:
    venue = services.open_replay_venue(starts_at=datetime(2003, 1, 2, tzinfo=UTC), reason="test", actor="test")
    services.start_clock(venue.id)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.play_step(venue_id=venue.id, reel=replay.replay_reel(venue.id))
        raise RuntimeError
    assert published == []


def test_without_redis_the_step_is_played_all_the_same(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    outside.outside_sender.cache_clear()
    venue = services.open_replay_venue(starts_at=datetime(2003, 1, 2, tzinfo=UTC), reason="test", actor="test")
    services.start_clock(venue.id)
    assert services.play_step(venue_id=venue.id, reel=replay.replay_reel(venue.id)).is_played
    assert VenueClock.objects.get(venue_id=venue.id).bars_done == 1
    outside.outside_sender.cache_clear()


def test_a_replay_whose_source_counts_in_other_units_now_is_not_played_on_and_says_so(barrier: FakeBarrier) -> None:
    venue = services.open_replay_venue(starts_at=datetime(2003, 1, 2, tzinfo=UTC), reason="test", actor="test")
    services.start_clock(venue.id)
    Instrument.objects.filter(venue_id=venue.id, symbol="AAPL").update(price_scale=4)
    with pytest.raises(Conflict, match="AAPL had other decimal places"):
        replay.replay_reel(venue.id)
    player = ReplayPlayer()
    assert player.advance() > 0
    assert "Restart the replay" in VenueClock.objects.get(venue_id=venue.id).message
    player.release()
