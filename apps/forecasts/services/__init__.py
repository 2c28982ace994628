"""Writes of forecasts: requesting and running trainings, making forecasts, and what Beat asks for."""

from apps.forecasts.services.forecasting import forecast, forecast_horizons, forecast_windows
from apps.forecasts.services.requests import request_training
from apps.forecasts.services.schedule import retrain_due, sweep_training, train_venue
from apps.forecasts.services.training import run_training

__all__ = [
    "forecast",
    "forecast_horizons",
    "forecast_windows",
    "request_training",
    "retrain_due",
    "run_training",
    "sweep_training",
    "train_venue",
]
