"""Replay venues: opening, playing in lock step, the transport, the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from apps.common import leases
from apps.common.failpoints import InjectedFault, arm_failpoints
from apps.common.notify import Channel, Listener
from apps.core.errors import Conflict, InvalidInput, NotFound, OwnershipLost
from apps.core.vocabulary import Timeframe
from apps.events.models import LoggedEvent
from apps.markets import selectors, services
from apps.markets.contracts import ClockStatus, VenueKind, VenueView
from apps.markets.domain.bars import to_micros
from apps.markets.management.replay_player import ReplayPlayer
from apps.markets.models import Instrument, QuarantinedCandle, Venue, VenueClock
from tests.integration.markets.conftest import FakeBarrier

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = datetime(2003, 1, 2, 21, tzinfo=UTC)
EVE = datetime(2002, 12, 31, 21, tzinfo=UTC)


class Stopwatch:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def venue() -> VenueView:
    view = services.open_replay_venue(starts_at=None, reason="test", actor="tester")
    services.start_clock(view.id)
    return selectors.venue(view.id)


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def player(stopwatch: Stopwatch, barrier: FakeBarrier) -> Iterator[ReplayPlayer]:
    player = ReplayPlayer(monotonic=stopwatch)
    yield player
    player.release()


def now_at(venue: VenueView) -> datetime:
    return selectors.venue(venue.id).now_at


def events(event_type: str) -> list[dict[str, object]]:
    return list(LoggedEvent.objects.filter(event_type=event_type).order_by("id").values_list("payload", flat=True))


def play(player: ReplayPlayer, times: int) -> None:
    for _ in range(times):
        player.advance()


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


def test_the_last_day_can_be_played_alone(barrier: FakeBarrier, player: ReplayPlayer) -> None:
    view = services.open_replay_venue(starts_at=datetime(2022, 12, 28, tzinfo=UTC), reason="", actor="tester")
    services.start_clock(view.id)
    player.advance()
    assert selectors.venue(view.id).status is ClockStatus.ENDED


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


def test_instruments_stop_and_the_replay_ends_at_the_last_bar_of_any(player: ReplayPlayer, stopwatch: Stopwatch) -> None:
    view = services.open_replay_venue(starts_at=datetime(2018, 12, 28, tzinfo=UTC), reason="", actor="tester")
    services.start_clock(view.id)
    index, stock = (selectors.instrument_by_symbol(view.id, symbol) for symbol in ("SP500", "AAPL"))
    services.command_clock(venue_id=view.id, action="step", steps=2, actor="tester")
    player.advance()
    assert selectors.has_more_bars(index.id)
    player.advance()
    assert now_at(view) == datetime(2018, 12, 31, 21, tzinfo=UTC)
    assert (selectors.has_more_bars(index.id), selectors.has_more_bars(stock.id)) == (False, True)
    services.command_clock(venue_id=view.id, action="step", actor="tester")
    player.advance()
    assert len(selectors.bars_closed_at(view.id, datetime(2019, 1, 2, 21, tzinfo=UTC))) == 20


def test_the_end_is_a_state_with_a_sentence_and_refuses_to_go_on(player: ReplayPlayer, stopwatch: Stopwatch) -> None:
    view = services.open_replay_venue(starts_at=datetime(2022, 12, 23, tzinfo=UTC), reason="", actor="tester")
    services.start_clock(view.id)
    services.command_clock(venue_id=view.id, action="jump", jump_to=datetime(2030, 1, 1, tzinfo=UTC), actor="tester")
    play(player, 10)
    ended = selectors.venue(view.id)
    assert (ended.status, ended.now_at, ended.jump_to, ended.bars_done) == (ClockStatus.ENDED, view.ends_at, None, 3)
    assert ended.message == "The replay has reached the last bar of its data."
    assert events("market.clock_changed")[-1]["action"] == "end"
    assert not selectors.has_more_bars(selectors.instruments(view.id)[0].id)
    with pytest.raises(Conflict, match="at its end"):
        services.command_clock(venue_id=view.id, action="resume", actor="tester")
    assert selectors.open_replay() is None
    assert selectors.active_venue() == ended


def test_a_stored_market_can_be_replayed(player: ReplayPlayer) -> None:
    library = stored_market()
    view = services.open_replay_venue(
        starts_at=None, reason="", actor="tester", source="stored", source_options={"venue": library}, timeframe=Timeframe.D1
    )
    services.start_clock(view.id)
    services.command_clock(venue_id=view.id, action="jump", jump_to=datetime(2030, 1, 1, tzinfo=UTC), actor="tester")
    play(player, 30)
    (spec,) = selectors.instruments(view.id)
    original = selectors.instrument_by_symbol(selectors.venue_by_code(library).id, spec.symbol)
    replayed, source = (selectors.bars_between(item, Timeframe.D1) for item in (spec, original))
    assert replayed.close.tolist() == source.close.tolist()
    assert selectors.venue(view.id).status is ClockStatus.ENDED


def stored_market() -> str:
    """A library of twenty daily bars."""
    source = services.open_replay_venue(starts_at=datetime(1999, 2, 2, tzinfo=UTC), reason="", actor="tester")
    Instrument.objects.filter(venue_id=source.id).exclude(symbol="SP500").update(is_active=False)
    services.archive_venue(source.id)
    Venue.objects.filter(id=source.id).update(kind=VenueKind.LIBRARY)
    VenueClock.objects.filter(venue_id=source.id).update(status=ClockStatus.ENDED)
    return source.code


def test_a_bad_bar_is_quarantined_as_it_comes_and_never_used(
    barrier: FakeBarrier, player: ReplayPlayer, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{tmp_path}/bars.csv"
    rows = [f"2024-01-{day:02},10,11,9,10,100" for day in range(1, 29)]
    rows[20] = "2024-01-21,10,8,9,10,100"
    with open(path, "w") as file:
        file.write("\n".join(["date,open,high,low,close,volume", *rows]))
    view = services.open_replay_venue(
        starts_at=datetime(2024, 1, 21, tzinfo=UTC),
        reason="",
        actor="tester",
        source="files",
        source_options={"path": path, "symbol": "X/USD", "timeframe": "1d"},
    )
    assert QuarantinedCandle.objects.count() == 0
    services.start_clock(view.id)
    services.command_clock(venue_id=view.id, action="step", steps=3, actor="tester")
    play(player, 3)
    (bad,) = selectors.quarantined(view.id, 10)
    assert (bad.symbol, bad.reason, bad.opened_at) == ("X/USD", "HIGH_BELOW_LOW", datetime(2024, 1, 21, tzinfo=UTC))
    assert bad.raw["high"] == "8.0"
    (spec,) = selectors.instruments(view.id)
    window = selectors.bar_window(spec, Timeframe.D1, until=None, count=100)
    assert to_micros(bad.opened_at) not in window.opened_at.tolist()
    assert [item["reason"] for item in events("market.bar_quarantined")] == ["HIGH_BELOW_LOW"]
    assert len(window) == now_at(view).day - 2
    report = selectors.quality_report(spec.id)
    assert (report.missing_bars, report.quarantined) == (1, {"HIGH_BELOW_LOW": 1})
    assert [(item.first_opened_at, item.bars) for item in report.missing] == [(datetime(2024, 1, 21, tzinfo=UTC), 1)]
    detail = selectors.instrument_detail(spec.id)
    assert (detail.quarantined, detail.calendar, detail.has_more_bars) == (1, "24/7", True)


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
