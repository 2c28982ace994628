"""Stored forecasts."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import OuterRef, Subquery

from apps.core.errors import NotFound
from apps.forecasts.contracts import ForecastView, ModelStatus, Trend
from apps.forecasts.learners import BASELINE
from apps.forecasts.models import Forecast, ForecastModel


def forecast_by_id(forecast_id: UUID) -> ForecastView:
    """One forecast with its features; raises NotFound."""
    row = Forecast.objects.select_related("model").defer("model__artifact").filter(id=forecast_id).first()
    if row is None:
        raise NotFound(f"There is no forecast {forecast_id}.", where="forecast_id")
    return forecast_view(row, row.model)


def forecasts_by_id(ids: Collection[UUID]) -> dict[UUID, ForecastView]:
    """Many forecasts at once, with their features; ids that are not there are left out."""
    rows = Forecast.objects.filter(id__in=set(ids)).select_related("model").defer("model__artifact")
    return {row.id: forecast_view(row, row.model) for row in rows}


def latest_forecasts(venue_id: UUID) -> list[ForecastView]:
    """The newest forecast of every instrument and horizon of the venue that has a model in use, by symbol and horizon."""
    newest = Forecast.objects.filter(instrument_id=OuterRef("instrument_id"), horizon_bars=OuterRef("horizon_bars")).order_by(
        "-as_of", "-created_at"
    )
    in_use = ForecastModel.objects.filter(instrument__venue_id=venue_id, status=ModelStatus.CHAMPION)
    ids = in_use.annotate(newest_id=Subquery(newest.values("id")[:1])).values_list("newest_id", flat=True)
    rows = (
        Forecast.objects.filter(id__in=[item for item in ids if item is not None])
        .select_related("model")
        .defer("model__artifact")
        .order_by("instrument__symbol", "horizon_bars")
    )
    return [forecast_view(row, row.model) for row in rows]


def forecasts_for_instrument(instrument_id: UUID, *, horizon_bars: int, limit: int = 250) -> list[ForecastView]:
    """The newest forecasts of an instrument and horizon, oldest first, without their features (for cones on a chart)."""
    rows = (
        Forecast.objects.filter(instrument_id=instrument_id, horizon_bars=horizon_bars)
        .select_related("model")
        .defer("model__artifact", "features")
        .order_by("-as_of", "-created_at")[:limit]
    )
    return [forecast_view(row, row.model, with_features=False) for row in reversed(rows)]


def forecast_view(row: Forecast, model: ForecastModel, *, with_features: bool = True) -> ForecastView:
    """A row as its view; the model is passed in so that no query hides here."""
    return ForecastView(
        id=row.id,
        instrument_id=row.instrument_id,
        horizon_bars=row.horizon_bars,
        as_of=row.as_of,
        model_id=model.id,
        model_label=str(model),
        learner=model.learner,
        expected_return=row.expected_return,
        lower=row.lower,
        upper=row.upper,
        coverage=row.coverage,
        probability_up=row.probability_up,
        confidence=row.confidence,
        trend=Trend(row.trend),
        is_tradable=model.learner != BASELINE,
        features=row.features if with_features else {},
    )
