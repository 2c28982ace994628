"""`run_events` as a process: killed, doubled, robbed of Redis; sealing goes on and each event is sealed and handled once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from apps.common.models import Heartbeat
from apps.events.contracts import AlertRaised
from apps.events.models import ConsumerCheckpoint, LoggedEvent
from apps.events.selectors import handler_stats, log_lag, verify_log
from apps.events.services import log_identity, record_event, replay_activity
from tests.integration.events.conftest import NOW, OwnRedis

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def environment(own_redis: OwnRedis, data_dir: Path) -> dict[str, str]:
    database = connection.settings_dict
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "TRADING_PROCESS")}
    return inherited | {
        "DB_HOST": str(database["HOST"]),
        "DB_PORT": str(database["PORT"]),
        "DB_NAME": str(database["NAME"]),
        "DB_USER": str(database["USER"]),
        "DB_PASS": str(database["PASSWORD"]),
        "REDIS_URL": own_redis.url,
        "TRADING_DATA_DIR": str(data_dir),
        "DJANGO_SETTINGS_MODULE": "trading_system.settings.test",
    }


@contextmanager
def running(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process, ended by SIGKILL if the test has not ended it."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_events"], cwd=django_settings.BASE_DIR, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool], *, seconds: float = 30.0) -> float:
    """Seconds until the condition held."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "it did not come to pass"
        time.sleep(0.02)
    return time.monotonic() - started


def record(count: int, first: int) -> None:
    for number in range(first, first + count):
        record_event(AlertRaised(level="INFO", title=str(number), message="told"), occurred_at=NOW)


def all_sealed() -> bool:
    return not LoggedEvent.objects.filter(position=None).exists()


def all_handled() -> bool:
    return handled() == LoggedEvent.objects.count() and ConsumerCheckpoint.objects.get(consumer="relay").position == log_lag().head_position


def handled() -> int:
    return sum(stats.handled for stats in handler_stats() if stats.handler == "alert_log")


def test_killed_again_and_again_it_seals_and_handles_each_event_once(environment: dict[str, str], tmp_path: Path) -> None:
    seed = time.time_ns() % 100_000
    print(f"seed {seed}")
    chooser = random.Random(seed)
    log_identity()
    with running(environment, tmp_path / "log"):
        wait_for(lambda: ConsumerCheckpoint.objects.filter(consumer="alert_log:high").exists())
    for start in (0, 80):
        with running(environment, tmp_path / "log"):
            record(40, start)
            wait_for(all_sealed)
            record(40, start + 40)
            time.sleep(chooser.random() * 0.3)
    written = 160
    with running(environment, tmp_path / "log") as process:
        wait_for(lambda: Heartbeat.objects.filter(process="events", pid=process.pid, detail__startswith="head").exists())
        wait_for(all_handled)
        wait_for(lambda: log_lag().projected_position == written)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert list(LoggedEvent.objects.order_by("position").values_list("position", flat=True)) == list(range(1, written + 1))
    assert verify_log().is_intact
    assert replay_activity().is_equal
    assert handled() == written


def test_without_redis_sealing_goes_on_and_handlers_catch_up(environment: dict[str, str], own_redis: OwnRedis, tmp_path: Path) -> None:
    log_identity()
    with running(environment, tmp_path / "log"):
        wait_for(lambda: ConsumerCheckpoint.objects.filter(consumer="alert_log:high").exists())
        record(5, 0)
        wait_for(all_handled)
        own_redis.kill()
        waits = []
        for number in range(5):
            record(1, 10 + number)
            waits.append(wait_for(all_sealed))
        assert max(waits) < 1.0
        assert sorted(waits)[2] < 0.5
        assert handled() == 5
        wait_for(lambda: "relay: ConnectionError" in Heartbeat.objects.get(process="events").detail)
        own_redis.start()
        wait_for(all_handled)
        assert handled() == 10
        own_redis.client().flushall()
        record(5, 20)
        wait_for(all_handled)
        assert handled() == 15
    assert verify_log().is_intact


def test_a_second_one_waits_until_the_first_has_gone(environment: dict[str, str], tmp_path: Path) -> None:
    log_identity()
    with running(environment, tmp_path / "first") as first:
        wait_for(lambda: Heartbeat.objects.filter(process="events", detail__startswith="head").exists())
        with running(environment, tmp_path / "second"):
            wait_for(lambda: Heartbeat.objects.filter(process="events", detail__startswith="waiting").exists())
            record(3, 0)
            wait_for(all_sealed)
            first.send_signal(signal.SIGTERM)
            first.wait(timeout=10)
            record(3, 3)
            wait_for(all_sealed, seconds=10)
    assert verify_log().count == 6
