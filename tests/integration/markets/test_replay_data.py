"""What a replay plays: the end of its bars, a stored market, a bad bar."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.core.errors import Conflict
from apps.core.vocabulary import Timeframe
from apps.markets import selectors, services
from apps.markets.contracts import ClockStatus, VenueKind
from apps.markets.domain.bars import to_micros
from apps.markets.management.replay_player import ReplayPlayer
from apps.markets.models import Instrument, QuarantinedCandle, Venue, VenueClock
from tests.integration.markets.conftest import FakeBarrier
from tests.integration.markets.replays import Stopwatch, events, now_at, play

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_last_day_can_be_played_alone(barrier: FakeBarrier, player: ReplayPlayer) -> None:
    view = services.open_replay_venue(starts_at=datetime(2022, 12, 28, tzinfo=UTC), reason="", actor="tester")
    services.start_clock(view.id)
    player.advance()
    assert selectors.venue(view.id).status is ClockStatus.ENDED


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
