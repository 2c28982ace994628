"""From the bundled history through a replay venue to a model and a forecast; Celery's edges call the services by id."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from apps.core.vocabulary import Timeframe
from apps.forecasts import selectors, tasks
from apps.forecasts.contracts import ForecastRefusal, ForecastView, NoForecast, TrainingStatus
from apps.forecasts.domain.features import WARMUP_BARS
from apps.forecasts.models import ForecastModel, TrainingRun
from apps.forecasts.services import forecast, queue, request_training
from apps.markets import selectors as markets
from apps.markets import services as market_services
from tests.integration.forecasts.worlds import make_world
from trading_system.celery import app

pytestmark = pytest.mark.django_db


def test_a_replay_is_trained_on_what_it_knows_and_forecasts_its_next_bars() -> None:
    venue = market_services.open_replay_venue(starts_at=datetime(2003, 1, 2, tzinfo=UTC), reason="test", actor="test")
    stock, index = (markets.instrument_by_symbol(venue.id, symbol) for symbol in ("AAPL", "SP500"))
    run_id = request_training(
        venue_id=venue.id, instrument_ids=[stock.id, index.id], trained_through=venue.now_at, reason="first models"
    )  # fmt: skip
    tasks.train(run_id=str(run_id))
    state = selectors.training_state(venue.id)
    assert state is not None and (state.status, state.message) == (TrainingStatus.SUCCEEDED, "4 of 4 models are in place.")
    for instrument in (stock, index):
        window = markets.bar_window(instrument, Timeframe.D1, until=None, count=WARMUP_BARS)
        for horizon in (1, 5):
            made = forecast(window=window, horizon_bars=horizon)
            assert isinstance(made, ForecastView) and made.as_of == venue.now_at
    assert len(selectors.latest_forecasts(venue.id)) == 4
    assert {row.rows for row in ForecastModel.objects.filter(horizon_bars=1)} == {3280 - 199 - 1, 1004 - 199 - 1}


def test_an_instrument_that_nobody_asked_to_train_has_no_model() -> None:
    world = make_world("SP500", "NASDAQ")
    world.train("SP500")
    made = forecast(window=world.window("NASDAQ"), horizon_bars=1)
    assert isinstance(made, NoForecast) and made.refusal is ForecastRefusal.NO_MODEL
    assert "for 1 bar ahead is in place: the last training ended without one." in made.reason


def test_tasks_are_routed_bounded_and_scheduled() -> None:
    app.loader.import_default_modules()
    assert app.tasks[queue.TRAIN_TASK].queue == queue.COMPUTE_QUEUE
    scheduled = {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()}
    for task in (tasks.sweep_training, tasks.retrain_due):
        assert scheduled[task.name] <= 20
        assert task.time_limit is not None and task.queue == "default"


def test_beat_finds_what_is_due_and_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[UUID] = []
    monkeypatch.setattr(queue.current_app, "send_task", lambda name, kwargs, **options: sent.append(UUID(kwargs["run_id"])))
    make_world()
    tasks.retrain_due()
    run = TrainingRun.objects.get()
    tasks.sweep_training()
    assert sent == []
    TrainingRun.objects.update(created_at=datetime(2020, 1, 1, tzinfo=UTC))
    tasks.sweep_training()
    assert sent == [run.id]
