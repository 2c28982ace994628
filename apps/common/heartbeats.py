"""Heartbeats: a process says that it *completed* a unit of work; alive-but-stuck shows as stale."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from apps.common.models import Heartbeat


def beat(process: str, *, detail: str = "", expected_every: float = 10.0) -> None:
    """Record completed work, by PostgreSQL's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO common_heartbeat (process, pid, started_at, completed_at, detail, expected_every_seconds)
            VALUES (%(process)s, %(pid)s, clock_timestamp(), clock_timestamp(), %(detail)s, %(every)s)
            ON CONFLICT (process) DO UPDATE SET
                started_at = CASE WHEN common_heartbeat.pid = excluded.pid THEN common_heartbeat.started_at ELSE excluded.started_at END,
                pid = excluded.pid, completed_at = excluded.completed_at, detail = excluded.detail,
                expected_every_seconds = excluded.expected_every_seconds
            """,
            {"process": process, "pid": os.getpid(), "detail": detail[:200], "every": expected_every},
        )


@dataclass(frozen=True)
class ProcessHealth:
    process: str
    pid: int
    age: timedelta
    is_stale: bool
    detail: str
    started_at: datetime


def process_health(*, now: datetime) -> list[ProcessHealth]:
    """Every known process with the age of its last completed work; stale after three missed beats."""
    return [
        ProcessHealth(
            process=row.process,
            pid=row.pid,
            age=now - row.completed_at,
            is_stale=(now - row.completed_at).total_seconds() > 3 * row.expected_every_seconds,
            detail=row.detail,
            started_at=row.started_at,
        )
        for row in Heartbeat.objects.all()
    ]
