"""The one-shot child that migrates the database and opens the first world, and how it reports."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from trading_system.runtime.children import spawn
from trading_system.runtime.options import UpOptions
from trading_system.runtime.specifications import BASE_DIR, MANAGE, application_environment

_PACKAGES_WITH_TABLES = ("django", "django-celery-beat", "djangorestframework-simplejwt")


@dataclass(frozen=True)
class Welcome:
    """What the console tells the person who started the system."""

    username: str
    password: str | None
    login_path: str


class Preparation:
    """Runs `manage.py prepare_installation`; a thread of its own reads what it reports (JSON lines on standard output)."""

    def __init__(self, options: UpOptions, settings: Mapping[str, str], log: Path) -> None:
        self._path = log
        self._log = log.open("ab")
        self._child = spawn(
            [sys.executable, MANAGE, "prepare_installation", f"--venue={options.venue}", f"--symbol={options.symbol}",
             f"--timeframe={options.timeframe}", f"--mode={options.mode}"],
            environment=application_environment("prepare", settings),
            directory=BASE_DIR,
            output=subprocess.PIPE,
            errors=self._log,
        )  # fmt: skip
        self.is_migrated = False
        self.refusal = ""
        self.welcome: Welcome | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        if self._reader.is_alive():
            return None
        return self._child.wait()

    @property
    def last_line(self) -> str:
        """The last line that it logged: usually the reason of a failure."""
        lines = self._path.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def end(self) -> None:
        """End it if it still runs; close its log."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._reader.join(5)
        self._log.close()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self._take(line)
        self._child.stdout.close()

    def _take(self, line: bytes) -> None:
        try:
            report = json.loads(line)
        except ValueError:
            self._log.write(line)
            return
        match report:
            case {"stage": "migrated"}:
                self.is_migrated = True
            case {"stage": "refused", "sentence": str(sentence)}:
                self.refusal = sentence
            case {"stage": "ready", "username": str(username), "password": password, "login_path": str(path)}:
                self.welcome = Welcome(username, password, path)


def schema_fingerprint(database_url: str) -> str:
    """Changes with every migration file, every package that has tables, and the database."""
    digest = hashlib.blake2b(database_url.rpartition("@")[2].encode(), digest_size=12)
    for path in sorted(BASE_DIR.glob("apps/*/migrations/*.py")):
        digest.update(f"{path.relative_to(BASE_DIR)}|".encode() + path.read_bytes())
    for package in _PACKAGES_WITH_TABLES:
        try:
            digest.update(f"{package}={version(package)}".encode())
        except PackageNotFoundError:
            digest.update(package.encode())
    return digest.hexdigest()


def is_schema_current(stamp: Path, fingerprint: str) -> bool:
    """Whether this database was migrated to exactly these migrations before, so that processes may start at once."""
    try:
        return stamp.read_text() == fingerprint
    except OSError:
        return False


def stamp_schema(stamp: Path, fingerprint: str) -> None:
    partial = stamp.with_name(f"{stamp.name}.{os.getpid()}")
    partial.write_text(fingerprint)
    partial.replace(stamp)
