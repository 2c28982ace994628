"""The loop of every long-running process: wait for a wake-up, do all the work there is, say so, survive a lost database.

A subclass implements `work()`: one bounded unit, returning whether it did something. A lost PostgreSQL connection is closed, waited for
with back-off and reopened; any other error is logged, the unit is tried again with back-off, and a repeated one ends the process so that the
supervisor starts it afresh. SIGTERM and SIGINT end the loop between two units.
"""

from __future__ import annotations

import signal
import time
from abc import ABC, abstractmethod
from types import FrameType

import psycopg2
import structlog
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from apps.common import heartbeats
from apps.common.notify import Channel, Listener
from apps.core.errors import OwnershipLost

log = structlog.get_logger(__name__)

DATABASE_GONE = (OperationalError, InterfaceError, psycopg2.OperationalError, psycopg2.InterfaceError)


class Daemon(ABC):
    """One named process."""

    name: str
    channels: tuple[Channel, ...] = ()
    poll_seconds = 1.0
    heartbeat_seconds = 2.0
    failures_before_exit = 5

    def __init__(self) -> None:
        self._is_stopping = False
        self._last_beat = 0.0
        self.detail = ""

    @abstractmethod
    def work(self) -> bool:
        """Do one bounded unit of work; True if there may be more at once."""

    def prepare(self) -> None:
        """Called after every (re)connection to the database, before the first unit: recover here. A daemon that has nothing to recover leaves it."""

    def finish(self) -> None:
        """Called once at the end, with a live database if there is one. A daemon that holds nothing leaves it."""

    @property
    def is_stopping(self) -> bool:
        return self._is_stopping

    def stop(self, signum: int | None = None, frame: FrameType | None = None) -> None:
        self._is_stopping = True

    def run(self) -> None:
        """Run until stopped."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        failures = 0
        while not self._is_stopping:
            try:
                self.prepare()
                with Listener(*self.channels) as listener:
                    while not self._is_stopping:
                        more = self.work()
                        failures = 0
                        self._beat_if_due()
                        if not more:
                            listener.wait(self.poll_seconds)
            except DATABASE_GONE as error:
                log.warning("database_gone", process=self.name, error=str(error).strip().splitlines()[0] if str(error).strip() else "")
                self._pause(0.5)
            except OwnershipLost as error:
                log.warning("ownership_lost", process=self.name, error=str(error))
                self._pause(1.0)
            except Exception:
                failures += 1
                log.exception("unit_failed", process=self.name, failures=failures)
                if failures >= self.failures_before_exit:
                    raise
                self._pause(min(0.5 * 2**failures, 10.0))
            finally:
                close_old_connections()
        self._finish()

    def _beat_if_due(self) -> None:
        now = time.monotonic()
        if now - self._last_beat >= self.heartbeat_seconds:
            heartbeats.beat(self.name, detail=self.detail, expected_every=max(self.heartbeat_seconds, self.poll_seconds) + 2)
            self._last_beat = now

    def _pause(self, seconds: float) -> None:
        for item in connections.all(initialized_only=True):
            item.close()
        deadline = time.monotonic() + seconds
        while not self._is_stopping and time.monotonic() < deadline:
            time.sleep(0.1)

    def _finish(self) -> None:
        try:
            self.finish()
        except DATABASE_GONE:
            log.warning("finished_without_database", process=self.name)


class DaemonCommand(BaseCommand):
    """A management command that runs one daemon."""

    daemon_class: type[Daemon]

    def handle(self, *args: object, **options: object) -> None:
        self.daemon_class().run()
