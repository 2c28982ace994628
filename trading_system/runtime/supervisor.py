"""The loop that keeps all processes alive: one thread, woken by output, by signals and four times a second."""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from trading_system.runtime.addresses import ServerAddresses, write_private
from trading_system.runtime.logs import RotatingLog
from trading_system.runtime.places import DataPlaces
from trading_system.runtime.probes import BeatAge, HeartbeatQuestion, Probe, RedisQuestion, WebQuestion
from trading_system.runtime.specifications import ProcessSpecification
from trading_system.runtime.supervised import ProcessState, Supervised
from trading_system.runtime.usage import UsageMeter

APPLICATION_STOP_SECONDS = 5.0
SERVER_STOP_SECONDS = {"redis": 1.0, "postgres": 3.5}
START_GRACE_SECONDS = 45.0
"""A process may need this long from its start to its first heartbeat."""
RECOVERY_GRACE_SECONDS = 20.0
"""Heartbeats may be late for so long after PostgreSQL or Redis came back."""
STALE_GRACE_SECONDS = 10.0
SERVER_SILENCE_SECONDS = 45.0
"""A server whose process lives but which does not answer for so long is started afresh."""
_TICK_SECONDS = 0.25
_STATUS_SECONDS = 2.0


class Supervisor:
    """Owns the children: servers first, then the application."""

    def __init__(self, places: DataPlaces, *, address: str, say: Callable[[str], None]) -> None:
        self.children: list[Supervised] = []
        self.is_stopping = False
        self._places = places
        self._address = address
        self._say = say
        self._selector = selectors.DefaultSelector()
        self._probes: dict[str, Probe] = {}
        self._usage = UsageMeter()
        self._waiting: list[Supervised] = []
        self._start_waiting_at = 0.0
        self._next_status = 0.0
        self._started_at = datetime.now(UTC)

    def stop_on_signals(self) -> None:
        """SIGINT, SIGTERM and a closed terminal end the loop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def start(self, specifications: Sequence[ProcessSpecification]) -> None:
        """Start these, in this order, and keep them alive from now on."""
        for specification in specifications:
            self._add(specification).start()

    def start_soon(self, specifications: Sequence[ProcessSpecification], *, seconds: float) -> None:
        """Start these when the web answers, or after so many seconds: who is waited for most gets the cores first."""
        self._waiting = [self._add(specification) for specification in specifications]
        self._start_waiting_at = time.monotonic() + seconds

    def watch(self, addresses: ServerAddresses, *, host: str, port: int) -> None:
        """Begin to ask the servers and the web whether they answer."""
        self._probes = {
            "postgres": Probe("postgres", HeartbeatQuestion(addresses.database_url)),
            "redis": Probe("redis", RedisQuestion(addresses.redis_url)),
            "web": Probe("web", WebQuestion("127.0.0.1" if host == "0.0.0.0" else host, port)),  # noqa: S104 - compared, not bound
        }
        for probe in self._probes.values():
            probe.start()

    @property
    def is_web_answering(self) -> bool:
        probe = self._probes.get("web")
        return probe is not None and probe.last_answer is not None

    def run_until(self, condition: Callable[[], bool], *, seconds: float = float("inf")) -> bool:
        """Supervise until `condition` holds (True), the time is up or a stop was asked for (False)."""
        deadline = time.monotonic() + seconds
        while not self.is_stopping and time.monotonic() < deadline:
            if condition():
                return True
            self._turn()
        return False

    def run(self) -> None:
        """Supervise until told to stop."""
        self.run_until(lambda: False)

    def stop(self) -> None:
        """Stop everything within ten seconds: the application in reverse order of its start, then Redis, then PostgreSQL."""
        self.is_stopping = True
        for probe in self._probes.values():
            probe.end()
        servers = [child for child in self.children if child.name in SERVER_STOP_SECONDS]
        application = [child for child in self.children if child not in servers]
        self._stop_together(application[::-1], APPLICATION_STOP_SECONDS)
        for server in servers[::-1]:
            self._stop_together([server], SERVER_STOP_SECONDS[server.name])
        for child in self.children:
            child.close()
        self._places.processes_file.unlink(missing_ok=True)

    def _add(self, specification: ProcessSpecification) -> Supervised:
        child = Supervised(specification, RotatingLog(self._places.logs / f"{specification.name}.log"), self._selector)
        self.children.append(child)
        return child

    def _start_the_waiting(self) -> None:
        if self._waiting and (self.is_web_answering or time.monotonic() >= self._start_waiting_at):
            waiting, self._waiting = self._waiting, []
            for child in waiting:
                child.start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True

    def _turn(self) -> None:
        self._pump(_TICK_SECONDS)
        self._start_the_waiting()
        for child in self.children:
            sentence = child.supervise()
            if sentence:
                self._say(sentence)
        if time.monotonic() >= self._next_status:
            self._next_status = time.monotonic() + _STATUS_SECONDS
            self._end_the_stuck()
            self._write_status()

    def _pump(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            key.data.read_output()

    def _stop_together(self, children: Sequence[Supervised], seconds: float) -> None:
        for child in children:
            child.request_stop()
        waiting = list(children)
        deadline = time.monotonic() + seconds
        while waiting and time.monotonic() < deadline:
            self._pump(0.05)
            waiting = [child for child in waiting if not child.has_ended()]
        for child in waiting:
            self._say(f"{child.name} did not stop within {seconds:.1f} s and was ended.")
            child.kill()

    def _end_the_stuck(self) -> None:
        """Kill what lives but completes nothing; the next turn starts it again."""
        for child in self.children:
            reason = self._why_stuck(child)
            if reason:
                self._say(f"{child.name} {reason}: ending it.")
                child.kill()

    def _why_stuck(self, child: Supervised) -> str:
        if child.state is not ProcessState.RUNNING:
            return ""
        probe = self._probes.get(child.name)
        if probe is not None:
            silence = min(probe.silent_for, child.running_for)
            return f"has not answered for {silence:.0f} s" if silence > SERVER_SILENCE_SECONDS and self._may_judge(child) else ""
        if not child.specification.has_heartbeat or not self._may_judge(child):
            return ""
        beat: BeatAge | None = self._heartbeats().get(child.name)
        if beat is None or beat.age_seconds > child.running_for:
            age, limit = child.running_for, START_GRACE_SECONDS
        else:
            age, limit = beat.age_seconds, 3 * beat.expected_every + STALE_GRACE_SECONDS
        return f"has completed no work for {age:.0f} s" if age > limit else ""

    def _may_judge(self, child: Supervised) -> bool:
        """The servers that heartbeats travel through must have answered for a while."""
        if child.name in SERVER_STOP_SECONDS:
            return True
        return all(self._probes[name].answering_for > RECOVERY_GRACE_SECONDS for name in SERVER_STOP_SECONDS)

    def _heartbeats(self) -> dict[str, BeatAge]:
        probe = self._probes.get("postgres")
        return probe.answer or {} if probe is not None else {}

    def _write_status(self) -> None:
        status = {
            "written_at": datetime.now(UTC).isoformat(),
            "supervisor": {"pid": os.getpid(), "address": self._address, "started_at": self._started_at.isoformat()},
            "processes": [self._row(child) for child in self.children],
        }
        try:
            write_private(self._places.processes_file, json.dumps(status))
        except OSError as error:
            print(f"The state file cannot be written: {error.strerror}", file=sys.stderr)  # noqa: T201 - the supervisor's own console

    def _row(self, child: Supervised) -> dict[str, Any]:
        usage = self._usage.measure(child.name, child.pid)
        probe = self._probes.get(child.name)
        return {
            "name": child.name,
            "pid": child.pid,
            "created": usage.created,
            "state": str(child.state),
            "restarts": child.restarts,
            "started_at": child.started_at.isoformat() if child.started_at else None,
            "last_exit": child.last_exit,
            "rss_bytes": usage.rss_bytes,
            "cpu_percent": usage.cpu_percent,
            "answered_seconds_ago": round(probe.silent_for, 1) if probe is not None and probe.last_answer is not None else None,
        }
