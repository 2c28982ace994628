"""What Beat asks for: waking workers for work that waits, and for work whose worker is gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from apps.backtests.domain.states import RunState
from apps.backtests.models import BacktestRun
from apps.backtests.services.claims import LARGEST_ATTEMPT, abandoned
from apps.backtests.services.ending import end_unowned
from apps.backtests.services.queue import RUN_TASK, send

_GRACE = timedelta(seconds=15)


def sweep_runs(*, now: datetime) -> int:
    """Wake a worker for every run that waits or lost its worker; one that has ended several workers fails, one that was to be cancelled is.

    Returns the wake-ups.
    """
    sent = 0
    for run in abandoned(BacktestRun, now=now):
        if run.is_cancel_requested or run.attempt >= LARGEST_ATTEMPT:
            _give_up(run, now=now)
        else:
            send(RUN_TASK, run_id=run.id)
            sent += 1
    for run_id in BacktestRun.objects.filter(state=RunState.QUEUED, created_at__lt=now - _GRACE).values_list("id", flat=True):
        send(RUN_TASK, run_id=run_id)
        sent += 1
    return sent


def _give_up(run: BacktestRun, *, now: datetime) -> None:
    with transaction.atomic():
        rows = BacktestRun.objects.select_for_update().filter(id=run.id, state=RunState.RUNNING, lease_until__lt=now)
        found = rows.first()
        if found is None:
            return
        if found.is_cancel_requested:
            end_unowned(found, RunState.CANCELLED, "Cancelled.", now=now)
        else:
            end_unowned(found, RunState.FAILED, f"Given up: {found.attempt} workers ended while running it.", now=now)
