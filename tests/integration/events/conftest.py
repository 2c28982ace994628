"""A data directory and a Redis of each test's own, and a log to tamper with."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from django.db import connection

from apps.events.bus import Bus, connect
from apps.events.contracts import AlertRaised, ProcessRestarted, ProcessStarted
from apps.events.services import NewEvent, anchor_sealed, record_events, seal_batch
from trading_system.runtime.programs import redis_program

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PREFIX = "test:"


class OwnRedis:
    """A redis-server that a test may kill, flush and start again; it keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "r.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        program = str(redis_program(account=None, copies=self._socket.parent))
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", "--appendonly", "no", "--dir", str(self._socket.parent)]
        self._process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                if self.client().ping():
                    return
            except redis.ConnectionError:
                time.sleep(0.02)
        raise AssertionError("redis-server did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> redis.Redis:
        return connect(self.url)


@pytest.fixture(scope="module")
def redis_server() -> Iterator[OwnRedis]:
    with tempfile.TemporaryDirectory(prefix="ts") as folder:
        server = OwnRedis(Path(folder))
        server.start()
        yield server
        server.kill()


@pytest.fixture
def own_redis(redis_server: OwnRedis) -> OwnRedis:
    """The module's server, empty and running."""
    try:
        redis_server.client().flushall()
    except redis.ConnectionError:
        redis_server.start()
    return redis_server


@pytest.fixture
def bus(own_redis: OwnRedis) -> Bus:
    return Bus(own_redis.client(), prefix=PREFIX)


@pytest.fixture(autouse=True)
def data_dir(settings: object, tmp_path: Path) -> Path:
    """Anchors of a test lie in a folder of its own."""
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    return tmp_path


def some_events(count: int, *, first: int = 0) -> list[NewEvent]:
    """Events of all three priorities in turn, numbered."""
    makers = (
        lambda number: AlertRaised(level="INFO", title=str(number), message="told"),
        lambda number: ProcessRestarted(process="web", exit_code=1, restarts=number),
        lambda number: ProcessStarted(process="web", pid=number),
    )
    return [NewEvent(makers[number % 3](number), NOW, subject=str(number)) for number in range(first, first + count)]


def sealed_log(count: int, *, first: int = 0) -> None:
    """Record, seal and anchor so many events."""
    record_events(some_events(count, first=first))
    while seal_batch():
        anchor_sealed()
    anchor_sealed()


def tamper(statement: str, *parameters: object) -> None:
    """Run raw SQL on the log with its triggers disabled, as somebody with the rights of the owner could."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE event_log DISABLE TRIGGER USER")
        cursor.execute(statement, parameters)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE event_log ENABLE TRIGGER event_log_append_only")
