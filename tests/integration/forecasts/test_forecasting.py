"""Forecasts: stored and told once per model and bar; refusals in words; nothing that is not finite is stored."""

from __future__ import annotations

import threading
from dataclasses import replace
from math import isfinite

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.core.errors import NotFound
from apps.core.ids import uuid7
from apps.events.models import LoggedEvent
from apps.forecasts import selectors
from apps.forecasts.contracts import ForecastRefusal, ForecastView, NoForecast, Trend
from apps.forecasts.domain.features import FEATURES, WARMUP_BARS
from apps.forecasts.models import Forecast, ForecastModel
from apps.forecasts.services import forecast, loading
from apps.forecasts.services.claims import claim_run
from tests.factories.windows import cut
from tests.integration.forecasts.worlds import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def trained() -> World:
    world = make_world()
    world.train()
    return world


def crown(learner: str, horizon_bars: int = 1) -> ForecastModel:
    """Make this learner champion, whatever the contest said."""
    models = ForecastModel.objects.filter(horizon_bars=horizon_bars)
    models.update(status="RETIRED")
    models.filter(learner=learner).update(status="CHAMPION")
    return models.get(learner=learner)


def updates() -> list[LoggedEvent]:
    return list(LoggedEvent.objects.filter(event_type="forecast.updated"))


@pytest.mark.parametrize("learner", ["naive", "lightgbm"])
def test_a_forecast_is_stored_with_everything_it_used(trained: World, learner: str) -> None:
    model = crown(learner)
    made = forecast(window=trained.window(), horizon_bars=1)
    assert isinstance(made, ForecastView)
    assert made.as_of == trained.now_at and made.model_id == model.id and made.learner == learner
    assert made.is_tradable is (learner == "lightgbm")
    assert made.lower <= made.expected_return <= made.upper and made.lower < made.upper
    assert made.coverage == 0.8
    assert 0 <= made.probability_up <= 1 and made.confidence == max(made.probability_up, 1 - made.probability_up)
    assert made.trend in Trend
    assert set(made.features) == set(FEATURES) and all(isfinite(value) for value in made.features.values())
    assert selectors.forecast_by_id(made.id) == made


def test_asking_again_gives_the_same_forecast_and_tells_it_once(trained: World) -> None:
    first = forecast(window=trained.window(), horizon_bars=1)
    again = forecast(window=trained.window(), horizon_bars=1)
    shorter = forecast(window=trained.window().last(WARMUP_BARS), horizon_bars=1)
    assert first == again == shorter
    assert Forecast.objects.count() == 1
    told = updates()
    assert len(told) == 1 and isinstance(first, ForecastView)
    assert told[0].payload["forecast_id"] == str(first.id) and told[0].occurred_at == first.as_of
    assert told[0].payload["symbol"] == "NASDAQ" and told[0].payload["expected_return"] == first.expected_return


def test_a_rolled_back_forecast_is_neither_stored_nor_told(trained: World) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        forecast(window=trained.window(), horizon_bars=1)
        raise RuntimeError("the caller's decision fails")
    assert Forecast.objects.count() == 0 and updates() == []
    assert isinstance(forecast(window=trained.window(), horizon_bars=1), ForecastView)


def test_forecasts_are_read_by_venue_and_instrument(trained: World) -> None:
    made = [forecast(window=trained.window(), horizon_bars=horizon) for horizon in (1, 5)]
    trained.play(1)
    newer = [forecast(window=trained.window(), horizon_bars=horizon) for horizon in (1, 5)]
    assert selectors.latest_forecasts(trained.venue.id) == newer
    assert isinstance(made[0], ForecastView) and isinstance(newer[0], ForecastView)
    listed = selectors.forecasts_for_instrument(trained.specs["NASDAQ"].id, horizon_bars=1, limit=10)
    assert [item.id for item in listed] == [made[0].id, newer[0].id]
    assert listed[0].features == {}
    assert [item.id for item in selectors.forecasts_for_instrument(trained.specs["NASDAQ"].id, horizon_bars=1, limit=1)] == [newer[0].id]
    with pytest.raises(NotFound):
        selectors.forecast_by_id(uuid7())
    with pytest.raises(NotFound):
        selectors.model_detail(uuid7())


def refused(made: object, refusal: ForecastRefusal, words: str) -> NoForecast:
    assert isinstance(made, NoForecast)
    assert made.refusal is refusal and words in made.reason
    assert all(isfinite(value) for value in made.features.values())
    assert Forecast.objects.count() == 0 and updates() == []
    return made


def test_a_short_window_is_warming_up(trained: World) -> None:
    made = refused(forecast(window=trained.window().last(199), horizon_bars=1), ForecastRefusal.WARMING_UP, "need 200 bars; 199 are there")
    assert "return_60" in made.features and "distance_sma_200" not in made.features
    assert refused(forecast(window=trained.window().last(1), horizon_bars=1), ForecastRefusal.WARMING_UP, "1 are there")
    assert refused(forecast(window=cut(trained.window(), 0, 0), horizon_bars=1), ForecastRefusal.WARMING_UP, "0 are there")


@pytest.mark.parametrize("value", [0, -1, 10**15])
def test_garbage_bars_are_refused(trained: World, value: int) -> None:
    window = trained.window()
    closes = window.close.copy()
    closes[-3] = value
    assert refused(forecast(window=replace(window, close=closes), horizon_bars=1), ForecastRefusal.BAD_DATA, "The bars cannot be used.")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bars_that_are_not_numbers_are_refused(trained: World, value: float) -> None:
    closes = trained.window().close.astype(np.float64)
    closes[-1] = value
    window = replace(trained.window(), close=closes)  # type: ignore[arg-type]
    assert refused(forecast(window=window, horizon_bars=1), ForecastRefusal.BAD_DATA, "not whole numbers")


def test_without_a_model_the_state_of_training_is_told() -> None:
    world = make_world()

    def ask() -> object:
        return forecast(window=world.window(), horizon_bars=5)

    made = refused(ask(), ForecastRefusal.NO_MODEL, "No model of NASDAQ for 5 bars ahead is in place: no training has been requested")
    assert set(made.features) == set(FEATURES)
    run_id = world.request()
    assert refused(ask(), ForecastRefusal.NO_MODEL, "waits for a worker")
    assert claim_run(run_id, now=world.clock.now())
    assert refused(ask(), ForecastRefusal.NO_MODEL, "the training is running, 0 of")


def test_a_failed_training_is_the_reason() -> None:
    world = make_world(bars=350)
    world.train()
    assert refused(forecast(window=world.window(), horizon_bars=1), ForecastRefusal.NO_MODEL, "the last training failed. 0 of 2 models")


def test_a_model_of_the_future_does_not_forecast_the_past(trained: World) -> None:
    past = cut(trained.window(), 0, len(trained.window()) - 1)
    assert refused(forecast(window=past, horizon_bars=1), ForecastRefusal.NO_MODEL, "is in place that has not seen bars after this one.")


def test_a_broken_artifact_is_a_refusal(trained: World) -> None:
    model = crown("lightgbm")
    ForecastModel.objects.filter(id=model.id).update(artifact="tree\ncut short")
    loading.load_predictor.cache_clear()
    assert refused(
        forecast(window=trained.window(), horizon_bars=1), ForecastRefusal.MODEL_FAILED, "The model lightgbm v1, 1 bar ahead failed"
    )


def test_a_model_of_forgotten_features_asks_for_training(trained: World) -> None:
    model = crown("lightgbm")
    ForecastModel.objects.filter(id=model.id).update(features=["moon_phase"])
    loading.load_predictor.cache_clear()
    assert refused(forecast(window=trained.window(), horizon_bars=1), ForecastRefusal.MODEL_FAILED, "moon_phase")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_prediction_that_is_not_finite_is_a_refusal(trained: World, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = loading.load_predictor(crown("naive").id)
    monkeypatch.setattr(predictor.learner, "predict", lambda features, scales: np.array([value]))
    assert refused(forecast(window=trained.window(), horizon_bars=1), ForecastRefusal.MODEL_FAILED, "not finite")


def test_a_model_that_raises_is_a_refusal(trained: World, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = loading.load_predictor(crown("naive").id)

    def fail(*args: object) -> None:
        raise MemoryError("too big")

    monkeypatch.setattr(predictor.learner, "predict", fail)
    assert refused(forecast(window=trained.window(), horizon_bars=1), ForecastRefusal.MODEL_FAILED, "MemoryError: too big")


def test_a_known_forecast_costs_two_queries_and_a_new_one_few(trained: World) -> None:
    with CaptureQueriesContext(
        connection,
    ) as first:
        forecast(window=trained.window(), horizon_bars=1)
    with CaptureQueriesContext(connection) as second:
        forecast(window=trained.window(), horizon_bars=1)
    assert len(second) == 2
    assert len(first) <= 8


@pytest.mark.django_db(transaction=True)
def test_two_processes_make_one_forecast() -> None:
    world = make_world()
    world.train()
    window = world.window()
    gate = threading.Barrier(4)
    made: list[object] = []

    def ask() -> None:
        try:
            gate.wait()
            with transaction.atomic():
                made.append(forecast(window=window, horizon_bars=1))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4 and all(item == made[0] for item in made)
    assert Forecast.objects.count() == 1 and len(updates()) == 1
