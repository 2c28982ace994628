"""Loops beside the sealer's: each in a thread with a database connection of its own, so that neither Redis nor a slow handler holds up sealing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from django.db import connection

from apps.common.daemon import DATABASE_GONE
from apps.events.adapters.outside import REDIS_FAILED

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0


class BackgroundLoop(threading.Thread):
    """Repeats `step` while `is_allowed`; after any error waits, with back-off, and calls `prepare` again. Never ends by itself.

    `step` returns the seconds to wait for a wake-up before the next one.
    """

    def __init__(self, name: str, *, prepare: Callable[[], object], step: Callable[[], float], is_allowed: Callable[[], bool]) -> None:
        super().__init__(name=name, daemon=True)
        self._prepare = prepare
        self._step = step
        self._is_allowed = is_allowed
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._failures = 0
        self.trouble = ""

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def stop(self) -> None:
        """End after the present step."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._run_until_error()
            except (*REDIS_FAILED, *DATABASE_GONE) as error:
                self._note(error)
            except Exception as error:
                log.exception("loop_failed", loop=self.name)
                self._note(error)
            finally:
                connection.close()

    def _run_until_error(self) -> None:
        is_prepared = False
        while not self._stopping.is_set():
            if not self._is_allowed():
                is_prepared = False
                self._pause(FIRST_PAUSE_SECONDS)
                continue
            if not is_prepared:
                self._prepare()
                is_prepared = True
            seconds = self._step()
            self._recovered()
            if seconds:
                self._pause(seconds)

    def _note(self, error: Exception) -> None:
        self._failures += 1
        self.trouble = f"{type(error).__name__}: {error}".splitlines()[0][:80]
        if self._failures == 1:
            log.warning("loop_interrupted", loop=self.name, error=self.trouble)
        self._stopping.wait(min(FIRST_PAUSE_SECONDS * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE_SECONDS))

    def _recovered(self) -> None:
        if self._failures:
            log.info("loop_recovered", loop=self.name, failures=self._failures)
        self._failures = 0
        self.trouble = ""

    def _pause(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()
