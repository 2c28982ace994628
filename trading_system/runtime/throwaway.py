"""A PostgreSQL and a Redis for one test run: children of this process, data in a temporary folder, gone with it."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

from trading_system.runtime.children import spawn, wait_until
from trading_system.runtime.places import ServerPlaces, server_account
from trading_system.runtime.postgres import PostgresServer
from trading_system.runtime.programs import plain_environment, postgres_programs, redis_program
from trading_system.runtime.redis import RedisServer
from trading_system.runtime.refusals import StartRefused
from trading_system.runtime.secrets import local_secret

_BASE = Path("/tmp")  # noqa: S108 - mkdtemp makes private folders; the path must be short for the sockets in it
_PREFIX = "trading-test-"
_START_SECONDS = 60.0


def start_throwaway_servers(*, is_durable: bool = False) -> None:
    """Start both, name them in the environment (DB_*, REDIS_URL, TRADING_DATA_DIR) and stop them when this process ends, however it ends.

    Ends the process with one sentence when there is no server program.
    """
    _sweep_leftovers()
    folder = _temporary_folder()
    try:
        postgres, redis = _servers(folder, is_durable=is_durable)
    except StartRefused as refusal:
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(str(refusal))
    children = [_start(postgres, folder / "postgres.log", signal.SIGQUIT), _start(redis, folder / "redis.log", signal.SIGKILL)]
    atexit.register(_stop, os.getpid(), children, folder)
    if not all(wait_until(server.is_accepting, seconds=_START_SECONDS) for server in (postgres, redis)):
        sys.exit(f"The servers for the tests did not start.\n{(folder / 'postgres.log').read_text()}\n{(folder / 'redis.log').read_text()}")
    postgres.ensure_database()
    os.environ.pop("DATABASE_URL", None)
    os.environ.update(postgres.settings | redis.settings | {"TRADING_DATA_DIR": str(folder / "data")})


def _temporary_folder() -> Path:
    """Named after us, so that the next run can tell whether it was left behind. Others may pass through it, not look into it."""
    process = psutil.Process()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{process.pid}-{int(process.create_time())}-", dir=_BASE))
    folder.chmod(0o711)
    (folder / "data").mkdir()
    return folder


def _servers(folder: Path, *, is_durable: bool) -> tuple[PostgresServer, RedisServer]:
    places = ServerPlaces(server_account(), home=folder / "servers", copies=folder / "programs", sockets=folder / "sockets")
    programs = postgres_programs(account=places.account, copies=places.copies)
    postgres = PostgresServer(programs, places, password=local_secret(folder / "data", "postgres"), is_durable=is_durable)
    redis = RedisServer(redis_program(account=places.account, copies=places.copies), places)
    postgres.prepare()
    redis.prepare()
    return postgres, redis


def _start(server: PostgresServer | RedisServer, log: Path, death_signal: signal.Signals) -> subprocess.Popen[bytes]:
    places = server.places
    with log.open("ab") as output:
        return spawn(
            server.command(), environment=plain_environment(), directory=places.home, output=output, account=places.account, death_signal=death_signal,
        )  # fmt: skip


def _stop(owner: int, children: list[subprocess.Popen[bytes]], folder: Path) -> None:
    if os.getpid() != owner:
        return
    for child in children:
        child.send_signal(signal.SIGQUIT)
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(5)
        child.kill()
    shutil.rmtree(folder, ignore_errors=True)


def _sweep_leftovers() -> None:
    """Remove the folders of test runs that were killed (their servers died with them)."""
    for folder in _BASE.glob(f"{_PREFIX}*"):
        _, _, name = folder.name.partition(_PREFIX)
        with suppress(ValueError, OSError):
            pid, started = (int(part) for part in name.split("-")[:2])
            if not _is_running(pid, started) and folder.lstat().st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: int, started: int) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - started) < 2
    except psutil.NoSuchProcess:
        return False
