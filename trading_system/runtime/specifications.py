"""Which processes make up the system, in the order of their start."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trading_system.runtime.children import Account

BASE_DIR = Path(__file__).resolve().parent.parent.parent
MANAGE = str(BASE_DIR / "manage.py")

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
_COMPILED = {"TRADING_COMPILE_KERNELS": "later"}
"""For what computes: kernels are compiled before the first run, not at the start, when the first models are waited for."""
_CELERY = ["-m", "celery", "-A", "trading_system"]
_QUIET_WORKER = ["--loglevel=WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]


@dataclass(frozen=True)
class ProcessSpecification:
    """One supervised process."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path = BASE_DIR
    account: Account | None = None
    niceness: int = 0
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    has_heartbeat: bool = False
    prepare: Callable[[], None] | None = None
    """Called before each start."""


def application_environment(name: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of one of our Python processes: ours, where the servers are, and one thread per numeric library."""
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return inherited | _ONE_THREAD | {"MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1", "TRADING_PROCESS": name} | dict(settings)


_CELERY_WORKERS = ("worker", "trainer")
"""Stopped without waiting for their tasks (SIGQUIT): tasks are acknowledged late and can be run again."""
LESS_URGENT = frozenset({"events", "worker", "beat"})
"""Start a little later: nobody waits for their first work."""


def application_processes(*, host: str, port: int, settings: Mapping[str, str]) -> list[ProcessSpecification]:
    """Web first, because a person waits for it; then what trades; then what computes."""
    commands: dict[str, list[str]] = {
        "web": ["-m", "uvicorn", "trading_system.asgi:application", "--host", host, "--port", str(port), "--log-level", "warning", "--no-proxy-headers",
                "--timeout-graceful-shutdown", "2", "--ws-max-size", "65536", "--no-server-header"],
        "streams": [MANAGE, "run_streams"],
        "trainer": [*_CELERY, "worker", "-n", "trainer@%h", "-Q", "compute", "--pool=solo", *_QUIET_WORKER],
        "executor": [MANAGE, "run_executor"],
        "sessions": [MANAGE, "run_sessions"],
        "events": [MANAGE, "run_events"],
        "worker": [*_CELERY, "worker", "-n", "worker@%h", "-Q", "default,data", "--concurrency=1", *_QUIET_WORKER],
        "beat": [*_CELERY, "beat", "--loglevel=WARNING", "--pidfile="],
    }  # fmt: skip
    return [
        ProcessSpecification(
            name=name,
            command=[sys.executable, *arguments],
            environment=application_environment(name, settings) | (_COMPILED if name == "trainer" else {}),
            niceness=10 if name == "trainer" else 0,
            has_heartbeat=name != "web",
            stop_signal=signal.SIGQUIT if name in _CELERY_WORKERS else signal.SIGTERM,
        )
        for name, arguments in commands.items()
    ]
