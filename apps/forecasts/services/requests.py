"""Asking for a training. One run waits per venue at most: a second request joins it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.core.clock import require_utc
from apps.core.errors import Conflict, InvalidInput
from apps.forecasts.contracts import TrainingStatus
from apps.forecasts.models import TrainingRun
from apps.forecasts.services.queue import enqueue_on_commit

_REASON_LENGTH = 120
_TRIES = 3


def request_training(*, venue_id: UUID, instrument_ids: list[UUID], trained_through: datetime, reason: str) -> UUID:
    """Ask for models of these instruments from bars up to `trained_through`; returns the run that will make them.

    A running run that already covers the request is returned as it is; a waiting one is widened to cover it; else a new one is queued and a
    worker is woken when the caller's transaction commits.
    """
    if not instrument_ids:
        raise InvalidInput("A training needs at least one instrument.", where="instrument_ids")
    wanted = [str(item) for item in instrument_ids]
    until = require_utc(trained_through, name="trained_through")
    with transaction.atomic():
        running = _covering_run(venue_id, wanted, until)
        if running is not None:
            return running.id
        run = _queued_run(venue_id, wanted, until, reason)
        enqueue_on_commit(run.id)
    return run.id


def _covering_run(venue_id: UUID, wanted: list[str], until: datetime) -> TrainingRun | None:
    running = TrainingRun.objects.filter(venue_id=venue_id, status=TrainingStatus.RUNNING, trained_through__gte=until)
    return next((run for run in running if set(run.instrument_ids) >= set(wanted)), None)


def _queued_run(venue_id: UUID, wanted: list[str], until: datetime, reason: str) -> TrainingRun:
    """Widen the waiting run, or queue one; another process may do the same between the two looks."""
    for _ in range(_TRIES):
        waiting = TrainingRun.objects.select_for_update().filter(venue_id=venue_id, status=TrainingStatus.QUEUED).first()
        if waiting is not None:
            return _widened(waiting, wanted, until)
        try:
            with transaction.atomic():
                return TrainingRun.objects.create(
                    venue_id=venue_id, instrument_ids=_unique(wanted), trained_through=until, reason=reason[:_REASON_LENGTH]
                )
        except IntegrityError as error:
            if "one_queued_training" not in str(error):
                raise
    raise Conflict("Other requests for a training of this venue came in between; nothing was queued.", hint="Try again.")


def _widened(run: TrainingRun, wanted: list[str], until: datetime) -> TrainingRun:
    run.instrument_ids = _unique([*run.instrument_ids, *wanted])
    run.trained_through = max(run.trained_through, until)
    run.save(update_fields=["instrument_ids", "trained_through"])
    return run


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
