"""Celery's edges: runs and chunks of sweeps on the compute queue; Beat calls the sweeper."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.backtests import services
from apps.backtests.services.queue import CHUNK_TASK, COMPUTE_QUEUE, RUN_TASK
from apps.core.clock import WallClock

LONGEST_SECONDS = 6 * 3600


@shared_task(name=RUN_TASK, queue=COMPUTE_QUEUE, time_limit=LONGEST_SECONDS)
def run_backtest(*, run_id: str) -> None:
    """Make one requested run; does nothing if it is over or owned by another worker."""
    services.execute_run(UUID(run_id))


@shared_task(name=CHUNK_TASK, queue=COMPUTE_QUEUE, time_limit=LONGEST_SECONDS)
def run_sweep_chunk(*, chunk_id: str) -> None:
    """Make the points of a chunk; does nothing if it is over or owned by another worker."""
    services.execute_chunk(UUID(chunk_id))


@shared_task(name="apps.backtests.tasks.sweep_backtests", queue="default", time_limit=30)
def sweep_backtests() -> None:
    """Wake workers for runs and sweeps that wait or were abandoned."""
    now = WallClock().now()
    services.sweep_runs(now=now)
    services.sweep_chunks(now=now)
