"""What the tests of markets share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import pytest
from django.conf import settings

from apps.core.ports import configure_ports
from apps.markets import selectors, services
from apps.markets.contracts import VenueView
from apps.markets.management.replay_player import ReplayPlayer
from apps.markets.services import tapes
from tests.integration.markets.replays import Stopwatch


@dataclass
class FakeBarrier:
    """A barrier that tests open and shut; remembers what it was asked."""

    message: str = ""
    asked: list[tuple[UUID, datetime]] = field(default_factory=list)

    def waiting_for(self, venue_id: UUID, closed_at: datetime) -> str:
        self.asked.append((venue_id, closed_at))
        return self.message


BARRIER = FakeBarrier()


def fake_barrier() -> FakeBarrier:
    """The factory that the port names."""
    return BARRIER


@pytest.fixture
def barrier() -> Iterator[FakeBarrier]:
    BARRIER.message = ""
    BARRIER.asked.clear()
    configure_ports({**settings.TRADING_PORTS, "ReplayBarrier": "tests.integration.markets.conftest.fake_barrier"})
    yield BARRIER
    configure_ports(settings.TRADING_PORTS)


@pytest.fixture(autouse=True)
def forget_loaded_sources() -> Iterator[None]:
    """Stored venues live in one test each, so a source loaded from one must not be seen by the next."""
    yield
    tapes._load.cache_clear()


@pytest.fixture
def venue() -> VenueView:
    """A replay from its first bar, running."""
    view = services.open_replay_venue(starts_at=None, reason="test", actor="tester")
    services.start_clock(view.id)
    return selectors.venue(view.id)


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def player(stopwatch: Stopwatch, barrier: FakeBarrier) -> Iterator[ReplayPlayer]:
    """What plays the open replay, on the stopwatch and through the barrier."""
    player = ReplayPlayer(monotonic=stopwatch)
    yield player
    player.release()
