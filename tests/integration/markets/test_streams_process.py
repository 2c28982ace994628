"""The streams process itself: killed at any moment, it goes on where the clock is."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from apps.common.models import Heartbeat
from apps.core.vocabulary import Timeframe
from apps.events.models import LoggedEvent
from apps.markets import selectors, services
from apps.markets.contracts import VenueView

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def venue() -> VenueView:
    view = services.open_replay_venue(starts_at=None, reason="test", actor="tester")
    services.start_clock(view.id)
    return view


class Streams:
    """Starts and ends `run_streams` over the test's database."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        name = str(connection.settings_dict["NAME"])
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_streams"],
            env={**os.environ, "DB_NAME": name, "DATABASE_URL": "", **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._running.append(process)
        return process

    def end_all(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def streams() -> Iterator[Streams]:
    streams = Streams()
    yield streams
    streams.end_all()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def wait_for_bars(venue: VenueView, bars: int, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while selectors.venue(venue.id).bars_done < bars:
        assert time.monotonic() < deadline, f"{selectors.venue(venue.id)} after {seconds} s"
        time.sleep(0.05)


def played_closes(venue: VenueView) -> list[str]:
    rows = LoggedEvent.objects.filter(event_type="market.data_received", subject=str(venue.id)).order_by("id")
    return [payload["closed_at"] for payload in rows.values_list("payload", flat=True)]


def assert_nothing_is_doubled_or_skipped(venue: VenueView) -> None:
    view = selectors.venue(venue.id)
    closes = played_closes(venue)
    spec = selectors.instrument_by_symbol(venue.id, "SP500")
    bars = selectors.bars_between(spec, Timeframe.D1, since=datetime(2003, 1, 1, tzinfo=UTC))
    stored = [bars.bar(index).closed_at for index in range(len(bars))]
    assert closes == [item.isoformat().replace("+00:00", "Z") for item in stored]
    assert len(closes) == view.bars_done
    assert stored[-1] == view.now_at


def test_killed_again_and_again_it_plays_every_bar_once(venue: VenueView, streams: Streams) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    generator = random.Random(seed)
    services.command_clock(venue_id=venue.id, action="speed", bars_per_second=Decimal(200), actor="tester")
    bars = 0
    for _ in range(3):
        process = streams.start()
        bars += 20
        wait_for_bars(venue, bars)
        time.sleep(generator.random() / 5)
        process.send_signal(signal.SIGKILL)
        process.wait()
        bars = selectors.venue(venue.id).bars_done
        with connection.cursor() as cursor:
            cursor.execute("UPDATE common_lease SET expires_at = clock_timestamp() WHERE name LIKE 'streams:%%'")
    assert_nothing_is_doubled_or_skipped(venue)


def test_ended_in_the_middle_of_a_step_it_repeats_the_step(venue: VenueView, streams: Streams) -> None:
    services.command_clock(venue_id=venue.id, action="speed", bars_per_second=Decimal(200), actor="tester")
    assert streams.start(TRADING_FAILPOINTS="streams.bars_stored:6").wait(60) == 86
    assert selectors.venue(venue.id).bars_done == 5
    assert_nothing_is_doubled_or_skipped(venue)
    streams.start()
    wait_for_bars(venue, 15)
    services.command_clock(venue_id=venue.id, action="pause", actor="tester")
    assert_nothing_is_doubled_or_skipped(venue)


def test_two_processes_play_as_one_and_a_term_ends_cleanly(venue: VenueView, streams: Streams) -> None:
    services.command_clock(venue_id=venue.id, action="speed", bars_per_second=Decimal(100), actor="tester")
    first, second = streams.start(), streams.start()
    wait_for_bars(venue, 30)
    assert Heartbeat.objects.filter(process="streams").exists()
    for process in (first, second):
        process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    assert (first.wait(20), second.wait(20)) == (0, 0)
    assert time.monotonic() - started < 10
    assert_nothing_is_doubled_or_skipped(venue)
