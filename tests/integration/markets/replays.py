"""What tests of replay venues share: their first closes, a clock that they move, and what the log says."""

from __future__ import annotations

from datetime import UTC, datetime

from apps.events.models import LoggedEvent
from apps.markets import selectors
from apps.markets.contracts import VenueView
from apps.markets.management.replay_player import ReplayPlayer

FIRST = datetime(2003, 1, 2, 21, tzinfo=UTC)
EVE = datetime(2002, 12, 31, 21, tzinfo=UTC)


class Stopwatch:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def now_at(venue: VenueView) -> datetime:
    return selectors.venue(venue.id).now_at


def events(event_type: str) -> list[dict[str, object]]:
    return list(LoggedEvent.objects.filter(event_type=event_type).order_by("id").values_list("payload", flat=True))


def play(player: ReplayPlayer, times: int) -> None:
    for _ in range(times):
        player.advance()
