from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest

from trading_system.runtime.children import account_named, spawn, wait_until
from trading_system.runtime.places import DataPlaces, ServerPlaces
from trading_system.runtime.postgres import DATABASE, PORT, USER, PostgresServer
from trading_system.runtime.programs import PostgresPrograms, plain_environment
from trading_system.runtime.refusals import StartRefused
from trading_system.runtime.secrets import local_secret
from trading_system.runtime.specifications import ProcessSpecification
from trading_system.runtime.supervised import ProcessState
from trading_system.runtime.supervisor import Supervisor


def start(server: PostgresServer) -> subprocess.Popen[bytes]:
    """Start it as our child, without supervision."""
    child = spawn(
        server.command(),
        environment=plain_environment(),
        directory=server.places.home,
        account=server.places.account,
        death_signal=signal.SIGQUIT,
    )
    assert wait_until(server.is_accepting, seconds=30)
    return child


def query(server: PostgresServer, statement: str, password: str | None = None) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(
        host=str(server.places.sockets), port=PORT, user=USER, password=password or server.password, dbname=DATABASE
    )
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


@contextmanager
def supervised(server: PostgresServer, data: Path) -> Iterator[Supervisor]:
    places = DataPlaces(data)
    places.create()
    supervisor = Supervisor(places, address="", say=lambda text: None)
    specification = ProcessSpecification(
        "postgres", server.command(), plain_environment(), server.places.home, server.places.account, stop_signal=server.stop_signal,
        death_signal=signal.SIGQUIT, prepare=server.prepare,
    )  # fmt: skip
    try:
        supervisor.start([specification])
        assert supervisor.run_until(server.is_accepting, seconds=30)
        yield supervisor
    finally:
        supervisor.stop()


def test_committed_rows_survive_kill_9_and_the_supervisor_brings_the_server_back(postgres: PostgresServer, folder: Path) -> None:
    postgres = replace(postgres, is_durable=True)
    with supervised(postgres, folder / "data") as supervisor:
        postgres.ensure_database()
        query(postgres, "CREATE TABLE kept AS SELECT 42 AS answer")
        (child,) = supervisor.children
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        assert supervisor.run_until(
            lambda: child.restarts > 0 and child.state is ProcessState.RUNNING and postgres.is_accepting(), seconds=20
        )
        assert query(postgres, "SELECT answer FROM kept") == [(42,)]
        stopped = child.pid
    assert stopped is not None and not psutil.pid_exists(stopped)
    assert not (postgres.data / "postmaster.pid").exists(), "a clean stop leaves no pid file"


def test_only_the_password_opens_it_and_only_through_the_socket(postgres: PostgresServer) -> None:
    postgres.prepare()
    child = start(postgres)
    try:
        postgres.ensure_database()
        postgres.ensure_database()
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            query(postgres, "SELECT 1", password="wrong")
        assert {item.laddr for item in psutil.Process(child.pid).net_connections(kind="inet")} == set()
        assert os.stat(postgres.places.sockets).st_mode & 0o777 == 0o700
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(20)


def test_a_server_left_behind_by_a_killed_predecessor_is_stopped(postgres: PostgresServer) -> None:
    postgres.prepare()
    leftover = start(postgres)
    postgres.prepare()
    assert leftover.wait(10) == 0
    successor = start(postgres)
    successor.send_signal(signal.SIGINT)
    assert successor.wait(20) == 0


def test_a_reused_process_number_in_the_pid_file_is_no_server(postgres: PostgresServer) -> None:
    postgres.prepare()
    (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n")
    postgres.prepare()
    assert not (postgres.data / "postmaster.pid").exists()


def test_data_of_another_major_version_is_refused_and_left_alone(postgres: PostgresServer) -> None:
    postgres.data.mkdir(parents=True)
    (postgres.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(StartRefused) as refusal:
        postgres.prepare()
    assert str(refusal.value).startswith(
        f"The database in {postgres.data} was made by PostgreSQL 15, but the server program here is PostgreSQL {postgres.programs.major}."
    )
    assert [path.name for path in postgres.data.iterdir()] == ["PG_VERSION"]


def test_a_half_made_cluster_is_made_anew(postgres: PostgresServer) -> None:
    fresh = postgres.places.home / "postgres.new"
    fresh.mkdir(parents=True)
    (fresh / "PG_VERSION").write_text("18\n")
    postgres.prepare()
    assert (postgres.data / "pg_hba.conf").exists() and not fresh.exists()


def _run_as_ordinary_user(programs: PostgresPrograms, folder: Path, outcome: multiprocessing.queues.Queue[str]) -> None:
    nobody = account_named("nobody")
    if os.geteuid() == 0 and nobody is not None:
        os.setgroups([])
        os.setgid(nobody.gid)
        os.setuid(nobody.uid)
    try:
        server = PostgresServer(
            programs,
            ServerPlaces(None, folder / "home", folder / "copies", folder / "sockets"),
            local_secret(folder, "postgres"),
            is_durable=False,
        )
        server.prepare()
        child = start(server)
        owner = psutil.Process(child.pid).uids().real
        child.send_signal(signal.SIGINT)
        outcome.put(f"{owner} {child.wait(20)}")
    except BaseException as error:
        outcome.put(repr(error))


def test_an_ordinary_user_runs_it_as_himself(programs: PostgresPrograms, folder: Path) -> None:
    nobody = account_named("nobody")
    user = nobody.uid if os.geteuid() == 0 and nobody is not None else os.geteuid()
    home = folder / "of the user"
    home.mkdir()
    os.chown(home, user, -1)
    context = multiprocessing.get_context("fork")
    outcome = context.Queue()
    process = context.Process(target=_run_as_ordinary_user, args=(programs, home, outcome))
    process.start()
    assert outcome.get(timeout=60) == f"{user} 0"
    process.join()
