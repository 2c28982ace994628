"""The supervisor with small programs in place of the system's processes."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from trading_system.runtime import supervisor as module
from trading_system.runtime.places import DataPlaces
from trading_system.runtime.probes import BeatAge
from trading_system.runtime.specifications import ProcessSpecification
from trading_system.runtime.supervised import ProcessState
from trading_system.runtime.supervisor import Supervisor

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
WITH_CHILD = "import subprocess, sys; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); p.wait()"


@dataclass
class FakeProbe:
    answer: Any = None
    silent_for: float = 0.0
    answering_for: float = 1_000.0
    last_answer: float | None = 1.0

    def end(self) -> None:
        pass


@pytest.fixture
def places(tmp_path: Path) -> DataPlaces:
    places = DataPlaces(tmp_path)
    places.create()
    return places


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(places: DataPlaces, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setattr(module, "APPLICATION_STOP_SECONDS", 1.0)
    monkeypatch.setattr(module, "_TICK_SECONDS", 0.02)
    monkeypatch.setattr(module, "_STATUS_SECONDS", 0.1)
    supervisor = Supervisor(places, address="http://localhost:1", say=said.append)
    yield supervisor
    supervisor.stop()


def program(name: str, code: str, **options: Any) -> ProcessSpecification:
    return ProcessSpecification(name=name, command=[sys.executable, "-S", "-c", code], environment={"PATH": os.environ["PATH"]}, **options)


def log_of(places: DataPlaces, name: str) -> str:
    path = places.logs / f"{name}.log"
    return path.read_text() if path.exists() else ""


def test_a_killed_process_is_started_again(supervisor: Supervisor, places: DataPlaces, said: list[str]) -> None:
    supervisor.start([program("worker", SLEEPER)])
    (child,) = supervisor.children
    assert supervisor.run_until(lambda: "up" in log_of(places, "worker"), seconds=5)
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert supervisor.run_until(lambda: child.restarts == 1 and child.state is ProcessState.RUNNING, seconds=5)
    assert child.pid != first
    assert said == [f"worker was killed by signal 9; starting it again in 0.2 s (see {places.logs / 'worker.log'})"]


def test_a_process_that_crashes_at_once_is_tried_ever_more_slowly(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start([program("worker", "raise SystemExit(3)")])
    assert supervisor.run_until(lambda: len(said) == 3, seconds=10)
    assert [line.split(" (see")[0] for line in said] == [
        f"worker ended with exit code 3; starting it again in {pause} s" for pause in (0.2, 0.4, 0.8)
    ]


def test_stop_ends_everything_also_the_stubborn(supervisor: Supervisor, places: DataPlaces, said: list[str]) -> None:
    supervisor.start([program("polite", SLEEPER), program("stubborn", STUBBORN)])
    assert supervisor.run_until(lambda: all("up" in log_of(places, name) for name in ("polite", "stubborn")), seconds=5)
    pids = [child.pid for child in supervisor.children]
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 3.5
    assert said == ["stubborn did not stop within 1.0 s and was ended."]
    assert not any(pid and psutil.pid_exists(pid) for pid in pids)
    assert not places.processes_file.exists()


def test_what_a_killed_process_had_started_is_ended_too(supervisor: Supervisor, places: DataPlaces) -> None:
    supervisor.start([program("worker", WITH_CHILD)])
    assert supervisor.run_until(lambda: log_of(places, "worker").strip().isdigit(), seconds=5)
    grandchild = int(log_of(places, "worker"))
    (child,) = supervisor.children
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    assert supervisor.run_until(lambda: not _lives(grandchild), seconds=5)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_frozen_process_whose_heartbeat_is_stale_is_replaced(
    supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_GRACE_SECONDS", 0.5)
    monkeypatch.setattr(module, "STALE_GRACE_SECONDS", 0.2)
    supervisor.start([program("worker", SLEEPER, has_heartbeat=True)])
    beats = {"worker": BeatAge(age_seconds=0.0, expected_every=0.1, detail="")}
    supervisor._probes = {"postgres": FakeProbe(beats), "redis": FakeProbe()}  # type: ignore[dict-item]
    (child,) = supervisor.children
    frozen = child.pid
    assert frozen is not None
    os.kill(frozen, signal.SIGSTOP)
    assert not supervisor.run_until(lambda: child.restarts > 0, seconds=1.0)
    beats["worker"] = BeatAge(age_seconds=0.9, expected_every=0.1, detail="")
    assert supervisor.run_until(lambda: child.restarts == 1, seconds=5)
    assert not psutil.pid_exists(frozen)
    assert said[0].startswith("worker has completed no work for ")


def test_a_process_that_never_says_anything_is_replaced(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_GRACE_SECONDS", 0.5)
    supervisor.start([program("worker", SLEEPER, has_heartbeat=True)])
    left_by_the_last_run = BeatAge(age_seconds=3_600.0, expected_every=1.0, detail="")
    supervisor._probes = {"postgres": FakeProbe({"worker": left_by_the_last_run}), "redis": FakeProbe()}  # type: ignore[dict-item]
    assert not supervisor.run_until(lambda: supervisor.children[0].restarts > 0, seconds=0.4)
    assert supervisor.run_until(lambda: supervisor.children[0].restarts == 1, seconds=5)


@pytest.mark.parametrize("server", ["postgres", "redis"])
def test_nobody_is_judged_while_a_server_is_away(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setattr(module, "START_GRACE_SECONDS", 0.1)
    supervisor.start([program("worker", SLEEPER, has_heartbeat=True)])
    probes = {"postgres": FakeProbe({"worker": BeatAge(600.0, 1.0, "")}), "redis": FakeProbe()}
    probes[server].answering_for = 1.0
    supervisor._probes = probes  # type: ignore[assignment]
    assert not supervisor.run_until(lambda: supervisor.children[0].restarts > 0, seconds=1.0)


def test_a_server_that_lives_but_does_not_answer_is_replaced(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SERVER_SILENCE_SECONDS", 0.3)
    supervisor.start([program("redis", SLEEPER)])
    supervisor._probes = {"redis": FakeProbe(silent_for=60.0)}  # type: ignore[dict-item]
    assert supervisor.run_until(lambda: supervisor.children[0].restarts == 1, seconds=5)


def test_the_state_file_tells_pid_restarts_and_memory(supervisor: Supervisor, places: DataPlaces) -> None:
    supervisor.start([program("worker", SLEEPER)])
    assert supervisor.run_until(places.processes_file.exists, seconds=5)
    state = json.loads(places.processes_file.read_text())
    (row,) = state["processes"]
    assert state["supervisor"]["pid"] == os.getpid()
    assert (row["name"], row["pid"], row["state"], row["restarts"]) == ("worker", supervisor.children[0].pid, "running", 0)
    assert row["rss_bytes"] > 1_000_000
