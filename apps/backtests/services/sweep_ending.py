"""Storing the points of a sweep, and its end once nothing of it waits or runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from apps.backtests.contracts import SweepFinished
from apps.backtests.domain.config import RunConfig
from apps.backtests.domain.optimise import Point
from apps.backtests.domain.packing import pack_returns, unpack_returns
from apps.backtests.domain.points import PointResult, score_of, sweep_overfitting
from apps.backtests.domain.states import RunState
from apps.backtests.domain.trials import RunPurpose
from apps.backtests.models import Sweep, SweepChunk, SweepTrial
from apps.backtests.services.claims import Claim, hold
from apps.backtests.services.ledger import Tried, enter_trials
from apps.core.errors import InvalidInput
from apps.core.version import code_version
from apps.events.services import record_event

_OPEN = (RunState.QUEUED, RunState.RUNNING)
_JUDGED = 2_000
"""Most points whose returns are compared for overfitting: the best ones."""


def start_sweep(held: Claim, sweep_id: UUID, bars_hash: str, *, now: datetime) -> None:
    """Note the first work on the sweep; raises InvalidInput where its bars are no longer those that other points were made from."""
    with transaction.atomic():
        hold(held)
        sweep = Sweep.objects.select_for_update().get(id=sweep_id)
        if sweep.data_hash and sweep.data_hash != bars_hash:
            raise InvalidInput("The bars have changed since the sweep began.", where="bars", hint="Start the sweep again.")
        if sweep.state == RunState.QUEUED:
            sweep.state, sweep.started_at, sweep.message = RunState.RUNNING, now, "Running"
        sweep.data_hash, sweep.code_version = bars_hash, code_version()
        sweep.save(update_fields=["state", "started_at", "message", "data_hash", "code_version"])


def store_points(held: Claim, sweep: Sweep, config: RunConfig, made: Sequence[tuple[int, Point, PointResult]]) -> None:
    """Store finished points with their lines in the ledger, in one transaction. Raises OwnershipLost if another worker has the chunk."""
    if not made:
        return
    with transaction.atomic():
        hold(held)
        SweepTrial.objects.bulk_create([_row(sweep, *item) for item in made])
        enter_trials(sweep.family, [_line(sweep, config, *item) for item in made])
        Sweep.objects.filter(id=sweep.id).update(progress_done=F("progress_done") + len(made))


def end_chunk(held: Claim, sweep_id: UUID, state: RunState, error: str, *, now: datetime) -> None:
    """End an owned chunk, and the sweep with the last of them."""
    with transaction.atomic():
        hold(held)
        SweepChunk.objects.filter(id=held.id).update(state=state, error=error, finished_at=now, lease_until=None)
        end_sweep_if_over(sweep_id, now=now)


def end_sweep_if_over(sweep_id: UUID, *, now: datetime) -> RunState:
    """Inside a transaction: end the sweep when none of its chunks waits or runs. Returns its state."""
    sweep = Sweep.objects.select_for_update().get(id=sweep_id)
    states = list(sweep.chunks.values_list("state", flat=True))
    if RunState(sweep.state).is_over or any(state in _OPEN for state in states):
        return RunState(sweep.state)
    errors = list(sweep.chunks.exclude(error="").values_list("error", flat=True))
    sweep.state = RunState.FAILED if errors else RunState.CANCELLED if RunState.CANCELLED in states else RunState.DONE
    sweep.error = errors[0] if errors else ""
    sweep.finished_at = now
    sweep.overfitting = sweep_overfitting([unpack_returns(data) for data in _best_returns(sweep)])
    sweep.message = (errors[0] if errors else f"{sweep.progress_done} of {sweep.budget} points.")[:300]
    sweep.save()
    record_event(
        SweepFinished(
            sweep_id=sweep.id,
            state=str(sweep.state),
            strategy=sweep.strategy,
            symbols=sweep.symbols,
            points=sweep.progress_done,
            seconds=round((now - sweep.started_at).total_seconds(), 3) if sweep.started_at else 0.0,
            message=sweep.message,
        ),
        occurred_at=now,
        actor=sweep.requested_by or "system",
        subject=str(sweep.id),
    )
    return RunState(sweep.state)


def _best_returns(sweep: Sweep) -> list[bytes]:
    rows = sweep.trials.filter(state=RunState.DONE).order_by(Coalesce("score", Value(float("-inf"))).desc(), "number")
    return [bytes(data) for data in rows.values_list("returns", flat=True)[:_JUDGED]]


def _row(sweep: Sweep, number: int, point: Point, result: PointResult) -> SweepTrial:
    return SweepTrial(
        sweep=sweep,
        number=number,
        state=RunState.FAILED if result.error else RunState.DONE,
        parameters=point,
        score=score_of(result.metrics, sweep.objective) if result.metrics else None,
        metrics=result.metrics,
        fills_hash=result.fills_hash,
        returns=pack_returns(result.returns),
        error=result.error[:300],
    )


def _line(sweep: Sweep, config: RunConfig, number: int, point: Point, result: PointResult) -> Tried:
    return Tried(
        purpose=RunPurpose.SWEEP,
        state=RunState.FAILED if result.error else RunState.DONE,
        fingerprint=config.with_parameters(point).fingerprint(),
        actor=sweep.requested_by,
        sweep_id=sweep.id,
        point=number,
        fills_hash=result.fills_hash,
        statistics=result.statistics,
    )
