"""Making one forecast: bars checked, features of the last bar, the champion's prediction, stored and told once. Or a refusal in words."""

from __future__ import annotations

from math import isfinite

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
    """Forecast the log return from the window's last close over `horizon_bars`, with the champion of that instrument and horizon.

    Call inside a transaction. The same model and bar give the same stored forecast, and `ForecastUpdated` once, however often it is asked
    for. Never raises for bad bars or a broken model: it says why there is no forecast. Nothing that is not finite is stored.
    """
    newest = window.last(WARMUP_BARS)
    problem = bar_problem(newest)
    if problem:
        return NoForecast(ForecastRefusal.BAD_DATA, f"The bars cannot be used. {problem}")
    features = {name: value for name, value in latest_features(newest).items() if isfinite(value)}
    if len(newest) < WARMUP_BARS:
        return NoForecast(ForecastRefusal.WARMING_UP, f"The features need {WARMUP_BARS} bars; {len(newest)} are there.", features)
    champion = _champion(window, horizon_bars)
    if champion is None:
        return NoForecast(ForecastRefusal.NO_MODEL, _why_no_model(window, horizon_bars), features)
    known = Forecast.objects.filter(model_id=champion.id, as_of=window.last_closed_at).first()
    if known is not None:
        return forecast_view(known, champion)
    prediction = _predict(champion, features)
    return prediction if isinstance(prediction, NoForecast) else _store(window, champion, prediction, features)


def _champion(window: BarWindow, horizon_bars: int) -> ForecastModel | None:
    """The champion, unless it has seen bars after this one: a forecast of the past by a model of the future would be a lie."""
    return (
        _champions(window, horizon_bars)
        .filter(trained_through__lte=window.last_closed_at)
        .only("id", "instrument_id", "horizon_bars", "learner", "version")
        .first()
    )


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
