"""Our own PostgreSQL: a cluster below the data directory, reachable only through a private socket with a password."""

from __future__ import annotations

import os
import re
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2

from trading_system.runtime.children import run_as
from trading_system.runtime.places import ServerPlaces
from trading_system.runtime.programs import PostgresPrograms, plain_environment
from trading_system.runtime.refusals import StartRefused

USER = "trading_system"
DATABASE = "trading_system"
PORT = "5432"

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "120",
    "max_wal_size": "512MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
}
_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "1GB"}
_SINCE_18 = {"io_method": "sync"}


@dataclass(frozen=True)
class PostgresServer:
    """What to run and how to reach it; whoever owns the process starts and stops it."""

    programs: PostgresPrograms
    places: ServerPlaces
    password: str
    is_durable: bool = True

    stop_signal = signal.SIGINT
    """Fast shutdown: open transactions are rolled back, the data is left clean."""

    @property
    def data(self) -> Path:
        return self.places.home / "postgres"

    @property
    def settings(self) -> dict[str, str]:
        """How Django's settings find it."""
        return {"DB_HOST": str(self.places.sockets), "DB_PORT": PORT, "DB_NAME": DATABASE, "DB_USER": USER, "DB_PASS": self.password}

    @property
    def url(self) -> str:
        """How libpq finds it."""
        return f"postgres://{USER}:{quote(self.password, safe='')}@{quote(str(self.places.sockets), safe='')}:{PORT}/{DATABASE}"

    def command(self) -> list[str]:
        settings = _SETTINGS | {"port": PORT, "unix_socket_directories": str(self.places.sockets)}
        if self.programs.major >= 18:
            settings |= _SINCE_18
        if not self.is_durable:
            settings |= _THROWAWAY
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.programs.postgres), "-D", str(self.data), *options]

    def prepare(self) -> None:
        """Make the cluster if there is none; stop a server that a killed predecessor left behind. Refuses data of another major version."""
        self.places.create()
        self._refuse_other_major()
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster()
        self.stop_leftover()

    def is_accepting(self) -> bool:
        """Whether it answers a query right now. Refuses when it answers that our password is wrong."""
        try:
            self._run("SELECT 1", database="postgres")
        except psycopg2.Error as error:
            if "password authentication failed" in str(error):
                raise StartRefused(
                    f"The database in {self.data} has another password than the one in the data directory.",
                    hint="Restore the folder `secrets` of the data directory, or choose another one with --data-dir.",
                ) from error
            return False
        return True

    def ensure_database(self) -> None:
        """Create the database at the first start."""
        with suppress(psycopg2.errors.DuplicateDatabase):
            self._run(f'CREATE DATABASE "{DATABASE}"', database="postgres")

    def stop_leftover(self, *, seconds: float = 8.0) -> None:
        """End a server on our data that is not our child: politely, then at once. The caller holds the lock of the data directory."""
        leftover = self._leftover()
        if leftover is None:
            return
        for stop, wait in ((signal.SIGINT, seconds), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 3.0)):
            with suppress(psutil.NoSuchProcess):
                leftover.send_signal(signal.SIGCONT)
                leftover.send_signal(stop)
                psutil.wait_procs([leftover], timeout=wait)
            if not leftover.is_running():
                return

    def _leftover(self) -> psutil.Process | None:
        """The server that postmaster.pid names. A file that names some other living program (the number was reused) is removed; one that
        names nobody stays, because PostgreSQL itself checks with it that no orphaned backend is still writing."""
        pid_file = self.data / "postmaster.pid"
        try:
            process = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            if str(self.data) in process.cmdline():
                return process
        except (OSError, ValueError, psutil.Error):
            return None
        pid_file.unlink(missing_ok=True)
        return None

    def _refuse_other_major(self) -> None:
        version = self.data / "PG_VERSION"
        if not version.exists():
            return
        major = version.read_text().strip()
        if major != str(self.programs.major):
            raise StartRefused(
                f"The database in {self.data} was made by PostgreSQL {major}, but the server program here is PostgreSQL {self.programs.major}.",
                hint=f"Dump it with PostgreSQL {major} and load it into a new data directory (--data-dir), or set DATABASE_URL.",
            )

    def _create_cluster(self) -> None:
        """Run initdb beside the final place and rename, so that a killed start leaves nothing half made."""
        fresh = self.places.home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        secret = self.places.sockets / "initial-password"
        self._write_for_account(secret, self.password)
        command = [
            str(self.programs.initdb), "-D", str(fresh), "-U", USER, f"--pwfile={secret}", "--auth-local=scram-sha-256", "--auth-host=reject",
            "--encoding=UTF8", "--locale=C", *([] if self.is_durable else ["--no-sync"]),
        ]  # fmt: skip
        try:
            code, said = run_as(command, account=self.places.account, directory=self.places.home, environment=plain_environment())
        finally:
            secret.unlink()
        if code != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            reason = re.search(r"(?:FATAL|error): *(.+)", said)
            raise StartRefused(
                f"PostgreSQL could not create its database in {self.data}: {reason.group(1) if reason else said.strip()[-200:]}."
            )
        fresh.rename(self.data)

    def _write_for_account(self, path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        if self.places.account:
            os.chown(path, self.places.account.uid, self.places.account.gid)

    def _run(self, statement: str, *, database: str) -> None:
        connection = psycopg2.connect(
            host=str(self.places.sockets), port=PORT, user=USER, password=self.password, dbname=database, connect_timeout=2,
        )  # fmt: skip
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()
