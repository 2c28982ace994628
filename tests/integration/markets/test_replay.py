"""Replay venues: opening one, a bar in lock step, a crash, a process that lost it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from apps.common import leases
from apps.common.failpoints import InjectedFault, arm_failpoints
from apps.common.notify import Channel, Listener
from apps.core.errors import InvalidInput, OwnershipLost
from apps.core.vocabulary import Timeframe
from apps.events.models import LoggedEvent
from apps.markets import selectors, services
from apps.markets.contracts import ClockStatus, VenueKind, VenueView
from apps.markets.management.replay_player import ReplayPlayer
from tests.integration.markets.replays import EVE, FIRST, events, now_at, play

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_fresh_replay_has_the_past_and_nothing_else() -> None:
    view = services.open_replay_venue(starts_at=None, reason="first", actor="tester")
    assert (view.kind, view.status, view.now_at, view.starts_at) == (VenueKind.REPLAY, ClockStatus.PREPARING, EVE, FIRST)
    assert (view.label, view.timeframe, view.bars_done) == ("REPLAY", Timeframe.D1, 0)
    assert view.ends_at == datetime(2022, 12, 28, 21, tzinfo=UTC)
    specs = selectors.instruments(view.id)
    assert len(specs) == 22
    for spec in specs:
        spec.check_bounds()
        bars = selectors.bars_between(spec, Timeframe.D1)
        assert bars.last_closed_at == EVE
        assert len(bars) == (1004 if spec.symbol in ("SP500", "NASDAQ") else 3280)
    assert selectors.active_venue() == view
    (loaded,) = events("market.history_loaded")
    assert (loaded["rows"], loaded["quarantined"]) == (2 * 1004 + 20 * 3280, 0)
    assert [item["action"] for item in events("market.clock_changed")] == ["open"]


def test_no_row_of_the_database_lies_beyond_the_clock(venue: VenueView, player: ReplayPlayer) -> None:
    play(player, 3)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(closed_at) FROM markets_candle WHERE instrument_id = ANY(%s::uuid[])",
            [[str(spec.id) for spec in selectors.instruments(venue.id)]],
        )
        assert cursor.fetchone() == (now_at(venue),)


def test_opening_again_archives_the_old_replay_and_keeps_it(venue: VenueView) -> None:
    spec = selectors.instrument_by_symbol(venue.id, "SP500")
    later = services.open_replay_venue(starts_at=datetime(2008, 9, 1, tzinfo=UTC), reason="jump back", actor="tester")
    assert (venue.code, later.code) == ("replay-1", "replay-2")
    assert later.starts_at == datetime(2008, 9, 2, 20, tzinfo=UTC)
    old = selectors.venue(venue.id)
    assert (old.status, old.message) == (ClockStatus.ARCHIVED, "jump back")
    assert len(selectors.bar_window(spec, Timeframe.D1, until=None, count=10)) == 10
    active = selectors.active_venue()
    assert active is not None
    assert active.id == later.id
    assert [view.code for view in selectors.venues()] == ["replay-2", "replay-1"]


@pytest.mark.parametrize(
    "starts_at", [datetime(1989, 1, 1, tzinfo=UTC), datetime(1990, 1, 2, 21, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC)]
)
def test_a_start_without_history_or_future_is_refused_and_changes_nothing(venue: VenueView, starts_at: datetime) -> None:
    with pytest.raises(InvalidInput, match="cannot start"):
        services.open_replay_venue(starts_at=starts_at, reason="", actor="tester")
    assert selectors.venue(venue.id) == venue


def test_a_step_brings_one_bar_of_everything_and_tells_of_it(venue: VenueView, player: ReplayPlayer) -> None:
    with Listener(Channel.MARKET) as listener:
        assert player.advance() == 0.0
        assert listener.wait(5) == {Channel.MARKET}
    view = selectors.venue(venue.id)
    assert (view.now_at, view.bars_done, view.message) == (FIRST, 1, "")
    bars = selectors.bars_closed_at(venue.id, FIRST)
    assert len(bars) == 22
    spec = selectors.instrument_by_symbol(venue.id, "SP500")
    bar = bars[spec.id]
    assert (spec.price(bar.open), spec.price(bar.close), bar.volume) == (Decimal("879.82"), Decimal("909.03"), 1_229_200_000)
    assert bar.opened_at == datetime(2003, 1, 2, 14, 30, tzinfo=UTC)
    (received,) = events("market.data_received")
    assert (received["instruments"], received["quarantined"], received["closed_at"]) == (22, 0, "2003-01-02T21:00:00Z")
    assert selectors.closes_after(venue.id, EVE) == [FIRST]
    assert selectors.closes_after(venue.id, FIRST) == []
    assert selectors.bar_window(spec, Timeframe.D1, until=None, count=300).last_bar() == bar


def test_a_crash_in_the_middle_of_a_step_leaves_nothing_and_the_step_is_found_again(venue: VenueView, player: ReplayPlayer) -> None:
    player.advance()
    services.command_clock(venue_id=venue.id, action="step", steps=2, actor="tester")
    before = selectors.venue(venue.id)
    logged = LoggedEvent.objects.count()
    arm_failpoints("streams.bars_stored=raise")
    with pytest.raises(InjectedFault):
        player.advance()
    arm_failpoints("")
    assert selectors.venue(venue.id) == before
    assert LoggedEvent.objects.count() == logged
    spec = selectors.instrument_by_symbol(venue.id, "SP500")
    assert selectors.bars_between(spec, Timeframe.D1).last_closed_at == FIRST
    player.advance()
    view = selectors.venue(venue.id)
    assert (view.now_at, view.bars_done, view.steps_requested) == (datetime(2003, 1, 3, 21, tzinfo=UTC), 2, 1)
    assert [item["closed_at"] for item in events("market.data_received")] == ["2003-01-02T21:00:00Z", "2003-01-03T21:00:00Z"]


def test_a_process_that_lost_the_replay_cannot_play(venue: VenueView, player: ReplayPlayer) -> None:
    player.advance()
    services.command_clock(venue_id=venue.id, action="step", steps=5, actor="tester")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE common_lease SET expires_at = clock_timestamp() - interval '1 second'")
    assert leases.acquire(f"streams:{venue.id}", seconds=60, owner="another process") is not None
    with pytest.raises(OwnershipLost):
        player.advance()
    player.forget()
    with pytest.raises(OwnershipLost):
        player.advance()
    assert selectors.venue(venue.id).bars_done == 1


def test_a_window_of_a_long_replay_is_quick(venue: VenueView) -> None:
    spec = selectors.instrument_by_symbol(venue.id, "AAPL")
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (start,) = cursor.fetchone()
        for _ in range(50):
            selectors.bar_window(spec, Timeframe.D1, until=EVE, count=300)
        cursor.execute("SELECT clock_timestamp()")
        (end,) = cursor.fetchone()
    assert (end - start) / 50 < timedelta(milliseconds=10)
