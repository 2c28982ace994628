"""Celery's edges: runs and chunks of sweeps on the compute queue; Beat calls the sweeper."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from celery import shared_task

from apps.backtests import services
from apps.backtests.services.parity import check_account, check_accounts
from apps.backtests.services.queue import CHUNK_TASK, COMPUTE_QUEUE, PARITY_TASK, RUN_TASK, WHAT_IF_TASK
from apps.backtests.services.warming import load_engine_told
from apps.backtests.services.what_ifs import execute_what_if, sweep_what_ifs
from apps.core.clock import WallClock

LONGEST_SECONDS = 6 * 3600


@shared_task(name=RUN_TASK, queue=COMPUTE_QUEUE, time_limit=LONGEST_SECONDS)
def run_backtest(*, run_id: str) -> None:
    """Make one requested run; does nothing if it is over or owned by another worker."""
    load_engine_told()
    services.execute_run(UUID(run_id))


@shared_task(name=CHUNK_TASK, queue=COMPUTE_QUEUE, time_limit=LONGEST_SECONDS)
def run_sweep_chunk(*, chunk_id: str) -> None:
    """Make the points of a chunk; does nothing if it is over or owned by another worker."""
    load_engine_told()
    services.execute_chunk(UUID(chunk_id))


@shared_task(name=WHAT_IF_TASK, queue=COMPUTE_QUEUE, time_limit=LONGEST_SECONDS)
def answer_what_if(*, what_if_id: str) -> None:
    """Answer one question about a decision; does nothing if it is answered or owned by another worker."""
    load_engine_told()
    execute_what_if(UUID(what_if_id))


@shared_task(name=PARITY_TASK, queue=COMPUTE_QUEUE, time_limit=LONGEST_SECONDS)
def check_parity(*, account_id: str = "", day: str = "") -> None:
    """Compare the finished days of all accounts, or of one, with their repetition; what was compared before is not again but a named day."""
    load_engine_told()
    now = WallClock().now()
    if account_id:
        check_account(account_id=UUID(account_id), now=now, day=date.fromisoformat(day) if day else None)
    else:
        check_accounts(now=now)


@shared_task(name="apps.backtests.tasks.sweep_backtests", queue="default", time_limit=30)
def sweep_backtests() -> None:
    """Wake workers for runs, sweeps and questions that wait or were abandoned."""
    now = WallClock().now()
    services.sweep_runs(now=now)
    services.sweep_chunks(now=now)
    sweep_what_ifs(now=now)
