"""One look at everything: processes, the market's clock, queues."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from trading_system.runtime.status import ProcessStatus, SystemStatus, system_status

_COLUMNS = "{:<10} {:<12} {:>8} {:>9} {:>9} {:>7} {:>12}  {}"


class Command(BaseCommand):
    help = "Show every process with its last completed work, the market's clock and the queues. Exit code 1 when something is wrong."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        status = system_status(now=datetime.now(UTC))
        for line in describe(status):
            self.stdout.write(line)
        if not status.is_healthy:
            raise SystemExit(1)


def describe(status: SystemStatus) -> list[str]:
    """The lines of the report."""
    lines = (
        [f"Running at {status.address}/ since {status.started_at:%Y-%m-%d %H:%M:%S} UTC"]
        if status.is_supervised
        else ["No supervisor is running here."]
    )
    if status.processes:
        lines.append(_COLUMNS.format("process", "state", "pid", "restarts", "memory", "cpu", "last work", ""))
        lines += [_process_line(process) for process in status.processes]
    lines.append(_venue_line(status))
    if status.queues:
        lines.append("Waiting tasks: " + ", ".join(f"{queue} {count}" for queue, count in status.queues.items()))
    lines += [
        f"{name} does not answer: {error}"
        for name, error in (("PostgreSQL", status.database_error), ("Redis", status.redis_error))
        if error
    ]
    return lines


def _process_line(process: ProcessStatus) -> str:
    note = " · ".join(
        part for part in ("STALE" if process.is_stale else "", process.detail, process.last_exit and f"last: {process.last_exit}") if part
    )
    return _COLUMNS.format(
        process.name,
        process.state,
        process.pid or "-",
        "-" if process.restarts is None else process.restarts,
        "-" if not process.rss_bytes else f"{process.rss_bytes // 1_048_576} MB",
        "-" if process.cpu_percent is None else f"{process.cpu_percent:.1f} %",
        "-" if process.last_work_seconds is None else f"{process.last_work_seconds:.1f} s ago",
        note,
    ).rstrip()


def _venue_line(status: SystemStatus) -> str:
    venue = status.venue
    if venue is None:
        return "No market is open."
    return f"Market: {venue.name} · {venue.label} · {venue.status} at {venue.now_at:%Y-%m-%d %H:%M} UTC · {venue.bars_done} bars done"
