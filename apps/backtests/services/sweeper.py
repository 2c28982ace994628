"""What Beat asks for: waking workers for work that waits, and for work whose worker is gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from apps.backtests.domain.states import RunState
from apps.backtests.models import BacktestRun, SweepChunk
from apps.backtests.services.claims import LARGEST_ATTEMPT, abandoned
from apps.backtests.services.ending import end_unowned
from apps.backtests.services.queue import CHUNK_TASK, RUN_TASK, send
from apps.backtests.services.sweep_ending import end_sweep_if_over

_GRACE = timedelta(seconds=15)
_CHUNKS_AT_ONCE = 16
"""Waiting chunks that are woken again at once: the others are in the queue, or behind these."""


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


def sweep_chunks(*, now: datetime) -> int:
    """The same for chunks of sweeps; a chunk that has ended several workers fails, and its sweep with it. Returns the wake-ups."""
    sent = 0
    for chunk in abandoned(SweepChunk, now=now):
        if chunk.attempt >= LARGEST_ATTEMPT:
            _give_up_chunk(chunk, now=now)
        else:
            send(CHUNK_TASK, chunk_id=chunk.id)
            sent += 1
    waiting = SweepChunk.objects.filter(state=RunState.QUEUED, created_at__lt=now - _GRACE).order_by("id")
    for chunk_id in waiting.values_list("id", flat=True)[:_CHUNKS_AT_ONCE]:
        send(CHUNK_TASK, chunk_id=chunk_id)
        sent += 1
    return sent


def _give_up_chunk(chunk: SweepChunk, *, now: datetime) -> None:
    message = f"Given up: {chunk.attempt} workers ended while making {chunk}."
    with transaction.atomic():
        stalled = SweepChunk.objects.filter(id=chunk.id, state=RunState.RUNNING, lease_until__lt=now)
        if stalled.update(state=RunState.FAILED, error=message, finished_at=now, lease_until=None):
            end_sweep_if_over(chunk.sweep_id, now=now)


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
