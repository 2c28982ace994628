"""Real Celery workers on the database of a test, with Redis keys of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection

StartWorker = Callable[[str], "subprocess.Popen[bytes]"]
"""Starts a compute worker with these failpoints armed."""


@contextmanager
def compute_workers(monkeypatch: pytest.MonkeyPatch, queue: ModuleType, *, app: str) -> Iterator[StartWorker]:
    """Workers of the Celery `app` for what `queue` sends; those that are left are killed at the end."""
    prefix = f"test-{uuid4().hex}:"
    sender = Celery("sender", set_as_current=False)
    sender.config_from_object("django.conf:settings", namespace="CELERY")
    sender.conf.broker_transport_options = sender.conf.broker_transport_options | {"global_keyprefix": prefix}
    monkeypatch.setattr(queue, "current_app", sender)
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "-Q", "compute", "--pool=solo", "--without-mingle"]
    workers: list[subprocess.Popen[bytes]] = []

    def start(failpoints: str) -> subprocess.Popen[bytes]:
        workers.append(
            subprocess.Popen(
                [*command, "-n", f"{uuid4().hex}@test"],
                env=_environment() | {"CELERY_KEY_PREFIX": prefix, "TRADING_FAILPOINTS": failpoints},
                cwd=Path(settings.BASE_DIR),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()
    sender.close()


def _environment() -> dict[str, str]:
    database = connection.settings_dict
    return os.environ | {
        "DATABASE_URL": "",
        "DB_HOST": str(database["HOST"]),
        "DB_PORT": str(database["PORT"]),
        "DB_NAME": str(database["NAME"]),
        "DB_USER": str(database["USER"]),
        "DB_PASS": str(database["PASSWORD"]),
        "DJANGO_SETTINGS_MODULE": "trading_system.settings.test",
    }


def wait_until(is_so: Callable[[], bool], *, seconds: float = 90) -> None:
    """Return when it is so; fail when it is not in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.1)
