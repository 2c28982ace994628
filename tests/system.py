"""The whole system as a user starts it: `manage.py up` (or `make run`) in a process of its own, with its own data directory and port.

Used by the proofs and the whole-system tests: starts, logs in by the printed link, reads the database beside it, kills its parts, stops it.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
import psycopg2

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"http://[^\s/]+/login/link/\S+")
GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)
"""A process that ended while we looked at it."""
PROCESSES = ("web", "worker", "trainer", "beat", "streams", "sessions", "executor", "events")


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningSystem:
    """One installation: a checkout, a data directory, a port. May be started and stopped several times."""

    def __init__(self, data_dir: Path, *, checkout: Path = ROOT, python: Path | None = None, use_make: bool = False) -> None:
        self.data_dir = data_dir
        self.checkout = checkout
        self.python = python or Path(sys.executable)
        self.use_make = use_make
        self.port = free_port()
        self.output: list[str] = []
        self.started_at = 0.0
        self.login_link = ""
        self._process: subprocess.Popen[str] | None = None
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    # life

    def start(self, *arguments: str) -> None:
        """Start it and return at once."""
        options = ["--port", str(self.port), "--data-dir", str(self.data_dir), *arguments]
        command = (
            ["make", "run", "ARGS=" + " ".join(f"'{item}'" for item in options)]
            if self.use_make
            else [str(self.python), "manage.py", "up", *options]
        )
        self.output = []
        self.started_at = time.monotonic()
        self._process = subprocess.Popen(
            command,
            cwd=self.checkout,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line.rstrip("\n"))
            found = LINK.search(line)
            if found:
                self.login_link = found.group(0)

    def stop(self, *, within: float = 20.0) -> float:
        """Ctrl-C; returns how many seconds it took."""
        assert self._process is not None
        began = time.monotonic()
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.wait(within)
        return time.monotonic() - began

    def kill_everything(self) -> None:
        """End the whole tree at once; for cleaning up."""
        if self._process is None or self._process.poll() is not None:
            return
        tree = self.tree()
        for process in tree:
            with suppress(*GONE):
                process.kill()
        psutil.wait_procs(tree, timeout=5)
        self._process.wait(10)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> RunningSystem:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self.is_running():
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill_everything()

    @property
    def seconds(self) -> float:
        """Since the command was given."""
        return time.monotonic() - self.started_at

    # processes

    def tree(self) -> list[psutil.Process]:
        """The supervisor and everything under it."""
        assert self._process is not None
        with suppress(*GONE):
            top = psutil.Process(self._process.pid)
            return [top, *top.children(recursive=True)]
        return []

    def process(self, name: str) -> psutil.Process:
        """The top process of `web`, `executor`, `postgres`, ...; raises LookupError while it is down."""
        for process in self.tree():
            with suppress(*GONE):
                if self.name_of(process) == name:
                    return process
        raise LookupError(f"{name} is not running")

    @staticmethod
    def name_of(process: psutil.Process) -> str:
        """The supervised name of a process."""
        with suppress(*GONE):
            program = process.name()
            if program == "postgres" and process.parent() is not None and process.parent().name() != "postgres":
                return "postgres"
            if program == "redis-server":
                return "redis"
            return str(process.environ().get("TRADING_PROCESS", ""))
        return ""

    def kill(self, name: str, sig: int = signal.SIGKILL) -> int:
        """Send a signal to a part; returns its pid."""
        process = self.process(name)
        process.send_signal(sig)
        return process.pid

    # web

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def log_in(self, *, within: float = 60.0) -> None:
        """Follow the printed one-time link."""
        wait_until(lambda: self.login_link, within=within, what="a log-in link on the console")
        link = self.login_link.replace("//localhost:", "//127.0.0.1:")
        wait_until(lambda: self._opens(link), within=within, what="the log-in page")

    def log_in_again(self) -> None:
        """After a restart: the cookie still holds, or the new link is followed."""
        if self.status_of("/decisions/") != 200:
            self.log_in()

    def _opens(self, address: str) -> bool:
        try:
            with self._opener.open(address, timeout=10) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def get(self, path: str) -> str:
        """A page as a logged-in person sees it; raises on an error status."""
        with self._opener.open(self.url(path), timeout=30) as answer:
            text: str = answer.read().decode()
            return text

    def status_of(self, path: str) -> int:
        try:
            with self._opener.open(self.url(path), timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except (urllib.error.URLError, OSError):
            return 0

    def command_clock(self, venue_id: str, body: dict[str, Any]) -> None:
        """Use the transport over the REST interface, as the logged-in person."""
        token = next((cookie.value for cookie in self._cookies if cookie.name == "csrftoken"), "") or ""
        request = urllib.request.Request(
            self.url(f"/api/v1/venues/{venue_id}/clock/"),
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-CSRFToken": token, "Referer": self.url("/")},
            method="POST",
        )
        with self._opener.open(request, timeout=30) as answer:
            assert answer.status in (200, 202), answer.status

    # database

    def server_settings(self) -> dict[str, str]:
        """What `manage.py up` wrote for its siblings."""
        text = (self.data_dir / "run" / "servers.env").read_text()
        pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
        return {key.strip().removeprefix("export "): value.strip().strip("'\"") for key, value in pairs}

    @contextmanager
    def database(self) -> Iterator[Any]:
        """A cursor on the running system's PostgreSQL, each statement its own transaction."""
        settings = self.server_settings()
        connection = psycopg2.connect(
            host=settings["DB_HOST"],
            port=settings.get("DB_PORT", "5432"),
            dbname=settings["DB_NAME"],
            user=settings["DB_USER"],
            password=settings.get("DB_PASS", ""),
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.database() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        return self.query(sql, parameters)[0][0]

    def try_value(self, sql: str) -> Any:
        """The value, or None while the database does not answer."""
        try:
            return self.value(sql)
        except (psycopg2.Error, OSError, KeyError, IndexError):
            return None

    def manage(self, *arguments: str, timeout: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Run a management command beside the running system."""
        return subprocess.run(
            [str(self.python), "manage.py", *arguments],
            cwd=self.checkout,
            env=clean_environment() | {"TRADING_DATA_DIR": str(self.data_dir)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def clean_environment() -> dict[str, str]:
    """The environment without what would point the system at other servers or settings."""
    dropped = ("DB_", "REDIS_", "DATABASE_URL", "TRADING_", "DJANGO_SETTINGS_MODULE", "PYTEST_", "SECRET_KEY")
    return {key: value for key, value in os.environ.items() if not key.startswith(dropped)}


def wait_until(condition: Callable[[], Any], *, within: float, what: str, every: float = 0.1) -> Any:
    """The first truthy result of `condition`; TimeoutError naming `what` if there is none in time."""
    deadline = time.monotonic() + within
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within:.0f} s in vain for {what}")
        time.sleep(every)
