"""One running system per data directory, one listener per port."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from trading_system.runtime.places import DataPlaces
from trading_system.runtime.refusals import StartRefused


@dataclass(frozen=True)
class RunningInstance:
    """Who holds the data directory."""

    pid: int
    address: str


class InstanceLock:
    """The exclusive right to one data directory, for as long as the process lives."""

    def __init__(self, path: Path, address: str) -> None:
        """Take it. Refuses with pid and address while another system holds it."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise StartRefused(*_already_running(path)) from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, json.dumps(asdict(RunningInstance(os.getpid(), address))).encode())

    def release(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def running_instance(places: DataPlaces) -> RunningInstance | None:
    """The system that runs on this data directory now, if any."""
    try:
        descriptor = os.open(places.lock_file, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _read(places.lock_file)
    finally:
        os.close(descriptor)
    return None


def stop_instance(places: DataPlaces, *, seconds: float = 20.0) -> bool:
    """Ask the running system to stop and wait for its end; False when none was running. Raises TimeoutError when it does not end."""
    instance = running_instance(places)
    if instance is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(instance.pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while running_instance(places) is not None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"The system (process {instance.pid}) has not stopped within {seconds:.0f} s.")
        time.sleep(0.1)
    return True


def refuse_taken_port(host: str, port: int) -> None:
    """Refuse when something listens there already, also on the other address that `localhost` may mean."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise _port_refusal(port, error.strerror or str(error)) from None
    if _answers("::1", port) or _answers("127.0.0.1", port):
        raise _port_refusal(port, "another program listens there")


def end_leftovers(places: DataPlaces) -> list[str]:
    """End processes of a predecessor that was killed before it could; returns their names. The caller holds the lock."""
    ended = []
    for name, pid, started_at in _recorded_processes(places):
        with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            process = psutil.Process(pid)
            if abs(process.create_time() - started_at) < 1.0 and process.status() != psutil.STATUS_ZOMBIE:
                os.killpg(pid, signal.SIGKILL)
                ended.append(name)
    places.processes_file.unlink(missing_ok=True)
    return ended


def _recorded_processes(places: DataPlaces) -> list[tuple[str, int, float]]:
    try:
        rows = json.loads(places.processes_file.read_text())["processes"]
        return [(row["name"], row["pid"], row["created"]) for row in rows if row["pid"] and row["name"] not in ("postgres", "redis")]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _already_running(path: Path) -> tuple[str]:
    instance = _read(path)
    where = f"process {instance.pid}, {instance.address}" if instance else "another process"
    return (
        f"The system already runs on the data directory {path.parent.parent} ({where}). Stop it with `make stop`, or use another --data-dir.",
    )


def _read(path: Path) -> RunningInstance | None:
    for _ in range(10):
        with suppress(OSError, ValueError, TypeError):
            return RunningInstance(**json.loads(path.read_text()))
        time.sleep(0.02)
    return None


def _answers(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=0.5):
        return True
    return False


def _port_refusal(port: int, reason: str) -> StartRefused:
    return StartRefused(f"Port {port} cannot be used: {reason[:1].lower()}{reason[1:]}.", hint="Choose another one with --port.")
