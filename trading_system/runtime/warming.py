"""The compute worker has the engine compiled beside itself, once it has been idle for a while, so that the first backtest need not wait.

The compiler runs in processes of its own, as nice as can be, one after the other; they keep their memory to themselves and end with the worker.
Where everything is in the cache the first one ends at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import Any

from celery.signals import worker_ready
from celery.worker import state

from trading_system.runtime.children import spawn
from trading_system.runtime.compiling import MORE
from trading_system.runtime.specifications import BASE_DIR

IDLE_SECONDS = 20.0
"""So long nothing must have waited for the worker: the first models come first."""
_POLL_SECONDS = 1.0
_LOWEST_PRIORITY = 19


@worker_ready.connect
def compile_when_idle(**_: Any) -> None:
    """Start waiting for an idle moment, in the worker that the supervisor started to compute."""
    if os.environ.get("TRADING_PROCESS") == "trainer" and os.environ.get("TRADING_COMPILE_KERNELS"):
        threading.Thread(target=_wait_and_compile, name="compile engine", daemon=True).start()


def _wait_and_compile() -> None:
    idle_since = time.monotonic()
    while time.monotonic() - idle_since < IDLE_SECONDS:
        time.sleep(_POLL_SECONDS)
        if state.reserved_requests or state.active_requests:
            idle_since = time.monotonic()
    while _compile_a_part() == MORE:
        pass


def _compile_a_part() -> int:
    """The kernel ends the compiler with the thread that started it, so this one waits for it."""
    command = [sys.executable, "-m", "trading_system.runtime.compiling"]
    environment = {**os.environ, "TRADING_PROCESS": "compiler"}
    return spawn(command, environment=environment, directory=BASE_DIR, errors=subprocess.DEVNULL, niceness=_LOWEST_PRIORITY).wait()
