"""Training: coalesced requests, claims, reproducible models, one champion, nothing doubled after a lost worker."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from celery import Celery
from django.db import connection, transaction

from apps.core.errors import InvalidInput, OwnershipLost
from apps.core.ids import uuid7
from apps.events.models import LoggedEvent
from apps.forecasts import selectors
from apps.forecasts.contracts import ModelStatus, TrainingStatus
from apps.forecasts.models import ForecastModel, TrainingRun
from apps.forecasts.services import queue, request_training, retrain_due, run_training, sweep_training, train_venue, training
from apps.forecasts.services.claims import LARGEST_ATTEMPT, STALLED_AFTER, claim_run, end_run, show_progress
from apps.forecasts.services.fitting import fit_all
from apps.forecasts.services.schedule import RETRAIN_AFTER_BARS
from apps.markets.contracts import ClockStatus
from apps.markets.models import VenueClock
from tests.integration.forecasts.worlds import later, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Wake-ups instead of messages."""
    messages: list[UUID] = []
    monkeypatch.setattr(queue.current_app, "send_task", lambda name, kwargs, **options: messages.append(UUID(kwargs["run_id"])))
    return messages


def events(event_type: str) -> list[dict[str, object]]:
    return [row.payload for row in LoggedEvent.objects.filter(event_type=event_type).order_by("id")]


def test_a_training_makes_one_champion_per_instrument_and_horizon() -> None:
    world = make_world("SP500", "NASDAQ")
    run_id = world.train()
    state = selectors.training_state(world.venue.id)
    assert state is not None and state.run_id == run_id and state.is_over
    assert (state.status, state.progress_done, state.progress_total) == (TrainingStatus.SUCCEEDED, 4, 4)
    assert state.message == "4 of 4 models are in place."
    made = selectors.champions(world.venue.id)
    assert [(item.symbol, item.horizon_bars) for item in made] == [("NASDAQ", 1), ("NASDAQ", 5), ("SP500", 1), ("SP500", 5)]
    assert ForecastModel.objects.count() == 8
    assert {item.version for item in made} == {1}
    assert all(item.trained_through == world.now_at and item.rows > 600 for item in made)
    for item in made:
        assert item.is_tradable is (item.learner != "naive")
        assert item.status_reason.startswith("LightGBM beats" if item.is_tradable else "The naive baseline stays")


def test_a_training_is_told_once_at_its_start_and_end_and_for_each_champion() -> None:
    world = make_world()
    run_id = world.train()
    assert [item["run_id"] for item in events("forecast.training_started")] == [str(run_id)]
    finished = events("forecast.training_finished")
    assert [(item["run_id"], item["status"], item["models"]) for item in finished] == [(str(run_id), "SUCCEEDED", 2)]
    promoted = events("forecast.model_promoted")
    assert [(item["symbol"], item["horizon_bars"], item["model_version"]) for item in promoted] == [("NASDAQ", 1, 1), ("NASDAQ", 5, 1)]


def test_the_same_bars_give_the_same_models_bit_for_bit() -> None:
    world = make_world()
    first, second = world.train(), world.train()
    assert first != second
    for horizon in (1, 5):
        for learner in ("naive", "lightgbm"):
            one, two = (ForecastModel.objects.get(training_run_id=run, horizon_bars=horizon, learner=learner) for run in (first, second))
            assert (one.artifact, one.dataset_hash, one.seed) == (two.artifact, two.dataset_hash, two.seed)
            assert (one.metrics, one.calibration, one.importance) == (two.metrics, two.calibration, two.importance)
            assert (one.version, two.version) == (1, 2)
            assert one.status == ModelStatus.RETIRED and two.status != ModelStatus.RETIRED
    assert ForecastModel.objects.filter(status=ModelStatus.CHAMPION).count() == 2


def test_training_sees_no_bar_after_trained_through() -> None:
    world = make_world()
    run_id = world.request()
    world.play(30)
    assert run_training(run_id, clock=world.clock)
    late = ForecastModel.objects.get(training_run_id=run_id, horizon_bars=1, learner="lightgbm")
    again = make_world()
    early = ForecastModel.objects.get(training_run_id=again.train(), horizon_bars=1, learner="lightgbm")
    assert late.artifact == early.artifact
    assert late.dataset_hash == early.dataset_hash


def test_model_detail_names_what_drives_the_model() -> None:
    world = make_world()
    world.train()
    row = ForecastModel.objects.get(horizon_bars=1, learner="lightgbm")
    detail = selectors.model_detail(row.id)
    assert detail.dataset_hash == row.dataset_hash and len(detail.dataset_hash) == 64
    assert detail.parameters["num_threads"] == 1 and detail.parameters["deterministic"] is True
    shares = [item.share for item in detail.importance]
    assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1.0)
    assert all(item.description.endswith(".") for item in detail.importance)
    assert detail.coverage == 0.8
    assert detail.summary.metrics.coverage is not None and abs(detail.summary.metrics.coverage - 0.8) < 0.1


def test_requests_of_one_venue_join_the_waiting_run() -> None:
    world = make_world("SP500", "NASDAQ")
    first = world.request("SP500")
    world.play(3)
    assert world.request("NASDAQ") == first == world.request("SP500")
    run = TrainingRun.objects.get()
    assert run.instrument_ids == [str(world.specs["SP500"].id), str(world.specs["NASDAQ"].id)]
    assert run.trained_through == world.now_at


def test_a_running_run_takes_up_a_request_that_it_covers_and_no_other() -> None:
    world = make_world("SP500", "NASDAQ")
    first = world.request("SP500")
    assert claim_run(first, now=world.clock.now()) is not None
    assert world.request("SP500") == first
    assert world.request("SP500", "NASDAQ") != first
    world.play(1)
    assert world.request("SP500") != first
    assert TrainingRun.objects.count() == 2


def test_a_request_without_instruments_is_refused() -> None:
    world = make_world()
    with pytest.raises(InvalidInput):
        request_training(venue_id=world.venue.id, instrument_ids=[], trained_through=world.now_at, reason="")


def test_a_worker_is_woken_after_the_commit_and_not_before(
    sent: list[UUID], django_capture_on_commit_callbacks: type, request: pytest.FixtureRequest
) -> None:
    world = make_world()
    with django_capture_on_commit_callbacks(execute=True):
        run_id = world.request()
        assert sent == []
    assert sent == [run_id]


def test_an_unreachable_redis_loses_only_the_wake_up_and_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "current_app", Celery("nowhere", broker="redis://localhost:1/0", set_as_current=False))
    started = time.monotonic()
    queue.send_training(uuid7())
    assert time.monotonic() - started < 3


def test_a_run_is_claimed_once() -> None:
    world = make_world()
    run_id = world.request()
    assert claim_run(run_id, now=world.clock.now()) is not None
    assert claim_run(run_id, now=later(world, 10)) is None
    assert run_training(run_id, clock=world.clock) is False
    assert ForecastModel.objects.count() == 0


def test_a_second_run_of_the_venue_waits_for_the_first() -> None:
    world = make_world()
    first = world.request()
    claim = claim_run(first, now=world.clock.now())
    assert claim is not None
    world.play(1)
    second = world.request()
    assert claim_run(second, now=world.clock.now()) is None
    end_run(claim, status=TrainingStatus.SUCCEEDED, models=0, message="", now=world.clock.now())
    assert claim_run(second, now=world.clock.now()) is not None


def test_a_lost_worker_is_replaced_and_nothing_is_made_twice(monkeypatch: pytest.MonkeyPatch, sent: list[UUID]) -> None:
    """The worker dies after its first stored unit; the sweeper wakes another, which makes only what is missing."""
    world = make_world()
    run_id = world.request()
    calls: list[int] = []

    def die_on_the_second(dataset: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise SystemExit("kill -9")
        return fit_all(dataset)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "fit_all", die_on_the_second)
    with pytest.raises(SystemExit):
        run_training(run_id, clock=world.clock)
    assert ForecastModel.objects.count() == 2
    kept = set(ForecastModel.objects.values_list("id", flat=True))
    assert sweep_training(now=later(world, 20)) == 0
    assert sweep_training(now=later(world, STALLED_AFTER.total_seconds())) == 1
    assert sent == [run_id]
    assert run_training(run_id, clock=world.clock)
    assert ForecastModel.objects.count() == 4
    assert kept < set(ForecastModel.objects.values_list("id", flat=True))
    assert len(calls) == 3
    assert len(events("forecast.training_started")) == len(events("forecast.training_finished")) == 1
    state = selectors.training_state(world.venue.id)
    assert state is not None and state.status == TrainingStatus.SUCCEEDED and state.message == "2 of 2 models are in place."


def test_a_worker_that_was_thought_dead_writes_nothing_more() -> None:
    world = make_world()
    run_id = world.request()
    old = claim_run(run_id, now=world.clock.now())
    new = claim_run(run_id, now=later(world, STALLED_AFTER.total_seconds() + 1))
    assert old is not None and new is not None and new.attempt == old.attempt + 1
    with pytest.raises(OwnershipLost):
        show_progress(old, done=1, total=2, message="", now=world.clock.now())
    with pytest.raises(OwnershipLost):
        end_run(old, status=TrainingStatus.SUCCEEDED, models=0, message="", now=world.clock.now())
    show_progress(new, done=1, total=2, message="", now=world.clock.now())


def test_a_run_that_ends_every_worker_is_given_up(sent: list[UUID]) -> None:
    world = make_world()
    run_id = world.request()
    for _ in range(LARGEST_ATTEMPT):
        assert claim_run(run_id, now=world.clock.now()) is not None
        later(world, STALLED_AFTER.total_seconds() + 1)
    assert sweep_training(now=world.clock.now()) == 0
    state = selectors.training_state(world.venue.id)
    assert state is not None and state.status == TrainingStatus.FAILED and state.message.startswith("Given up: 4 workers")
    assert events("forecast.training_finished")[0]["status"] == "FAILED"
    assert sent == []


def test_waiting_runs_are_woken_again(sent: list[UUID]) -> None:
    world = make_world()
    run_id = world.request()
    created = TrainingRun.objects.get().created_at
    assert sweep_training(now=created + timedelta(seconds=1)) == 0
    assert sweep_training(now=created + timedelta(seconds=11)) == 1
    assert sent == [run_id]


def test_too_little_history_fails_with_the_reason() -> None:
    world = make_world(bars=350)
    world.train()
    state = selectors.training_state(world.venue.id)
    assert state is not None and state.status == TrainingStatus.FAILED
    assert "labelled bars are too few, 300 are needed" in state.message
    assert selectors.champions(world.venue.id) == []


def test_one_broken_instrument_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world("SP500", "NASDAQ")
    monkeypatch.setattr(training, "bar_problem", lambda window: "The bars are broken." if window.instrument.symbol == "SP500" else "")
    world.train()
    state = selectors.training_state(world.venue.id)
    assert state is not None and state.status == TrainingStatus.SUCCEEDED
    assert state.message == "2 of 4 models are in place. SP500: The bars are broken."


def test_a_learner_that_raises_is_told_and_costs_its_unit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()

    def fail_at_five(dataset: object) -> object:
        if dataset.horizon_bars == 5:  # type: ignore[attr-defined]
            raise ZeroDivisionError("oh")
        return fit_all(dataset)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "fit_all", fail_at_five)
    world.train()
    state = selectors.training_state(world.venue.id)
    assert state is not None and state.message == "1 of 2 models are in place. NASDAQ, 5 bars ahead: ZeroDivisionError: oh."


def test_an_unknown_instrument_fails_the_run_at_once() -> None:
    world = make_world()
    run_id = request_training(venue_id=world.venue.id, instrument_ids=[uuid7()], trained_through=world.now_at, reason="")
    assert run_training(run_id, clock=world.clock)
    state = selectors.training_state(world.venue.id)
    assert state is not None and state.status == TrainingStatus.FAILED and "NotFound" in state.message


def test_a_run_of_an_archived_venue_is_cancelled() -> None:
    world = make_world()
    run_id = world.request()
    VenueClock.objects.update(status=ClockStatus.ARCHIVED)
    assert run_training(run_id, clock=world.clock)
    assert TrainingRun.objects.get().status == TrainingStatus.CANCELLED
    assert ForecastModel.objects.count() == 0


def test_retraining_follows_the_venue_clock() -> None:
    world = make_world()
    world.train()
    world.play(RETRAIN_AFTER_BARS)
    assert retrain_due() == []
    world.play(1)
    VenueClock.objects.update(status=ClockStatus.PAUSED)
    assert retrain_due() == []
    VenueClock.objects.update(status=ClockStatus.RUNNING)
    due = retrain_due()
    assert len(due) == 1
    assert retrain_due() == []
    assert run_training(due[0], clock=world.clock)
    assert retrain_due() == []
    assert {item.version for item in selectors.champions(world.venue.id)} == {2}


def test_a_running_venue_that_was_never_trained_is_due() -> None:
    world = make_world()
    assert len(retrain_due()) == 1
    assert TrainingRun.objects.get().instrument_ids == [str(world.specs["NASDAQ"].id)]


def test_retraining_takes_every_instrument_that_was_ever_trained_and_the_oldest_decides() -> None:
    world = make_world("SP500", "NASDAQ")
    world.train("SP500")
    world.play(100)
    world.train("NASDAQ")
    world.play(RETRAIN_AFTER_BARS - 100 + 1)
    assert len(retrain_due()) == 1
    run = TrainingRun.objects.get(status=TrainingStatus.QUEUED)
    assert set(run.instrument_ids) == {str(spec.id) for spec in world.specs.values()}


def test_a_failed_training_is_not_tried_again_before_the_next_is_due() -> None:
    world = make_world(bars=350)
    world.train()
    world.play(RETRAIN_AFTER_BARS)
    assert retrain_due() == []
    world.play(1)
    assert len(retrain_due()) == 1


def test_a_person_may_ask_for_a_training_of_the_whole_venue() -> None:
    world = make_world("SP500", "NASDAQ")
    train_venue(venue_id=world.venue.id, reason="Asked for by ada in the admin.")
    run = TrainingRun.objects.get()
    assert len(run.instrument_ids) == 2 and run.trained_through == world.now_at


def test_the_database_refuses_a_second_champion() -> None:
    world = make_world()
    world.train()
    with pytest.raises(Exception, match="one_champion"), transaction.atomic():
        ForecastModel.objects.update(status=ModelStatus.CHAMPION)


def test_stored_figures_are_finite() -> None:
    world = make_world()
    world.train()
    for row in ForecastModel.objects.all():
        numbers = [row.metrics["rmse"], row.metrics["skill"], *row.metrics["fold_skill"], *row.calibration.values()]
        assert np.isfinite(numbers).all()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM forecasts_forecastmodel WHERE metrics::text ~* 'nan|infinity'")
        assert cursor.fetchone() == (0,)
