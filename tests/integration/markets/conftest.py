"""What the tests of markets share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import pytest
from django.conf import settings

from apps.core.ports import configure_ports
from apps.markets.services import tapes


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
