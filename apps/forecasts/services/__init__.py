"""Writes of forecasts: requesting and running trainings, making forecasts, and what Beat asks for."""

from apps.forecasts.services.forecasting import forecast, forecast_horizons, forecast_windows
from apps.forecasts.services.rehearsing import Rehearsals, TrainedForecasts, recorded_moments, regular_moments
from apps.forecasts.services.requests import request_training
from apps.forecasts.services.schedule import retrain_due, sweep_training, train_venue
from apps.forecasts.services.training import run_training

__all__ = [
    "Rehearsals",
    "TrainedForecasts",
    "forecast",
    "forecast_horizons",
    "forecast_windows",
    "recorded_moments",
    "regular_moments",
    "request_training",
    "retrain_due",
    "run_training",
    "sweep_training",
    "train_venue",
]
