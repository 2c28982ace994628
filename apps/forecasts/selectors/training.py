"""How training stands."""

from __future__ import annotations

from uuid import UUID

from apps.forecasts.contracts import TrainingState, TrainingStatus
from apps.forecasts.models import TrainingRun


def training_state(venue_id: UUID) -> TrainingState | None:
    """The venue's newest run; None before the first."""
    run = TrainingRun.objects.filter(venue_id=venue_id).order_by("-created_at").first()
    return None if run is None else _state(run)


def _state(run: TrainingRun) -> TrainingState:
    return TrainingState(
        run_id=run.id,
        venue_id=run.venue_id,
        status=TrainingStatus(run.status),
        reason=run.reason,
        trained_through=run.trained_through,
        instruments=len(run.instrument_ids),
        progress_done=run.progress_done,
        progress_total=run.progress_total,
        message=run.message,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )
