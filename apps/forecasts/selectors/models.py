"""Models as pages see them: rows, never loaded learners."""

from __future__ import annotations

from uuid import UUID

from apps.core.errors import NotFound
from apps.forecasts.contracts import FeatureDescription, FeatureImportance, ModelDetail, ModelMetrics, ModelStatus, ModelSummary
from apps.forecasts.domain.features import FEATURES
from apps.forecasts.learners import BASELINE
from apps.forecasts.models import ForecastModel


def champions(venue_id: UUID) -> list[ModelSummary]:
    """The model in use for every instrument and horizon of the venue, by symbol and horizon."""
    rows = (
        ForecastModel.objects.filter(instrument__venue_id=venue_id, status=ModelStatus.CHAMPION)
        .select_related("instrument")
        .defer("artifact")
        .order_by("instrument__symbol", "horizon_bars")
    )
    return [_summary(row) for row in rows]


def model_detail(model_id: UUID) -> ModelDetail:
    """One model with its figures and what drives it; raises NotFound."""
    row = ForecastModel.objects.filter(id=model_id).select_related("instrument").defer("artifact").first()
    if row is None:
        raise NotFound(f"There is no model {model_id}.", where="model_id")
    shares = sorted(row.importance.items(), key=lambda item: (-item[1], item[0]))
    return ModelDetail(
        summary=_summary(row),
        training_run_id=row.training_run_id,
        dataset_hash=row.dataset_hash,
        seed=row.seed,
        parameters=row.parameters,
        coverage=row.calibration["coverage"],
        importance=tuple(FeatureImportance(name, _description(name), share) for name, share in shares),
    )


def feature_descriptions() -> dict[str, FeatureDescription]:
    """Every declared feature in words, by name."""
    return {name: FeatureDescription(name, item.inputs, item.look_back, item.unit, item.description) for name, item in FEATURES.items()}


def _description(name: str) -> str:
    return FEATURES[name].description if name in FEATURES else "No longer computed."


def _summary(row: ForecastModel) -> ModelSummary:
    return ModelSummary(
        id=row.id,
        instrument_id=row.instrument_id,
        symbol=row.instrument.symbol,
        timeframe=row.timeframe,
        horizon_bars=row.horizon_bars,
        learner=row.learner,
        label=str(row),
        version=row.version,
        status=ModelStatus(row.status),
        status_reason=row.status_reason,
        is_tradable=row.learner != BASELINE,
        trained_from=row.trained_from,
        trained_through=row.trained_through,
        rows=row.rows,
        metrics=ModelMetrics(**row.metrics | {"fold_skill": tuple(row.metrics["fold_skill"])}),
        created_at=row.created_at,
    )
