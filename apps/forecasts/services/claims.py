"""The life of a training run's row: claimed by compare-and-set, kept alive by progress, ended once.

`attempt` grows with every claim and is the fence: a worker that was thought dead and wakes up finds a newer attempt and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from apps.common.notify import Channel, notify
from apps.core.errors import OwnershipLost
from apps.core.vocabulary import Timeframe
from apps.events.services import record_event
from apps.forecasts.contracts import TrainingFinished, TrainingStarted, TrainingStatus
from apps.forecasts.models import TrainingRun

STALLED_AFTER = timedelta(seconds=45)
"""A running run without progress for this long has lost its worker."""
LARGEST_ATTEMPT = 4
"""A run that has ended so many workers is given up."""
_MESSAGE_LENGTH = 500


@dataclass(frozen=True)
class Claim:
    """A run as the worker that owns it sees it."""

    run_id: UUID
    attempt: int
    venue_id: UUID
    timeframe: Timeframe
    instrument_ids: tuple[UUID, ...]
    trained_through: datetime
    started_at: datetime


def claim_run(run_id: UUID, *, now: datetime) -> Claim | None:
    """Take a waiting or stalled run; None if it is over, owned by a live worker, or must wait for another run of its venue."""
    with transaction.atomic():
        if not _take(run_id, now):
            return None
        run = TrainingRun.objects.select_related("venue").get(id=run_id)
        if run.attempt == 1:
            record_event(
                TrainingStarted(run_id=run.id, venue_id=run.venue_id, instruments=len(run.instrument_ids)),
                occurred_at=run.trained_through,
                subject=str(run.venue_id),
            )
        return Claim(
            run.id, run.attempt, run.venue_id, Timeframe(run.venue.timeframe), tuple(UUID(item) for item in run.instrument_ids),
            run.trained_through, run.started_at or now,
        )  # fmt: skip


def _take(run_id: UUID, now: datetime) -> bool:
    runs = TrainingRun.objects.filter(id=run_id)
    taken = {"status": TrainingStatus.RUNNING, "last_progress_at": now, "attempt": F("attempt") + 1}
    try:
        with transaction.atomic():
            if runs.filter(status=TrainingStatus.QUEUED).update(started_at=now, **taken):
                return True
    except IntegrityError as error:
        if "one_running_training" not in str(error):
            raise
        return False
    return bool(runs.filter(status=TrainingStatus.RUNNING, last_progress_at__lt=now - STALLED_AFTER).update(**taken))


def hold_claim(claim: Claim) -> None:
    """Inside a transaction: lock the run's row and raise OwnershipLost unless this attempt still owns it."""
    owned = TrainingRun.objects.select_for_update().filter(id=claim.run_id, status=TrainingStatus.RUNNING, attempt=claim.attempt)
    if not owned.exists():
        raise OwnershipLost(f"The training run {claim.run_id} was taken over by another worker.", where=str(claim.run_id))


def show_progress(claim: Claim, *, done: int, total: int, message: str, now: datetime) -> None:
    """Store how far the run is, which also keeps it from being taken over."""
    with transaction.atomic():
        hold_claim(claim)
        TrainingRun.objects.filter(id=claim.run_id).update(
            progress_done=done, progress_total=total, message=message[:_MESSAGE_LENGTH], last_progress_at=now
        )


def end_run(claim: Claim, *, status: TrainingStatus, models: int, message: str, now: datetime) -> None:
    """Write the end of an owned run and tell of it."""
    with transaction.atomic():
        hold_claim(claim)
        run = TrainingRun.objects.get(id=claim.run_id)
        _end(run, status=status, models=models, message=message, now=now)


def give_up(run_id: UUID, *, now: datetime) -> bool:
    """Fail a stalled run that has used up its attempts; False if it is not one."""
    with transaction.atomic():
        run = (
            TrainingRun.objects.select_for_update()
            .filter(
                id=run_id, status=TrainingStatus.RUNNING, attempt__gte=LARGEST_ATTEMPT, last_progress_at__lt=now - STALLED_AFTER
            )
            .first()
        )  # fmt: skip
        if run is None:
            return False
        message = f"Given up: {run.attempt} workers ended while training it ({run.message or 'no progress'})"
        _end(run, status=TrainingStatus.FAILED, models=run.models.count(), message=message, now=now)
    return True


def _end(run: TrainingRun, *, status: TrainingStatus, models: int, message: str, now: datetime) -> None:
    run.status = status
    run.message = message[:_MESSAGE_LENGTH]
    run.finished_at = run.last_progress_at = now
    run.save(update_fields=["status", "message", "finished_at", "last_progress_at"])
    seconds = (now - run.started_at).total_seconds() if run.started_at else 0.0
    record_event(
        TrainingFinished(
            run_id=run.id, venue_id=run.venue_id, status=str(status), models=models, seconds=round(seconds, 3), message=run.message
        ),
        occurred_at=run.trained_through,
        subject=str(run.venue_id),
    )
    notify(Channel.CONTROL)
