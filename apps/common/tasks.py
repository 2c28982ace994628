"""Heartbeats of Celery workers: a task that Beat sends to every queue, and the promise that a worker makes when it takes a long task.

A worker that executes tasks of one queue shows as one process, named by TRADING_PROCESS.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Task, shared_task
from celery.signals import task_postrun, task_prerun
from django.conf import settings

from apps.common import heartbeats

EVERY_SECONDS = 10.0
_MISSED_BEATS = 3
"""After so many a process counts as stale, see heartbeats.process_health."""


@shared_task(name="common.heartbeat", time_limit=30, soft_time_limit=20)
def heartbeat() -> None:
    """Say that the worker that runs this completes tasks."""
    heartbeats.beat(_process(), expected_every=EVERY_SECONDS)


@task_prerun.connect
def promise_return(task: Task[Any, Any] | None = None, **_: Any) -> None:
    """While a task runs the worker is busy, not stuck, until the task's time limit has passed."""
    if task is not None and task.name != heartbeat.name:
        limit = float(task.time_limit or settings.CELERY_TASK_TIME_LIMIT)
        heartbeats.beat(_process(), detail=f"running {task.name}", expected_every=limit / _MISSED_BEATS)


@task_postrun.connect
def keep_promise(task: Task[Any, Any] | None = None, **_: Any) -> None:
    if task is not None and task.name != heartbeat.name:
        heartbeats.beat(_process(), detail=f"done {task.name}", expected_every=EVERY_SECONDS)


def _process() -> str:
    return os.environ.get("TRADING_PROCESS", "worker")
