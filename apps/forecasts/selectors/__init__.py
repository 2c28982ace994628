"""Reads of forecasts. Nothing here imports a learner: pages see models by their rows."""

from apps.forecasts.selectors.forecasts import forecast_by_id, forecasts_by_id, forecasts_for_instrument, latest_forecasts
from apps.forecasts.selectors.models import champions, feature_descriptions, model_detail
from apps.forecasts.selectors.training import training_state

__all__ = [
    "champions",
    "feature_descriptions",
    "forecast_by_id",
    "forecasts_by_id",
    "forecasts_for_instrument",
    "latest_forecasts",
    "model_detail",
    "training_state",
]
