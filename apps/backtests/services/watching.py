"""What goes on beside a computation: a thread that stores progress, keeps the claim, and looks whether somebody wants it stopped.

The computation itself only sets two numbers and reads a flag, so it may report at every bar. The thread has a database connection of its own.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import structlog
from django.db import connections

from apps.backtests.adapters.announcing import ProgressAnnouncer
from apps.backtests.domain.runners import RunInterrupted
from apps.backtests.services.claims import LEASE, Claim, renew
from apps.common import heartbeats
from apps.core.clock import Clock
from apps.core.errors import Refused

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.25
"""Between two looks: progress is stored and announced at most four times a second."""
STALL_SECONDS = 300.0
"""A computation that reports nothing for so long is ended: a strategy that never returns would hold its worker for ever."""
BEAT_SECONDS = 10.0
_RENEW_SECONDS = LEASE.total_seconds() / 3


class RunStalled(Refused, RunInterrupted):
    """Raised inside a computation that has not reported progress for too long."""

    code = "stalled"

    def __init__(self) -> None:
        super().__init__(
            f"It made no progress for {STALL_SECONDS:.0f} seconds.", where="strategy", hint="Does the strategy have a loop that never ends?"
        )


class Watch:
    """Watches one claimed computation while the block runs.

    `wants_stop` asks the database; `announce_as` are the fields of the message that pages get beside the numbers; `on_progress` is called
    with the numbers in the thread of the watch.
    """

    def __init__(
        self,
        claim: Claim,
        *,
        clock: Clock,
        wants_stop: Callable[[], bool],
        announce_as: dict[str, Any],
        on_progress: Callable[[int, int], None] | None = None,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._claim, self._clock, self._wants_stop = claim, clock, wants_stop
        self._announce_as, self._on_progress, self._stall_seconds = announce_as, on_progress, stall_seconds
        self._done = self._total = self._inside = 0
        self._message = "Running"
        self._is_cancelled = False
        self.is_lost = False
        self._beaten_at = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="backtest-watch", daemon=True)
        self._watched = threading.get_ident()
        self._computes = False

    def progress(self, done: int, total: int) -> None:
        """What the computation reports."""
        self._done, self._total = done, total

    def say(self, message: str) -> None:
        """What is being done, in words; stored with the next progress."""
        self._message = message

    def touch(self, done: int, total: int) -> None:
        """What a part of the computation reports: it only shows that something goes on."""
        self._inside = done

    def is_cancelled(self) -> bool:
        """Whether the computation should stop: it was cancelled, or its work is no longer ours."""
        return self._is_cancelled

    def __enter__(self) -> Watch:
        self._computes = True
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._computes = False
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        announcer = ProgressAnnouncer()
        seen, inside, moved_at, renewed_at = (-1, -1), 0, time.monotonic(), 0.0
        try:
            while not self._over.wait(LOOK_SECONDS):
                now, numbers = time.monotonic(), (self._done, self._total)
                has_moved = numbers != seen
                if has_moved or inside != self._inside:
                    seen, inside, moved_at = numbers, self._inside, now
                elif now - moved_at > self._stall_seconds:
                    self._end_computation()
                    return
                is_due = has_moved or now - renewed_at > _RENEW_SECONDS
                if is_due and self._look(numbers, announcer):
                    renewed_at = now
                elif not is_due:
                    self._ask()
        finally:
            announcer.close()
            connections.close_all()

    def _ask(self) -> None:
        """Whether somebody wants it stopped, while there is no progress to store."""
        try:
            self._is_cancelled = self._is_cancelled or self._wants_stop()
        except Exception as error:  # as below
            log.warning("cancel_not_read", work=str(self._claim.id), error=str(error))
            connections.close_all()

    def _look(self, numbers: tuple[int, int], announcer: ProgressAnnouncer) -> bool:
        """Store, ask and tell; False if the database did not answer, which the next look tries again."""
        done, total = numbers
        try:
            if not renew(self._claim, now=self._clock.now(), done=done, total=total, message=self._message):
                self.is_lost = self._is_cancelled = True
            elif self._wants_stop():
                self._is_cancelled = True
        except Exception as error:  # a lost connection raises what the driver raises
            log.warning("progress_not_stored", work=str(self._claim.id), error=str(error))
            connections.close_all()
            return False
        self._beat()
        announcer.announce({**self._announce_as, "done": done, "total": total})
        if self._on_progress:
            self._on_progress(done, total)
        return True

    def _beat(self) -> None:
        """A worker that computes is at work, however long it takes: its process would show as stuck before its task is over."""
        process = os.environ.get("TRADING_PROCESS")
        if process and time.monotonic() - self._beaten_at >= BEAT_SECONDS:
            heartbeats.beat(process, detail=f"{self._announce_as['kind']} {self._announce_as['id']}"[:200], expected_every=2 * BEAT_SECONDS)
            self._beaten_at = time.monotonic()

    def _end_computation(self) -> None:
        """Raise RunStalled in the watched thread at its next bytecode: the only way to leave a loop in somebody's Python code."""
        if self._computes:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._watched), ctypes.py_object(RunStalled))
