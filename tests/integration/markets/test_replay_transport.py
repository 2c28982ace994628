"""The transport of a replay: its pace, the barrier, pause, step and jump."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.core.errors import Conflict, NotFound
from apps.core.vocabulary import Timeframe
from apps.events.models import LoggedEvent
from apps.markets import selectors, services
from apps.markets.contracts import ClockStatus, VenueView
from apps.markets.management.replay_player import ReplayPlayer
from tests.integration.markets.conftest import FakeBarrier
from tests.integration.markets.replays import EVE, FIRST, Stopwatch, events, play

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_preparing_replay_does_not_move(barrier: FakeBarrier, player: ReplayPlayer) -> None:
    view = services.open_replay_venue(starts_at=None, reason="", actor="tester")
    play(player, 3)
    assert selectors.venue(view.id) == view
    assert barrier.asked == []
    assert services.start_clock(view.id).status is ClockStatus.RUNNING
    services.start_clock(view.id)
    assert [item["action"] for item in events("market.clock_changed")] == ["open", "start"]


def test_the_pace_is_the_speed_of_the_clock(venue: VenueView, player: ReplayPlayer, stopwatch: Stopwatch) -> None:
    player.advance()
    assert player.advance() == pytest.approx(1.0)
    stopwatch.now += 0.75
    assert player.advance() == pytest.approx(0.25)
    assert selectors.venue(venue.id).bars_done == 1
    stopwatch.now += 0.25
    player.advance()
    assert selectors.venue(venue.id).bars_done == 2
    services.command_clock(venue_id=venue.id, action="speed", bars_per_second=Decimal(100), actor="tester")
    for _ in range(50):
        stopwatch.now += 0.01
        player.advance()
    assert selectors.venue(venue.id).bars_done == 52


def test_a_late_bar_does_not_make_the_next_ones_hurry(venue: VenueView, player: ReplayPlayer, stopwatch: Stopwatch) -> None:
    player.advance()
    stopwatch.now += 60
    play(player, 10)
    assert selectors.venue(venue.id).bars_done == 2


def test_after_a_jump_the_replay_goes_on_at_its_speed(venue: VenueView, player: ReplayPlayer, stopwatch: Stopwatch) -> None:
    player.advance()
    services.command_clock(venue_id=venue.id, action="jump", jump_to=datetime(2003, 3, 3, tzinfo=UTC), actor="tester")
    for _ in range(60):
        stopwatch.now += 0.02
        player.advance()
    arrived = selectors.venue(venue.id)
    assert (arrived.now_at, arrived.jump_to) == (datetime(2003, 3, 3, 21, tzinfo=UTC), None)
    stopwatch.now += 1.0
    player.advance()
    assert selectors.venue(venue.id).bars_done == arrived.bars_done + 1


def test_nothing_is_played_while_the_barrier_is_shut(
    venue: VenueView, player: ReplayPlayer, barrier: FakeBarrier, stopwatch: Stopwatch
) -> None:
    player.advance()
    barrier.message = "1 session has not decided on this bar yet."
    for _ in range(25):
        stopwatch.now += 0.1
        player.advance()
    view = selectors.venue(venue.id)
    assert (view.now_at, view.message) == (FIRST, "")
    assert set(barrier.asked) == {(venue.id, EVE), (venue.id, FIRST)}
    stopwatch.now += 2
    player.advance()
    assert selectors.venue(venue.id).message == "1 session has not decided on this bar yet."
    barrier.message = ""
    player.advance()
    view = selectors.venue(venue.id)
    assert (view.bars_done, view.message) == (2, "")


def test_pause_step_and_resume(venue: VenueView, player: ReplayPlayer, stopwatch: Stopwatch) -> None:
    player.advance()
    services.command_clock(venue_id=venue.id, action="pause", actor="tester")
    stopwatch.now += 100
    play(player, 5)
    assert selectors.venue(venue.id).bars_done == 1
    services.command_clock(venue_id=venue.id, action="step", steps=3, actor="tester")
    play(player, 8)
    view = selectors.venue(venue.id)
    assert (view.status, view.bars_done, view.steps_requested) == (ClockStatus.PAUSED, 4, 0)
    services.command_clock(venue_id=venue.id, action="resume", actor="tester")
    player.advance()
    assert selectors.venue(venue.id).bars_done == 5
    actions = [(item["action"], item["status"]) for item in events("market.clock_changed")]
    assert actions[2:] == [("pause", "PAUSED"), ("step", "PAUSED"), ("resume", "RUNNING")]
    assert LoggedEvent.objects.filter(event_type="market.clock_changed", actor="tester").count() == 4


@pytest.mark.parametrize("state", ["RUNNING", "PAUSED"])
def test_a_jump_plays_every_bar_in_between_without_pauses_and_goes_on_as_before(
    venue: VenueView, player: ReplayPlayer, barrier: FakeBarrier, state: str
) -> None:
    if state == "PAUSED":
        services.command_clock(venue_id=venue.id, action="pause", actor="tester")
    target = datetime(2003, 3, 3, tzinfo=UTC)
    services.command_clock(venue_id=venue.id, action="jump", jump_to=target, actor="tester")
    play(player, 60)
    view = selectors.venue(venue.id)
    assert (view.now_at, view.status, view.jump_to) == (datetime(2003, 3, 3, 21, tzinfo=UTC), ClockStatus(state), None)
    closes = selectors.closes_after(venue.id, EVE)
    assert len(closes) == view.bars_done == 41
    assert [asked for _, asked in barrier.asked[:40]] == [EVE, *closes[:39]]
    assert events("market.clock_changed")[-1]["action"] == "arrived"


def test_a_pause_ends_a_jump(venue: VenueView, player: ReplayPlayer) -> None:
    services.command_clock(venue_id=venue.id, action="jump", jump_to=datetime(2010, 1, 1, tzinfo=UTC), actor="tester")
    play(player, 5)
    services.command_clock(venue_id=venue.id, action="pause", actor="tester")
    play(player, 5)
    assert selectors.venue(venue.id).bars_done == 5


def test_a_jump_back_and_commands_to_the_wrong_venue_are_refused(venue: VenueView) -> None:
    with pytest.raises(Conflict):
        services.command_clock(venue_id=venue.id, action="jump", jump_to=EVE, actor="tester")
    live = services.open_live_venue(exchange="binance", symbol="BTC/USDT", timeframe=Timeframe.M1)
    with pytest.raises(Conflict, match="live"):
        services.command_clock(venue_id=live.id, action="pause", actor="tester")
    with pytest.raises(NotFound):
        services.command_clock(venue_id=selectors.instruments(venue.id)[0].id, action="pause", actor="tester")
