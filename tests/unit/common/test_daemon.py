"""The loop of every long-running process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, connection

from apps.common.daemon import Daemon
from apps.common.models import Heartbeat
from apps.common.notify import Channel
from apps.core.errors import OwnershipLost

pytestmark = pytest.mark.django_db(transaction=True)


class Scripted(Daemon):
    """Does one scripted thing per unit and stops after the last."""

    name = "scripted"
    channels = (Channel.CONTROL,)
    poll_seconds = 0.01

    def __init__(self, script: list[Callable[[], bool]]) -> None:
        super().__init__()
        self.script: Iterator[Callable[[], bool]] = iter(script)
        self.prepared = 0
        self.finished = 0

    def prepare(self) -> None:
        self.prepared += 1

    def work(self) -> bool:
        action = next(self.script, None)
        if action is None:
            self.stop()
            return False
        return action()

    def finish(self) -> None:
        self.finished += 1


def fail_with(error: Exception) -> Callable[[], bool]:
    def action() -> bool:
        raise error

    return action


def lose_the_connection() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return True


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Daemon._pause
    monkeypatch.setattr(Daemon, "_pause", lambda self, seconds: original(self, 0.01))


def test_it_works_until_stopped_and_beats() -> None:
    daemon = Scripted([lambda: True, lambda: False, lambda: True])
    daemon.run()
    assert (daemon.prepared, daemon.finished) == (1, 1)
    assert Heartbeat.objects.get(process="scripted").pid > 0


def test_a_lost_database_connection_is_reopened_and_prepared_again() -> None:
    done: list[int] = []
    daemon = Scripted(
        [lose_the_connection, lambda: bool(done.append(1)), fail_with(OperationalError("gone")), lambda: bool(done.append(2))]
    )
    daemon.run()
    assert done == [1, 2]
    assert daemon.prepared == 3


def test_lost_ownership_is_waited_out() -> None:
    daemon = Scripted([fail_with(OwnershipLost("taken")), lambda: True])
    daemon.run()
    assert (daemon.prepared, daemon.finished) == (2, 1)


def test_a_unit_that_keeps_failing_ends_the_process() -> None:
    daemon = Scripted([fail_with(ValueError(str(number))) for number in range(9)])
    with pytest.raises(ValueError, match="4"):
        daemon.run()
    assert daemon.prepared == 5


def test_failures_must_be_in_a_row_to_count() -> None:
    script = [fail_with(ValueError("now and then")), lambda: True] * 8
    daemon = Scripted(script)
    daemon.run()
    assert daemon.finished == 1


def test_idle_work_waits_instead_of_spinning() -> None:
    daemon = Scripted([lambda: False] * 5)
    start = time.monotonic()
    daemon.run()
    assert time.monotonic() - start >= 0.05
