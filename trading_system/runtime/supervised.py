"""One supervised process: started, watched, started again with back-off, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from selectors import EVENT_READ, BaseSelector

from trading_system.runtime.backoff import BackOff
from trading_system.runtime.children import spawn
from trading_system.runtime.logs import RotatingLog
from trading_system.runtime.refusals import StartRefused
from trading_system.runtime.specifications import ProcessSpecification


class ProcessState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    BACKING_OFF = "backing off"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Supervised:
    """Owns one child and its log file; all methods are called from the supervisor's loop."""

    def __init__(self, specification: ProcessSpecification, log: RotatingLog, selector: BaseSelector) -> None:
        self.specification = specification
        self.log = log
        self.state = ProcessState.WAITING
        self.restarts = 0
        self.last_exit = ""
        self.started_at: datetime | None = None
        self._selector = selector
        self._back_off = BackOff()
        self._child: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._start_again_at = 0.0

    @property
    def name(self) -> str:
        return self.specification.name

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    @property
    def running_for(self) -> float:
        """Seconds since the present run began; 0 when there is none."""
        return time.monotonic() - self._started if self.state is ProcessState.RUNNING else 0.0

    def start(self) -> None:
        """Start now."""
        specification = self.specification
        if specification.prepare:
            specification.prepare()
        self._child = spawn(
            specification.command,
            environment=specification.environment,
            directory=specification.directory,
            output=subprocess.PIPE,
            account=specification.account,
            niceness=specification.niceness,
            death_signal=specification.death_signal,
        )
        assert self._child.stdout is not None
        os.set_blocking(self._child.stdout.fileno(), False)
        self._selector.register(self._child.stdout, EVENT_READ, self)
        self.log.write(b"")
        self._started = time.monotonic()
        self.started_at = datetime.now(UTC)
        self.state = ProcessState.RUNNING

    def read_output(self) -> None:
        """Move what the child said to its log."""
        if self._child is None or self._child.stdout is None or self._child.stdout.closed:
            return
        try:
            data = os.read(self._child.stdout.fileno(), 65_536)
        except BlockingIOError:
            return
        if data:
            self.log.write(data)
        else:
            self._close_output()

    def supervise(self) -> str:
        """Notice an end, start again when the pause is over; returns a sentence when something happened."""
        if self.state is ProcessState.RUNNING and self._child is not None and self._child.poll() is not None:
            return self._note_end(self._child.returncode)
        if self.state is ProcessState.BACKING_OFF and time.monotonic() >= self._start_again_at:
            self.restarts += 1
            try:
                self.start()
            except (OSError, StartRefused) as error:
                self._pause_after(str(error))
        return ""

    def request_stop(self) -> None:
        """Ask politely."""
        if self.pid is None:
            self.state = ProcessState.STOPPED
            return
        self.state = ProcessState.STOPPING
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)
            os.kill(self.pid, self.specification.stop_signal)

    def has_ended(self) -> bool:
        """While stopping: whether it is gone."""
        if self._child is None or self._child.poll() is not None:
            self.state = ProcessState.STOPPED
            self._kill_group()
            return True
        return False

    def kill(self) -> None:
        """End it and all it started, at once."""
        if self._child is not None:
            self._kill_group()
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(2)

    def close(self) -> None:
        """After the end: the last lines, then the files."""
        self.read_output()
        self._close_output()
        self.log.close()

    def _note_end(self, code: int) -> str:
        self.read_output()
        self._kill_group()
        self._close_output()
        reason = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return self._pause_after(reason)

    def _pause_after(self, reason: str) -> str:
        pause = self._back_off.next_pause(ran_for=time.monotonic() - self._started)
        self._start_again_at = time.monotonic() + pause
        self.last_exit = reason
        self.state = ProcessState.BACKING_OFF
        return f"{self.name} {reason}; starting it again in {pause:.1f} s (see {self.log.path})"

    def _kill_group(self) -> None:
        if self._child is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def _close_output(self) -> None:
        if self._child is not None and self._child.stdout is not None and not self._child.stdout.closed:
            with suppress(KeyError):
                self._selector.unregister(self._child.stdout)
            self._child.stdout.close()
