"""A real Celery worker dies in the middle of a training; another one finishes it and nothing is made twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from apps.common.failpoints import EXIT_CODE
from apps.events.models import LoggedEvent
from apps.forecasts import selectors
from apps.forecasts.contracts import TrainingStatus
from apps.forecasts.models import ForecastModel, TrainingRun
from apps.forecasts.services import queue, sweep_training
from apps.forecasts.services.claims import STALLED_AFTER
from tests.integration.forecasts.worlds import make_world
from tests.workers import StartWorker, compute_workers, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartWorker]:
    with compute_workers(monkeypatch, queue, app="trading_system") as start:
        yield start


def test_a_killed_worker_is_replaced_and_nothing_is_made_twice(start_worker: StartWorker) -> None:
    world = make_world("SP500", "NASDAQ")
    run_id = world.request()
    doomed = start_worker("forecasts.models_stored:2")
    assert doomed.wait(timeout=90) == EXIT_CODE
    kept = set(ForecastModel.objects.values_list("id", flat=True))
    assert len(kept) == 4
    assert TrainingRun.objects.get(id=run_id).status == TrainingStatus.RUNNING

    replacement = start_worker("")
    assert sweep_training(now=datetime.now(UTC)) == 0
    stalled_at = TrainingRun.objects.get(id=run_id).last_progress_at
    assert stalled_at is not None
    TrainingRun.objects.filter(id=run_id).update(last_progress_at=stalled_at - STALLED_AFTER)
    wait_until(lambda: datetime.now(UTC) > stalled_at)
    assert sweep_training(now=datetime.now(UTC)) == 1

    wait_until(lambda: TrainingRun.objects.get(id=run_id).status == TrainingStatus.SUCCEEDED)
    assert replacement.poll() is None
    assert ForecastModel.objects.count() == 8
    assert kept < set(ForecastModel.objects.values_list("id", flat=True))
    assert ForecastModel.objects.filter(version=1).count() == 8
    assert len(selectors.champions(world.venue.id)) == 4
    state = selectors.training_state(world.venue.id)
    assert state is not None and state.message == "4 of 4 models are in place." and state.progress_done == 4
    told = list(LoggedEvent.objects.filter(event_type__startswith="forecast.").order_by("id").values_list("event_type", flat=True))
    assert told == ["forecast.training_started", *["forecast.model_promoted"] * 4, "forecast.training_finished"]
    assert TrainingRun.objects.get(id=run_id).attempt == 2
