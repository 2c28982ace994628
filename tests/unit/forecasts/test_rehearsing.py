"""Models trained on the way over a history: when, on what, and never on what was still to come."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from apps.forecasts.contracts import ForecastRefusal, ForecastView, NoForecast
from apps.forecasts.domain.features import WARMUP_BARS
from apps.forecasts.domain.looking import SeriesLooks
from apps.forecasts.services.rehearsing import Moment, Rehearsals, TrainedForecasts, regular_moments
from apps.forecasts.services.schedule import RETRAIN_AFTER_BARS
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import from_micros
from tests.factories.windows import random_window, real_window

START = 560
WINDOW = real_window("sp500").part(0, 720)


def close_of(index: int) -> int:
    return int(WINDOW.closed_at[index])


def forecasts_of(source: TrainedForecasts, window: BarWindow, indexes: range) -> list[ForecastView | NoForecast]:
    looks = SeriesLooks(window)
    return [source.forecast(window.part(0, index + 1).last(WARMUP_BARS), looks.at(index), horizon_bars=1) for index in indexes]


def test_a_training_is_due_when_more_bars_than_allowed_have_passed() -> None:
    closes = np.arange(0, 400_000, 1_000, dtype=np.int64)
    moments = regular_moments(closes, starts_at=9_000)
    assert moments[0] == Moment(9_000, 9_000)
    for before, moment in pairwise(moments):
        passed = closes[(closes > before.trained_through) & (closes <= moment.trained_through)]
        assert len(passed) == RETRAIN_AFTER_BARS + 1
        assert moment.used_from == moment.trained_through + 1_000
    assert len(moments) == 4


def test_forecasts_name_the_model_that_was_in_use_and_count_its_versions() -> None:
    moments = [Moment(close_of(START), close_of(START)), Moment(close_of(600), None), Moment(close_of(610), close_of(620))]
    made = forecasts_of(TrainedForecasts([WINDOW], lambda _instrument, _horizon: moments), WINDOW, range(615, 625))
    versions = [item.model_label.split(",")[0].split(" ")[1] for item in made if isinstance(item, ForecastView)]
    assert versions == ["v1"] * 5 + ["v3"] * 5


def test_a_forecast_does_not_change_when_the_future_is_cut() -> None:
    starts_at = from_micros(close_of(START))
    whole, cut = Rehearsals().over([WINDOW], starts_at=starts_at), Rehearsals().over([WINDOW.part(0, 700)], starts_at=starts_at)
    assert isinstance(whole, TrainedForecasts) and isinstance(cut, TrainedForecasts)
    bars = range(680, 700)
    assert forecasts_of(whole, WINDOW, bars) == forecasts_of(cut, WINDOW.part(0, 700), bars)


def test_too_few_bars_train_nothing_and_the_refusal_says_so() -> None:
    window = random_window(300, seed=1)
    source = Rehearsals().over([window], starts_at=from_micros(int(window.closed_at[250])))
    answer = source.forecast(window.last(WARMUP_BARS), SeriesLooks(window).at(299), horizon_bars=5)
    assert isinstance(answer, NoForecast)
    assert answer.refusal is ForecastRefusal.NO_MODEL
    assert answer.reason == "No model of TEST for 5 bars ahead is in place: the last training ended without one."
    early = source.forecast(window.part(0, 50), SeriesLooks(window).at(49), horizon_bars=5)
    assert isinstance(early, NoForecast) and early.refusal is ForecastRefusal.WARMING_UP
