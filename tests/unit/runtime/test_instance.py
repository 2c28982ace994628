from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trading_system.runtime.instance import InstanceLock, RunningInstance, refuse_taken_port, running_instance, stop_instance
from trading_system.runtime.places import DataPlaces
from trading_system.runtime.refusals import StartRefused

HOLD = """
import pathlib, signal, sys
from trading_system.runtime.instance import InstanceLock
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
lock = InstanceLock(pathlib.Path(sys.argv[1]), "http://localhost:8123")
print("held", flush=True)
signal.pause()
"""


@pytest.fixture
def data(tmp_path: Path) -> DataPlaces:
    places = DataPlaces(tmp_path)
    places.run.mkdir()
    return places


@pytest.fixture
def holder(data: DataPlaces) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(data.lock_file)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_instance_is_told_who_is_first(data: DataPlaces, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(StartRefused) as refusal:
        InstanceLock(data.lock_file, "http://localhost:8124")
    assert str(refusal.value) == (
        f"The system already runs on the data directory {data.root} (process {holder.pid}, http://localhost:8123). "
        "Stop it with `make stop`, or use another --data-dir."
    )
    assert running_instance(data) == RunningInstance(holder.pid, "http://localhost:8123")


def test_a_killed_instance_holds_nothing(data: DataPlaces, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert running_instance(data) is None
    InstanceLock(data.lock_file, "http://localhost:8124").release()


def test_stop_waits_for_the_end(data: DataPlaces, holder: subprocess.Popen[str]) -> None:
    assert stop_instance(data)
    assert holder.wait(5) == 0
    assert not stop_instance(data)


def test_nothing_runs_where_nothing_ran(tmp_path: Path) -> None:
    assert running_instance(DataPlaces(tmp_path)) is None
    assert not stop_instance(DataPlaces(tmp_path))


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1"])
def test_a_taken_port_is_refused(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(StartRefused, match=f"Port {port} cannot be used"):
            refuse_taken_port("127.0.0.1", port)


def test_a_free_port_is_fine() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    refuse_taken_port("127.0.0.1", port)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        assert probe.getsockname()[1] == port, "looking at it has not taken it"


def test_the_lock_is_not_inherited(data: DataPlaces) -> None:
    lock = InstanceLock(data.lock_file, "http://localhost:1")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lock.release()
    assert running_instance(data) is None
    assert os.path.exists(data.lock_file)
    child.communicate(b"\n")
