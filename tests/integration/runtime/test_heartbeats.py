"""What processes say of themselves, and what the supervisor and the status make of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.management import call_command

from apps.common import heartbeats, tasks
from apps.common.models import Heartbeat
from trading_system.runtime.heartbeat_check import is_alive
from trading_system.runtime.management.commands.status import describe
from trading_system.runtime.places import DataPlaces
from trading_system.runtime.probes import HeartbeatQuestion
from trading_system.runtime.status import system_status
from trading_system.settings.redis import REDIS_URL


class LongTask:
    name = "forecasts.train"
    time_limit = 600


@pytest.mark.django_db
def test_a_worker_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADING_PROCESS", "trainer")
    tasks.heartbeat()
    assert [(row.process, row.expected_every_seconds) for row in Heartbeat.objects.all()] == [("trainer", 10.0)]


@pytest.mark.django_db
def test_a_busy_worker_is_stale_only_after_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADING_PROCESS", "trainer")
    tasks.promise_return(task=LongTask())  # type: ignore[arg-type]
    now = datetime.now(UTC)
    (busy,) = heartbeats.process_health(now=now + timedelta(seconds=590))
    assert (busy.detail, busy.is_stale) == ("running forecasts.train", False)
    (late,) = heartbeats.process_health(now=now + timedelta(seconds=610))
    assert late.is_stale
    tasks.keep_promise(task=LongTask())  # type: ignore[arg-type]
    (idle,) = heartbeats.process_health(now=datetime.now(UTC) + timedelta(seconds=31))
    assert (idle.detail, idle.is_stale) == ("done forecasts.train", True)


@pytest.mark.django_db(transaction=True)
def test_the_supervisor_reads_ages_by_the_clock_of_postgresql() -> None:
    heartbeats.beat("streams", detail="ten bars", expected_every=4.0)
    database = settings.DATABASES["default"]
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    host = database["HOST"].replace("/", "%2F").replace(" ", "%20")
    question = HeartbeatQuestion(f"postgres://{database['USER']}{password}@{host}:{database['PORT']}/{database['NAME']}")
    beat = question()["streams"]
    question.close()
    assert (beat.expected_every, beat.detail) == (4.0, "ten bars")
    assert 0 <= beat.age_seconds < 5
    assert is_alive(beat) and not is_alive(None)


def _state_file(data_dir: Path, *, written_at: datetime) -> None:
    places = DataPlaces(data_dir)
    places.create()
    row: dict[str, Any] = {
        "name": "streams", "pid": 17, "created": 1.0, "state": "running", "restarts": 2, "started_at": None, "last_exit": "was killed by signal 9",
        "rss_bytes": 100 * 1_048_576, "cpu_percent": 3.25, "answered_seconds_ago": None,
    }  # fmt: skip
    status = {
        "written_at": written_at.isoformat(),
        "supervisor": {"pid": 1, "address": "http://localhost:8000", "started_at": "2026-01-02T03:04:05+00:00"},
        "processes": [row],
    }
    places.processes_file.write_text(json.dumps(status))


@pytest.mark.django_db
def test_the_status_joins_what_is_seen_with_what_is_said(tmp_path: Path) -> None:
    _empty_queues()
    heartbeats.beat("streams", detail="ten bars", expected_every=4.0)
    now = datetime.now(UTC)
    _state_file(tmp_path, written_at=now)
    status = system_status(now=now, data_dir=tmp_path)
    assert status.is_supervised and status.is_healthy
    assert status.queues == {"default": 0, "data": 0, "compute": 0}
    lines = describe(status)
    assert lines[0] == "Running at http://localhost:8000/ since 2026-01-02 03:04:05 UTC"
    assert lines[2].split()[:6] == ["streams", "running", "17", "2", "100", "MB"]
    assert lines[2].endswith("ten bars · last: was killed by signal 9")
    assert lines[3] == "No market is open."


def _empty_queues() -> None:
    """What other tests have asked workers for, of which there are none here."""
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    with redis.Redis.from_url(REDIS_URL) as client:
        client.delete(*(f"{prefix}{queue}" for queue in ("default", "data", "compute")))


@pytest.mark.django_db
def test_without_a_supervisor_heartbeats_speak_alone(tmp_path: Path) -> None:
    heartbeats.beat("streams", expected_every=4.0)
    now = datetime.now(UTC) + timedelta(minutes=1)
    _state_file(tmp_path, written_at=now - timedelta(minutes=1))
    status = system_status(now=now, data_dir=tmp_path)
    assert not status.is_supervised and not status.is_healthy
    assert [(process.name, process.state, process.restarts) for process in status.processes] == [("streams", "stale", None)]


@pytest.mark.django_db
def test_the_status_command_says_when_something_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("status")
    assert ended.value.code == 1
    assert "No supervisor is running here." in capsys.readouterr().out
