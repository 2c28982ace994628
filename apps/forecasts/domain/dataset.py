"""The rows a model is trained on: features, label and scale of every bar where all are known."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt

import numpy as np

from apps.forecasts.domain.features import FEATURES, compute_features
from apps.forecasts.domain.labels import forward_log_return
from apps.forecasts.domain.series import FloatArray, Int64Array
from apps.markets.contracts import BarWindow

MINIMUM_ROWS = 300
"""Fewer labelled rows than this train nothing: a fold would hold less than two months of daily bars."""
_SMALLEST_SCALE = 1e-6


@dataclass(frozen=True)
class Dataset:
    """Rows in time order. `scales` is the return that one standard deviation over the horizon would be, as known at the row's bar."""

    horizon_bars: int
    names: tuple[str, ...]
    features: FloatArray
    labels: FloatArray
    scales: FloatArray
    closed_at: Int64Array

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, start: int, stop: int) -> Dataset:
        """The rows [start, stop)."""
        cut = slice(start, stop)
        return Dataset(self.horizon_bars, self.names, self.features[cut], self.labels[cut], self.scales[cut], self.closed_at[cut])

    @property
    def first_closed_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.closed_at[0]) / 1_000_000, UTC)

    def content_hash(self) -> str:
        """Hash of the very bytes that training sees, and of the columns' names."""
        digest = hashlib.blake2b(f"{self.horizon_bars}|{'|'.join(self.names)}".encode(), digest_size=32)
        for values in (self.features, self.labels, self.scales, self.closed_at):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


def return_scale(volatility_20: FloatArray, volatility_60: FloatArray, horizon_bars: int) -> FloatArray:
    """The expected size of the return over the horizon: recent volatility, but never far below the longer one's, times the root of time."""
    floor = np.maximum(volatility_60 / 4, _SMALLEST_SCALE)
    scales: FloatArray = np.maximum(volatility_20, floor) * sqrt(horizon_bars)
    return scales


def row_scale(features: dict[str, float], horizon_bars: int) -> float:
    """`return_scale` of one bar."""
    short, long = np.array([features["volatility_20"]]), np.array([features["volatility_60"]])
    return float(return_scale(short, long, horizon_bars)[0])


def feature_matrix(features: dict[str, FloatArray]) -> FloatArray:
    """Features as columns, in the registry's order."""
    return np.ascontiguousarray(np.column_stack([features[name] for name in FEATURES]))


def build_dataset(window: BarWindow, features: dict[str, FloatArray], horizon_bars: int) -> Dataset:
    """Rows of `window` whose features and label are all finite; bars that are not yet labelled or still warm up are left out."""
    matrix = feature_matrix(features)
    labels = forward_log_return(window, horizon_bars)
    scales = return_scale(features["volatility_20"], features["volatility_60"], horizon_bars)
    known = np.isfinite(matrix).all(axis=1) & np.isfinite(labels)
    return Dataset(horizon_bars, tuple(FEATURES), matrix[known], labels[known], scales[known], window.closed_at[known])


def build_datasets(window: BarWindow, horizons: tuple[int, ...]) -> dict[int, Dataset]:
    """One dataset per horizon from one computation of the features."""
    features = compute_features(window)
    return {horizon: build_dataset(window, features, horizon) for horizon in horizons}
