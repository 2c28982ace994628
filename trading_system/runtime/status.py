"""The state of the whole system in one read: what the supervisor sees, joined with what the processes themselves say they completed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from apps.common.heartbeats import ProcessHealth, process_health
from apps.markets import selectors as markets
from apps.markets.contracts import VenueView
from trading_system.runtime.places import DataPlaces
from trading_system.settings.environment import DATA_DIR
from trading_system.settings.redis import REDIS_URL

_FILE_IS_OLD_AFTER = timedelta(seconds=15)
_QUEUES = ("default", "data", "compute")


@dataclass(frozen=True)
class ProcessStatus:
    """One process; numbers are None where nobody supervises (containers) or nothing was measured yet."""

    name: str
    state: str
    pid: int | None
    restarts: int | None
    rss_bytes: int | None
    cpu_percent: float | None
    last_work_seconds: float | None
    """Since its last completed work (the servers and the web: since their last answer)."""
    is_stale: bool
    detail: str
    last_exit: str


@dataclass(frozen=True)
class SystemStatus:
    """Everything the status page and `manage.py status` show."""

    is_supervised: bool
    address: str
    started_at: datetime | None
    processes: list[ProcessStatus]
    venue: VenueView | None
    queues: dict[str, int] = field(default_factory=dict)
    """Tasks waiting per Celery queue; empty when Redis does not answer."""
    database_error: str = ""
    redis_error: str = ""

    @property
    def is_healthy(self) -> bool:
        """Whether every process runs and has completed work lately, and both servers answer."""
        is_fine = all(process.state == "running" and not process.is_stale for process in self.processes)
        return is_fine and bool(self.processes) and not self.database_error and not self.redis_error


def system_status(*, now: datetime, data_dir: Path = DATA_DIR) -> SystemStatus:
    """The state at `now`; never raises for a server that does not answer, but says so."""
    report = _supervisor_report(DataPlaces(data_dir).processes_file, now)
    health, venue, database_error = _from_database(now)
    queues, redis_error = _queue_depths()
    supervisor = report.get("supervisor", {})
    return SystemStatus(
        is_supervised=bool(report),
        address=supervisor.get("address", ""),
        started_at=datetime.fromisoformat(supervisor["started_at"]) if supervisor else None,
        processes=_join(report.get("processes", []), {item.process: item for item in health}),
        venue=venue,
        queues=queues,
        database_error=database_error,
        redis_error=redis_error,
    )


def _supervisor_report(path: Path, now: datetime) -> dict[str, Any]:
    """What the supervisor wrote lately; nothing when there is none."""
    try:
        report: dict[str, Any] = json.loads(path.read_text())
        is_fresh = now - datetime.fromisoformat(report["written_at"]) < _FILE_IS_OLD_AFTER
    except (OSError, ValueError, KeyError):
        return {}
    return report if is_fresh else {}


def _from_database(now: datetime) -> tuple[list[ProcessHealth], VenueView | None, str]:
    try:
        return process_health(now=now), markets.active_venue(), ""
    except (DatabaseError, InterfaceError) as error:
        return [], None, (str(error).strip().splitlines() or ["PostgreSQL does not answer."])[0]


def _queue_depths() -> tuple[dict[str, int], str]:
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    try:
        with redis.Redis.from_url(REDIS_URL, socket_timeout=2.0, socket_connect_timeout=2.0) as client:
            return {queue: int(client.llen(f"{prefix}{queue}")) for queue in _QUEUES}, ""
    except redis.RedisError as error:
        return {}, str(error)


def _join(rows: list[dict[str, Any]], health: dict[str, ProcessHealth]) -> list[ProcessStatus]:
    """Supervised processes in the order of their start, then those that only heartbeats know."""
    supervised = [_supervised(row, health.get(row["name"])) for row in rows]
    known = {row["name"] for row in rows}
    alone = [] if rows else [_unsupervised(item) for name, item in sorted(health.items()) if name not in known]
    return supervised + alone


def _supervised(row: dict[str, Any], health: ProcessHealth | None) -> ProcessStatus:
    beat_age = health.age.total_seconds() if health else None
    return ProcessStatus(
        name=row["name"],
        state=row["state"],
        pid=row["pid"],
        restarts=row["restarts"],
        rss_bytes=row["rss_bytes"],
        cpu_percent=row["cpu_percent"],
        last_work_seconds=beat_age if beat_age is not None else row["answered_seconds_ago"],
        is_stale=bool(health and health.is_stale),
        detail=health.detail if health else "",
        last_exit=row["last_exit"],
    )


def _unsupervised(health: ProcessHealth) -> ProcessStatus:
    return ProcessStatus(
        name=health.process,
        state="stale" if health.is_stale else "running",
        pid=health.pid,
        restarts=None,
        rss_bytes=None,
        cpu_percent=None,
        last_work_seconds=health.age.total_seconds(),
        is_stale=health.is_stale,
        detail=health.detail,
        last_exit="",
    )
