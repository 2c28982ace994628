"""Making one forecast: bars checked, features of the last bar, the champion's prediction, stored and told once. Or a refusal in words."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from uuid import UUID

import structlog
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet

from apps.events.services import record_event
from apps.forecasts import selectors
from apps.forecasts.contracts import ForecastRefusal, ForecastUpdated, ForecastView, ModelStatus, NoForecast, TrainingStatus, Trend
from apps.forecasts.domain.bars import bar_problem
from apps.forecasts.domain.calibration import Outlook
from apps.forecasts.domain.features import WARMUP_BARS, latest_features
from apps.forecasts.models import Forecast, ForecastModel
from apps.forecasts.selectors.forecasts import forecast_view
from apps.forecasts.services.loading import load_predictor
from apps.markets.contracts import BarWindow

log = structlog.get_logger(__name__)

_ENDINGS = {
    TrainingStatus.QUEUED: "the training waits for a worker.",
    TrainingStatus.SUCCEEDED: "the last training ended without one.",
    TrainingStatus.FAILED: "the last training failed.",
    TrainingStatus.CANCELLED: "the last training was cancelled.",
}
_TRENDS = {1: Trend.UP, 0: Trend.FLAT, -1: Trend.DOWN}


def forecast(*, window: BarWindow, horizon_bars: int) -> ForecastView | NoForecast:
    """`forecast_horizons` for one horizon."""
    return forecast_horizons(window=window, horizons=(horizon_bars,))[horizon_bars]


def forecast_horizons(*, window: BarWindow, horizons: Sequence[int]) -> dict[int, ForecastView | NoForecast]:
    """Forecast the log return from the window's last close over each of `horizons`, with the champions of that instrument.

    Call inside a transaction. The same model and bar give the same stored forecast, and `ForecastUpdated` once, however often it is asked
    for. Never raises for bad bars or a broken model: it says why there is no forecast. Nothing that is not finite is stored.
    """
    newest = window.last(WARMUP_BARS)
    problem = bar_problem(newest)
    if problem:
        return dict.fromkeys(horizons, NoForecast(ForecastRefusal.BAD_DATA, f"The bars cannot be used. {problem}"))
    features = {name: value for name, value in latest_features(newest).items() if isfinite(value)}
    if len(newest) < WARMUP_BARS:
        reason = f"The features need {WARMUP_BARS} bars; {len(newest)} are there."
        return dict.fromkeys(horizons, NoForecast(ForecastRefusal.WARMING_UP, reason, features))
    champions = _usable_champions(window, horizons)
    known = _known_forecasts(window, champions)
    made: dict[int, ForecastView | NoForecast] = {}
    for horizon in horizons:
        champion = champions.get(horizon)
        if champion is None:
            made[horizon] = NoForecast(ForecastRefusal.NO_MODEL, _why_no_model(window, horizon), features)
        elif champion.id in known:
            made[horizon] = forecast_view(known[champion.id], champion)
        else:
            prediction = _predict(champion, features)
            made[horizon] = prediction if isinstance(prediction, NoForecast) else _store(window, champion, prediction, features)
    return made


def _usable_champions(window: BarWindow, horizons: Sequence[int]) -> dict[int, ForecastModel]:
    """Champions by horizon, without those that have seen bars after this one: a forecast of the past by a model of the future would be a lie."""
    rows = ForecastModel.objects.filter(
        instrument_id=window.instrument.id,
        timeframe=window.timeframe,
        horizon_bars__in=horizons,
        status=ModelStatus.CHAMPION,
        trained_through__lte=window.last_closed_at,
    )
    return {row.horizon_bars: row for row in rows.only("id", "instrument_id", "horizon_bars", "learner", "version")}


def _known_forecasts(window: BarWindow, champions: dict[int, ForecastModel]) -> dict[UUID, Forecast]:
    """What these models have already said of this bar, by model."""
    ids = [champion.id for champion in champions.values()]
    return {row.model_id: row for row in Forecast.objects.filter(model_id__in=ids, as_of=window.last_closed_at)} if ids else {}


def _champions(window: BarWindow, horizon_bars: int) -> QuerySet[ForecastModel]:
    """The champion of the window's instrument, timeframe and horizon: one row or none."""
    return ForecastModel.objects.filter(
        instrument_id=window.instrument.id, timeframe=window.timeframe, horizon_bars=horizon_bars, status=ModelStatus.CHAMPION
    )


def _predict(champion: ForecastModel, features: dict[str, float]) -> Outlook | NoForecast:
    try:
        prediction = load_predictor(champion.id).predict(features, champion.horizon_bars)
    except DatabaseError:
        raise
    except Exception as error:
        log.exception("forecast_failed", model=str(champion), model_id=str(champion.id))
        return NoForecast(ForecastRefusal.MODEL_FAILED, f"The model {champion} failed: {type(error).__name__}: {error}", features)
    if not prediction.is_finite:
        return NoForecast(ForecastRefusal.MODEL_FAILED, f"The model {champion} gave a number that is not finite.", features)
    return prediction


def _store(window: BarWindow, champion: ForecastModel, prediction: Outlook, features: dict[str, float]) -> ForecastView:
    """Insert the forecast and its event together; if another process was first, its forecast is the one."""
    row = Forecast(
        model_id=champion.id,
        instrument_id=window.instrument.id,
        horizon_bars=champion.horizon_bars,
        as_of=window.last_closed_at,
        expected_return=prediction.expected_return,
        lower=prediction.lower,
        upper=prediction.upper,
        coverage=prediction.coverage,
        probability_up=prediction.probability_up,
        confidence=prediction.confidence,
        trend=_TRENDS[prediction.direction],
        features=features,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _announce(window, champion, row)
    except IntegrityError as error:
        if "forecast_once" not in str(error):
            raise
        row = Forecast.objects.get(model_id=champion.id, as_of=window.last_closed_at)
    return forecast_view(row, champion)


def _announce(window: BarWindow, champion: ForecastModel, row: Forecast) -> None:
    record_event(
        ForecastUpdated(
            forecast_id=row.id,
            instrument_id=row.instrument_id,
            symbol=window.instrument.symbol,
            horizon_bars=row.horizon_bars,
            timeframe=str(window.timeframe),
            expected_return=row.expected_return,
            confidence=row.confidence,
            probability_up=row.probability_up,
            model=str(champion),
            as_of=row.as_of,
        ),
        occurred_at=row.as_of,
        subject=str(row.instrument_id),
    )


def _why_no_model(window: BarWindow, horizon_bars: int) -> str:
    """The state of training, in words."""
    subject = f"No model of {window.instrument.symbol} for {horizon_bars} bar{'s' if horizon_bars > 1 else ''} ahead is in place"
    if _champions(window, horizon_bars).exists():
        return f"{subject} that has not seen bars after this one."
    state = selectors.training_state(window.instrument.venue_id)
    if state is None:
        return f"{subject}: no training has been requested yet."
    if state.status == TrainingStatus.RUNNING:
        return f"{subject}: the training is running, {state.progress_done} of {state.progress_total} done."
    return f"{subject}: {_ENDINGS[state.status]} {state.message}".rstrip()
