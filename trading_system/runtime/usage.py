"""Memory and CPU of a process with all that it started."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Usage:
    """`rss_bytes` counts memory shared with the parent once; `cpu_percent` is of one core since the last measurement."""

    created: float = 0.0
    rss_bytes: int = 0
    cpu_percent: float = 0.0


class UsageMeter:
    """Remembers the CPU seconds of the last measurement by name."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, float, float]] = {}

    def measure(self, name: str, pid: int | None) -> Usage:
        """The usage of `pid`; nothing when it is gone."""
        if pid is None:
            return Usage()
        try:
            process = psutil.Process(pid)
            family = [process, *process.children(recursive=True)]
            created = process.create_time()
        except psutil.Error:
            return Usage()
        rss, seconds = _totals(family)
        now = time.monotonic()
        before_pid, before_seconds, before_at = self._before.get(name, (pid, seconds, now))
        self._before[name] = (pid, seconds, now)
        passed = now - before_at
        is_comparable = before_pid == pid and passed > 0 and seconds >= before_seconds
        return Usage(created, rss, round(100 * (seconds - before_seconds) / passed, 1) if is_comparable else 0.0)


def _totals(family: list[psutil.Process]) -> tuple[int, float]:
    rss, seconds = 0, 0.0
    for position, process in enumerate(family):
        with suppress(psutil.Error), process.oneshot():
            memory = process.memory_info()
            rss += memory.rss if position == 0 else max(0, memory.rss - getattr(memory, "shared", 0))
            times = process.cpu_times()
            seconds += times.user + times.system
    return rss, seconds
