"""What Beat asks for: wake-ups that were lost are sent again, and models that have grown old are trained anew."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from apps.forecasts.contracts import TrainingStatus
from apps.forecasts.models import TrainingRun
from apps.forecasts.services.claims import LARGEST_ATTEMPT, STALLED_AFTER, give_up
from apps.forecasts.services.queue import send_training
from apps.forecasts.services.requests import request_training
from apps.markets import selectors as markets
from apps.markets.contracts import ClockStatus, VenueView

RETRAIN_AFTER_BARS = 126
"""Bars of the venue's own clock after which models are trained again: half a year of daily bars."""
_GRACE = timedelta(seconds=10)
_IN_FLIGHT = (TrainingStatus.QUEUED, TrainingStatus.RUNNING)


def sweep_training(*, now: datetime) -> int:
    """Wake a worker for every run that waits or has lost its worker; runs that have used up their attempts fail. Returns the wake-ups."""
    waiting = TrainingRun.objects.filter(status=TrainingStatus.QUEUED, created_at__lt=now - _GRACE)
    stalled = TrainingRun.objects.filter(status=TrainingStatus.RUNNING, last_progress_at__lt=now - STALLED_AFTER)
    sent = 0
    for run_id, attempt in (*stalled.values_list("id", "attempt"), *waiting.values_list("id", "attempt")):
        if attempt >= LARGEST_ATTEMPT and give_up(run_id, now=now):
            continue
        send_training(run_id)
        sent += 1
    return sent


def retrain_due() -> list[UUID]:
    """Request a training for each running venue whose clock is far enough past its last one; returns the runs requested.

    The venue's clock decides, not the wall's: a paused replay never retrains. One run per venue is in flight at most, and a training that
    failed is not tried again before the next is due.
    """
    due = [venue for venue in markets.venues() if venue.status == ClockStatus.RUNNING and _is_due(venue)]
    return [train_venue(venue_id=venue.id, reason=f"more than {RETRAIN_AFTER_BARS} bars since the last training") for venue in due]


def train_venue(*, venue_id: UUID, reason: str) -> UUID:
    """Request a training, on the bars up to now, of every instrument that was ever trained at the venue, or of all if none was.

    Raises InvalidInput if the venue has no instruments.
    """
    instrument_ids = list(_trained_through(venue_id)) or [instrument.id for instrument in markets.instruments(venue_id)]
    return request_training(venue_id=venue_id, instrument_ids=instrument_ids, trained_through=markets.venue(venue_id).now_at, reason=reason)


def _is_due(venue: VenueView) -> bool:
    if TrainingRun.objects.filter(venue_id=venue.id, status__in=_IN_FLIGHT).exists():
        return False
    trained_through = _trained_through(venue.id)
    if not trained_through:
        return bool(markets.instruments(venue.id))
    return len(markets.closes_after(venue.id, min(trained_through.values()))) > RETRAIN_AFTER_BARS


def _trained_through(venue_id: UUID) -> dict[UUID, datetime]:
    """Each instrument's newest bar that a run was asked to see, however the run ended."""
    newest: dict[UUID, datetime] = {}
    runs = TrainingRun.objects.filter(venue_id=venue_id).order_by("trained_through")
    for instrument_ids, trained_through in runs.values_list("instrument_ids", "trained_through"):
        newest |= {UUID(item): trained_through for item in instrument_ids}
    return newest
