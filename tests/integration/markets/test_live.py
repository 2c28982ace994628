"""A live venue, fed by unmodified ccxt from a local server in Binance's dialect."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.common import leases
from apps.core.errors import NotFound, Unavailable
from apps.core.vocabulary import Timeframe
from apps.events.models import LoggedEvent
from apps.markets import selectors, services, tasks
from apps.markets.adapters import open_source
from apps.markets.contracts import ClockStatus, VenueKind, VenueView
from apps.markets.management.commands.run_streams import StreamsDaemon
from apps.markets.management.live_feed import LiveFeed
from apps.markets.models import SourcePull
from apps.markets.services import live
from tests.integration.markets.conftest import FakeBarrier
from tests.integration.markets.fake_binance import MINUTE_MS, FakeBinanceServer, kline

pytestmark = pytest.mark.django_db(transaction=True)

TEN = datetime(2026, 1, 5, 10, tzinfo=UTC)
TEN_MS = int(TEN.timestamp()) * 1000


def minutes(*places: int, **changed: str) -> list[list[object]]:
    return [kline(TEN_MS + place * MINUTE_MS, **changed) for place in places]


def at(minute: float) -> datetime:
    return TEN + timedelta(minutes=minute)


@pytest.fixture
def server() -> Iterator[FakeBinanceServer]:
    live._source.cache_clear()
    server = FakeBinanceServer()
    yield server
    server.close()


@pytest.fixture
def venue(server: FakeBinanceServer) -> VenueView:
    return services.open_live_venue(exchange="binance", symbol="BTC/USDT", timeframe=Timeframe.M1, source_options=server.options)


def events(event_type: str) -> list[dict[str, object]]:
    return list(LoggedEvent.objects.filter(event_type=event_type).order_by("id").values_list("payload", flat=True))


def closes(venue: VenueView) -> list[int]:
    (spec,) = selectors.instruments(venue.id)
    return selectors.bars_between(spec, Timeframe.M1).close.tolist()


def test_opening_asks_nothing_of_the_exchange_and_is_the_default(server: FakeBinanceServer, venue: VenueView) -> None:
    assert (venue.kind, venue.status, venue.code) == (VenueKind.LIVE, ClockStatus.PREPARING, "binance-btc-usdt-1m")
    assert selectors.instruments(venue.id) == []
    assert server.exchange.requests == []
    again = services.open_live_venue(exchange="binance", symbol="BTC/USDT", timeframe=Timeframe.M1)
    assert again.id == venue.id
    assert selectors.active_venue() == again


def test_the_first_pull_brings_the_instrument_and_every_closed_bar(server: FakeBinanceServer, venue: VenueView) -> None:
    server.exchange.add(*minutes(*range(1500)))
    now = at(1499.5)
    assert services.pull_venue(venue.id, now=now) == 1499
    (spec,) = selectors.instruments(venue.id)
    assert (spec.symbol, spec.tick_size, spec.lot_size, spec.min_notional) == ("BTC/USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5))
    spec.check_bounds()
    bar = selectors.bar_window(spec, Timeframe.M1, until=None, count=1).last_bar()
    assert (spec.price(bar.open), spec.price(bar.high), spec.price(bar.low), spec.price(bar.close)) == (
        Decimal("100.00"), Decimal("101.25"), Decimal("99.75"), Decimal("100.50"),
    )  # fmt: skip
    assert (bar.volume, bar.closed_at) == (1_234_567, at(1499))
    view = selectors.venue(venue.id)
    assert (view.now_at, view.bars_done, view.message) == (at(1499), 1499, "")
    assert [item["rows"] for item in events("market.history_loaded")] == [1499]
    assert len([path for path in server.exchange.requests if "klines" in path]) == 2


def test_later_pulls_bring_only_what_is_new_and_fill_the_time_away(server: FakeBinanceServer, venue: VenueView) -> None:
    server.exchange.add(*minutes(*range(200)))
    services.pull_venue(venue.id, now=at(100))
    assert services.pull_venue(venue.id, now=at(100.5)) == 0
    assert services.pull_venue(venue.id, now=at(160.2)) == 60
    assert selectors.closes_after(venue.id, at(157)) == [at(158), at(159), at(160)]
    (received,) = events("market.data_received")
    assert received["closed_at"] == "2026-01-05T12:40:00Z"
    assert events("market.gap_detected") == []


def test_a_corrected_bar_is_a_revision(server: FakeBinanceServer, venue: VenueView) -> None:
    server.exchange.add(*minutes(*range(10)))
    services.pull_venue(venue.id, now=at(10))
    server.exchange.add(*minutes(9, close="100.75"))
    assert services.pull_venue(venue.id, now=at(10.2)) == 1
    assert closes(venue)[-2:] == [10_050, 10_075]
    (spec,) = selectors.instruments(venue.id)
    assert selectors.bars_between(spec, Timeframe.M1, as_of=at(10.1)).close.tolist()[-1] == 10_050
    assert selectors.quality_report(spec.id).revisions == 1


def test_holes_are_told_once_and_filled_when_the_exchange_has_the_bars(server: FakeBinanceServer, venue: VenueView) -> None:
    server.exchange.add(*minutes(*range(10)))
    services.pull_venue(venue.id, now=at(10))
    server.exchange.add(*minutes(*range(15, 20)))
    services.pull_venue(venue.id, now=at(20))
    services.pull_venue(venue.id, now=at(20.1))
    (gap,) = events("market.gap_detected")
    assert (gap["missing_bars"], gap["from_at"], gap["to_at"]) == (5, "2026-01-05T10:10:00Z", "2026-01-05T10:14:00Z")
    server.exchange.add(*minutes(*range(10, 15)))
    assert services.pull_venue(venue.id, now=at(20.2)) == 5
    assert len(closes(venue)) == 20
    assert selectors.venue(venue.id).now_at == at(20)


def test_bad_bars_are_quarantined_once_and_the_good_ones_kept(server: FakeBinanceServer, venue: VenueView) -> None:
    server.exchange.add(*minutes(*range(30)), *minutes(30, high="1.00"), *minutes(31, close="1005.00", high="1010.00"), *minutes(32))
    services.pull_venue(venue.id, now=at(33))
    services.pull_venue(venue.id, now=at(33.1))
    assert sorted(bar.reason for bar in selectors.quarantined(venue.id)) == ["HIGH_BELOW_LOW", "SPIKE"]
    assert len(events("market.bar_quarantined")) == 2
    assert set(closes(venue)) == {10_050}
    assert len(closes(venue)) == 31


def test_without_a_network_the_venue_says_so_and_recovers(server: FakeBinanceServer, venue: VenueView) -> None:
    server.exchange.add(*minutes(*range(10)))
    server.exchange.status = 503
    assert services.pull_venue(venue.id, now=at(10)) == 0
    services.pull_venue(venue.id, now=at(10.5))
    view = selectors.venue(venue.id)
    assert view.message.startswith("binance does not answer.")
    assert "Trying again in 30 s." in view.message
    assert len(events("market.feed_failed")) == 1
    server.exchange.status = 200
    assert services.pull_venue(venue.id, now=at(11)) == 10
    assert selectors.venue(venue.id).message == ""
    assert len(events("market.feed_recovered")) == 1
    assert [bool(error) for error in SourcePull.objects.order_by("id").values_list("error", flat=True)] == [True, True, False]


def test_errors_of_an_exchange_are_ours(server: FakeBinanceServer) -> None:
    source = open_source("ccxt", {"exchange": "binance", "symbols": ["NO/SUCH"], **server.options})
    with pytest.raises(NotFound, match="NO/SUCH"):
        source.listings()
    with pytest.raises(NotFound, match="nowhere"):
        open_source("ccxt", {"exchange": "nowhere", "symbols": []})
    server.close()
    gone = open_source("ccxt", {"exchange": "binance", "symbols": ["BTC/USDT"], **server.options})
    with pytest.raises(Unavailable, match="does not answer") as caught:
        gone.bars("BTC/USDT", Timeframe.M1, since=at(0), until=at(1))
    assert caught.value.retryable


def test_the_scheduled_pull_leaves_a_venue_alone_that_is_fed(server: FakeBinanceServer, venue: VenueView) -> None:
    held = leases.acquire(services.feed_lease(venue.id), seconds=60, owner="streams elsewhere")
    assert held is not None
    tasks.pull_candles()
    assert server.exchange.requests == []
    leases.release(held)
    server.exchange.add(*[kline(int(time.time() // 60 - place) * MINUTE_MS) for place in range(1, 10)])
    tasks.pull_candles()
    assert selectors.venue(venue.id).bars_done == 9
    tasks.pull_candles()
    assert selectors.venue(venue.id).bars_done == 9


def drive(feed: LiveFeed, now: datetime) -> float:
    """Let a feed ask and store until it wants to wait."""
    wait = 0.0
    for _ in range(400):
        wait = feed.advance(now)
        if feed._answer is None:
            return wait
        time.sleep(0.02)
    return wait


def test_the_feed_asks_after_each_bar_and_backs_off_when_the_exchange_is_gone(server: FakeBinanceServer, venue: VenueView) -> None:
    with ThreadPoolExecutor(1) as pool:
        feed = LiveFeed(venue.id, pool)
        server.exchange.add(*minutes(*range(10)))
        assert drive(feed, at(10.05)) == pytest.approx(58)
        asked = len(server.exchange.requests)
        assert drive(feed, at(10.5)) == pytest.approx(31)
        assert len(server.exchange.requests) == asked
        assert drive(feed, at(11) + timedelta(seconds=1)) == pytest.approx(2)
        server.exchange.add(*minutes(10))
        assert drive(feed, at(11) + timedelta(seconds=3)) == pytest.approx(58)
        assert selectors.venue(venue.id).now_at == at(11)
        server.exchange.status = 500
        waits = []
        now = at(12) + timedelta(seconds=1)
        for _ in range(8):
            waits.append(drive(feed, now))
            now += timedelta(seconds=waits[-1])
        assert waits == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60])
        server.exchange.status = 200
        server.exchange.add(*minutes(*range(11, 15)))
        drive(feed, now)
        assert selectors.venue(venue.id).now_at == at(15)
        assert feed.detail == "newest bar 2026-01-05 10:15"


def test_the_replay_goes_on_while_the_exchange_hangs(server: FakeBinanceServer, venue: VenueView, barrier: FakeBarrier) -> None:
    replay = services.open_replay_venue(starts_at=None, reason="", actor="tester")
    services.start_clock(replay.id)
    services.command_clock(venue_id=replay.id, action="speed", bars_per_second=Decimal(1000), actor="tester")
    original = server.exchange.answer
    server.exchange.answer = lambda path, query: (time.sleep(1.5), original(path, query))[1]  # type: ignore[method-assign,func-returns-value]
    daemon = StreamsDaemon()
    daemon.prepare()
    start = time.monotonic()
    while time.monotonic() - start < 1.0:
        daemon.work()
    daemon.finish()
    assert selectors.venue(replay.id).bars_done > 20
    assert selectors.venue(venue.id).bars_done == 0
