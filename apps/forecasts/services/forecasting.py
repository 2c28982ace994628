"""Making one forecast: bars checked, features of the last bar, the champion's prediction, stored and told once. Or a refusal in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet

from apps.events.services import NewEvent, record_events
from apps.forecasts import selectors
from apps.forecasts.contracts import TRENDS, ForecastRefusal, ForecastUpdated, ForecastView, ModelStatus, NoForecast, TrainingStatus
from apps.forecasts.domain.calibration import Outlook
from apps.forecasts.domain.features import WARMUP_BARS
from apps.forecasts.domain.looking import look_at
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
Forecasts = dict[int, ForecastView | NoForecast]
"""By horizon: the forecast, or why there is none."""


def forecast(*, window: BarWindow, horizon_bars: int) -> ForecastView | NoForecast:
    """`forecast_horizons` for one horizon."""
    return forecast_horizons(window=window, horizons=(horizon_bars,))[horizon_bars]


def forecast_horizons(*, window: BarWindow, horizons: Sequence[int]) -> Forecasts:
    """`forecast_windows` for one window."""
    return forecast_windows([window], horizons=horizons)[0]


def forecast_windows(windows: Sequence[BarWindow], *, horizons: Sequence[int]) -> list[Forecasts]:
    """Forecast the log return from each window's last close over each of `horizons`, with the champions of its instrument.

    Call inside a transaction. The same model and bar give the same stored forecast, and `ForecastUpdated` once, however often it is asked
    for. Never raises for bad bars or a broken model: it says why there is no forecast. Nothing that is not finite is stored.
    """
    looks = {key: _look_at(window) for key, window in {_key(window): window for window in windows}.items()}
    ready = [look for look in looks.values() if not look.refusal]
    champions = _usable_champions(ready, horizons)
    known = _known_forecasts(ready, champions)
    unstored: list[_Unstored] = []
    made: dict[_Key, Forecasts] = {key: dict.fromkeys(horizons, look.refusal) if look.refusal else {} for key, look in looks.items()}
    for look in ready:
        for horizon in horizons:
            champion = champions.get((look.window.instrument.id, str(look.window.timeframe), horizon))
            said = _say(look, horizon, champion, known)
            if isinstance(said, Outlook) and champion is not None:
                unstored.append(_Unstored(look, champion, said))
            elif not isinstance(said, Outlook):
                made[_key(look.window)][horizon] = said
    for item, view in zip(unstored, _store_all(unstored), strict=True):
        made[_key(item.look.window)][item.champion.horizon_bars] = view
    return [made[_key(window)] for window in windows]


_Key = tuple[UUID, str, int, int]


def _key(window: BarWindow) -> _Key:
    """What makes two windows the same to a forecast: the bars that it looks at."""
    last = int(window.closed_at[-1]) if len(window) else 0
    return window.instrument.id, str(window.timeframe), last, min(len(window), WARMUP_BARS)


@dataclass(frozen=True)
class _Look:
    """A window with the features of its last bar, or the reason why it cannot be forecast."""

    window: BarWindow
    features: dict[str, float]
    refusal: NoForecast | None


@dataclass(frozen=True)
class _Unstored:
    """A prediction on its way into the database."""

    look: _Look
    champion: ForecastModel
    outlook: Outlook


def _look_at(window: BarWindow) -> _Look:
    look = look_at(window)
    return _Look(window, look.features, look.refusal)


def _say(
    look: _Look, horizon: int, champion: ForecastModel | None, known: dict[tuple[UUID, datetime], Forecast]
) -> ForecastView | NoForecast | Outlook:
    """What is stored already, a refusal, or a new prediction."""
    if champion is None:
        return NoForecast(ForecastRefusal.NO_MODEL, _why_no_model(look.window, horizon), look.features)
    row = known.get((champion.id, look.window.last_closed_at))
    return forecast_view(row, champion) if row is not None else _predict(champion, look.features)


def _usable_champions(looks: Sequence[_Look], horizons: Sequence[int]) -> dict[tuple[UUID, str, int], ForecastModel]:
    """Champions by instrument, timeframe and horizon, without those that have seen bars after this one: a forecast of the past by a model
    of the future would be a lie."""
    if not looks:
        return {}
    ends = {(look.window.instrument.id, str(look.window.timeframe)): look.window.last_closed_at for look in looks}
    rows = ForecastModel.objects.filter(
        instrument_id__in={instrument_id for instrument_id, _ in ends},
        timeframe__in={timeframe for _, timeframe in ends},
        horizon_bars__in=horizons,
        status=ModelStatus.CHAMPION,
    )
    found = rows.only("id", "instrument_id", "timeframe", "horizon_bars", "learner", "version", "trained_through")
    return {
        (row.instrument_id, row.timeframe, row.horizon_bars): row
        for row in found
        if (end := ends.get((row.instrument_id, row.timeframe))) is not None and row.trained_through <= end
    }


def _known_forecasts(
    looks: Sequence[_Look], champions: dict[tuple[UUID, str, int], ForecastModel]
) -> dict[tuple[UUID, datetime], Forecast]:
    """What these models have already said of these bars."""
    if not champions:
        return {}
    rows = Forecast.objects.filter(
        model_id__in=[champion.id for champion in champions.values()], as_of__in={look.window.last_closed_at for look in looks}
    )
    return {(row.model_id, row.as_of): row for row in rows}


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


def _store_all(items: Sequence[_Unstored]) -> list[ForecastView]:
    """Insert the forecasts and their events together; where another process was first, its forecasts are the ones."""
    if not items:
        return []
    rows = [_row(item) for item in items]
    try:
        with transaction.atomic():
            Forecast.objects.bulk_create(rows)
            record_events([_announcement(item, row) for item, row in zip(items, rows, strict=True)])
    except IntegrityError as error:
        if "forecast_once" not in str(error):
            raise
        return [_store_alone(item) for item in items]
    return [forecast_view(row, item.champion) for item, row in zip(items, rows, strict=True)]


def _store_alone(item: _Unstored) -> ForecastView:
    row = _row(item)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            record_events([_announcement(item, row)])
    except IntegrityError as error:
        if "forecast_once" not in str(error):
            raise
        row = Forecast.objects.get(model_id=item.champion.id, as_of=row.as_of)
    return forecast_view(row, item.champion)


def _row(item: _Unstored) -> Forecast:
    outlook = item.outlook
    return Forecast(
        model_id=item.champion.id,
        instrument_id=item.look.window.instrument.id,
        horizon_bars=item.champion.horizon_bars,
        as_of=item.look.window.last_closed_at,
        expected_return=outlook.expected_return,
        lower=outlook.lower,
        upper=outlook.upper,
        coverage=outlook.coverage,
        probability_up=outlook.probability_up,
        confidence=outlook.confidence,
        trend=TRENDS[outlook.direction],
        features=item.look.features,
    )


def _announcement(item: _Unstored, row: Forecast) -> NewEvent:
    return NewEvent(
        ForecastUpdated(
            forecast_id=row.id,
            instrument_id=row.instrument_id,
            symbol=item.look.window.instrument.symbol,
            horizon_bars=row.horizon_bars,
            timeframe=str(item.look.window.timeframe),
            expected_return=row.expected_return,
            confidence=row.confidence,
            probability_up=row.probability_up,
            model=str(item.champion),
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
