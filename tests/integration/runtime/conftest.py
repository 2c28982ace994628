"""Real servers and real processes of the runtime, in folders that an unprivileged user can pass through."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from trading_system.runtime.places import ServerPlaces, server_account
from trading_system.runtime.postgres import PostgresServer
from trading_system.runtime.programs import PostgresPrograms, postgres_programs
from trading_system.runtime.secrets import local_secret

OURS = ("DB_", "REDIS_", "DATABASE_URL", "TRADING_", "DJANGO_SETTINGS_MODULE", "LIVE_TRADING_", "PYTEST_")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder with a space in its name, open for passing through as /var/lib is (pytest's own are closed)."""
    root = Path(tempfile.mkdtemp(prefix="runtime test ", dir="/tmp"))
    root.chmod(0o711)
    yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def plain_environment() -> dict[str, str]:
    """Our environment without what tells of servers, settings or tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresPrograms]:
    copies = Path(tempfile.mkdtemp(prefix="runtime-programs-", dir="/tmp"))
    copies.chmod(0o711)
    yield postgres_programs(account=server_account(), copies=copies)
    shutil.rmtree(copies, ignore_errors=True)


@pytest.fixture
def places(folder: Path) -> ServerPlaces:
    return ServerPlaces(server_account(), home=folder / "servers", copies=folder / "programs", sockets=folder / "s")


@pytest.fixture
def postgres(places: ServerPlaces, programs: PostgresPrograms, folder: Path) -> PostgresServer:
    """A server that nobody has started yet."""
    (folder / "data").mkdir()
    return PostgresServer(programs, places, password=local_secret(folder / "data", "postgres"), is_durable=False)
