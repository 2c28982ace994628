"""A real server and a real browser on a database of their own; the world is played by a process beside them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.e2e.people import PASSWORD
from tests.system import ROOT, free_port

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
BARS_PLAYED = 40
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPEN_PAGE = Callable[..., Page]


@dataclass
class Site:
    """A running site and the process that plays its world."""

    address: str
    player: subprocess.Popen[str]

    def ask(self, command: str, *arguments: object) -> dict[str, Any]:
        """Give the player a command and wait for its answer."""
        self.tell(command, *arguments)
        return self.answer()

    def tell(self, command: str, *arguments: object) -> None:
        """Give the player a command whose answer is fetched later, so that a page can be watched meanwhile."""
        assert self.player.stdin is not None
        self.player.stdin.write(" ".join(map(str, (command, *arguments))) + "\n")
        self.player.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The answer to the command before."""
        return _answer(self.player)


def _answer(player: subprocess.Popen[str]) -> dict[str, Any]:
    assert player.stdout is not None
    for line in player.stdout:
        with suppress(ValueError):
            found: dict[str, Any] = json.loads(line)
            if "event" not in found:
                return found
    raise AssertionError("the player has ended")


@contextmanager
def _own_database() -> Iterator[dict[str, str]]:
    """An empty database on the tests' server; yields the environment of processes that use it."""
    server = settings.DATABASES["default"]
    name = f"e2e_{os.getpid()}_{time.time_ns() % 1_000_000}"
    address = {"host": server["HOST"], "port": server["PORT"] or 5432, "user": server["USER"], "password": server["PASSWORD"]}
    admin = psycopg2.connect(dbname="postgres", **address)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL" and not key.startswith(("PYTEST_", "DB_"))}
    environment |= {
        "DB_HOST": str(address["host"]), "DB_PORT": str(address["port"]), "DB_USER": str(address["user"]),
        "DB_PASS": str(address["password"]), "DB_NAME": name, "DJANGO_SETTINGS_MODULE": "trading_system.settings.test",
    }  # fmt: skip
    try:
        yield environment
    finally:
        with admin.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        admin.close()


@contextmanager
def running_site() -> Iterator[Site]:
    """Database, player and web server; the world is not opened yet."""
    with _own_database() as environment, tempfile.TemporaryDirectory() as data_dir:
        environment["TRADING_DATA_DIR"] = data_dir
        (Path(data_dir) / "static").mkdir()
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "trading_system.asgi:application", "--port", str(port), "--log-level", "error"]
        player = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.player"], cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        web = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            _answer(player)
            site = Site(f"http://127.0.0.1:{port}", player)
            _wait_for(f"{site.address}/login/", web)
            yield site
        finally:
            for process in (web, player):
                process.terminate()
                process.wait(20)


def _wait_for(address: str, web: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert web.poll() is None, "the web server has ended"
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise AssertionError("the web server does not answer")


@pytest.fixture(scope="package")
def empty_site() -> Iterator[Site]:
    """A site whose world is never opened: first-run states."""
    with running_site() as site:
        yield site


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """A site with a trained world, a few weeks old."""
    with running_site() as found:
        found.ask("open", BARS_PLAYED)
        yield found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium of the system, or the one that Playwright has installed."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OPEN_PAGE]:
    """Opens pages as somebody; fails the test for anything that a page has complained about on its console."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            complaints.append(message.text)

    def open_as(site: Site, name: str = "ada", *, path: str = "/", width: int = 1440, height: int = 900, **options: Any) -> Page:
        context = browser.new_context(base_url=site.address, viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if name:
            log_in(page, name)
        page.goto(path)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert complaints == []


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form."""
    page.goto("/login/")
    page.fill("#username", name)
    page.fill("#password", password)
    page.click("main button")
