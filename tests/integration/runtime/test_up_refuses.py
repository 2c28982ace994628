"""`manage.py up` as a person starts it, where it cannot start: one plain sentence, exit code 2, no traceback, nothing left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from trading_system.runtime.instance import InstanceLock
from trading_system.runtime.places import DataPlaces
from trading_system.runtime.programs import PostgresPrograms

ROOT = Path(__file__).resolve().parents[3]


def up(environment: dict[str, str], *arguments: str) -> str:
    """What it says on standard error."""
    finished = subprocess.run(
        [sys.executable, "manage.py", "up", *arguments], cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 2, finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr and finished.stdout == ""
    assert finished.stderr.count("\n") == 1
    return finished.stderr.strip()


def test_an_unknown_timeframe(plain_environment: dict[str, str]) -> None:
    assert up(plain_environment, "--timeframe", "2d") == "There is no timeframe '2d'. Choose one of: 1m, 5m, 15m, 1h, 4h, 1d."


def test_live_without_its_switch(plain_environment: dict[str, str]) -> None:
    assert up(plain_environment, "--mode", "live").startswith("Live trading is switched off")


def test_a_taken_port(plain_environment: dict[str, str], folder: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        said = up(plain_environment, "--data-dir", str(folder / "var"), "--port", str(port))
    assert said == f"Port {port} cannot be used: address already in use. Choose another one with --port."
    assert not (folder / "var" / "servers").exists()


def test_a_second_instance(plain_environment: dict[str, str], folder: Path) -> None:
    places = DataPlaces(folder)
    places.create()
    lock = InstanceLock(places.lock_file, "http://localhost:8123")
    said = up(plain_environment, "--data-dir", str(folder), "--port", "8124")
    lock.release()
    assert said == (
        f"The system already runs on the data directory {folder} (process {os.getpid()}, http://localhost:8123). "
        "Stop it with `make stop`, or use another --data-dir."
    )


def test_a_data_directory_that_cannot_be_written(plain_environment: dict[str, str], folder: Path) -> None:
    (folder / "file").write_text("in the way")
    said = up(plain_environment, "--data-dir", str(folder / "file" / "var"))
    assert said.startswith(f"The data directory {folder / 'file' / 'var'} cannot be written: Not a directory.")


def test_data_of_another_postgresql(plain_environment: dict[str, str], folder: Path, programs: PostgresPrograms) -> None:
    cluster = folder / "servers" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("9.6\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = up(plain_environment, "--data-dir", str(folder), "--port", str(port))
    assert f"was made by PostgreSQL 9.6, but the server program here is PostgreSQL {programs.major}." in said
    assert not (folder / "run" / "servers.env").exists()


@pytest.mark.parametrize("option", ["--help"])
def test_help_is_no_refusal(plain_environment: dict[str, str], option: str) -> None:
    finished = subprocess.run(
        [sys.executable, "manage.py", "up", option],
        cwd=ROOT,
        env=plain_environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert finished.returncode == 0
    assert all(name in finished.stdout for name in ("--venue", "--symbol", "--timeframe", "--mode", "--port", "--data-dir"))
