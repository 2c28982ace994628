"""The rows a model is trained on: features, label and scale of every bar where all are known."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
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
_FLOOR_SHARE = 0.25
"""A market that stands still for weeks does not become certain: no bar's scale is below this share of the mean."""


@dataclass(frozen=True)
class Dataset:
    """Rows in time order. `scales` is the return that one standard deviation over the horizon would be, as known at the row's bar,
    but at least `scale_floor`: a unit of measure, the same for every learner."""

    horizon_bars: int
    names: tuple[str, ...]
    features: FloatArray
    labels: FloatArray
    scales: FloatArray
    closed_at: Int64Array
    scale_floor: float

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, start: int, stop: int) -> Dataset:
        """The rows [start, stop)."""
        cut = slice(start, stop)
        return replace(self, features=self.features[cut], labels=self.labels[cut], scales=self.scales[cut], closed_at=self.closed_at[cut])

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
    scales: FloatArray = np.maximum(volatility_20, volatility_60 / 4) * sqrt(horizon_bars)
    return scales


def row_scale(features: dict[str, float], horizon_bars: int, *, floor: float) -> float:
    """`return_scale` of one bar, not below a dataset's `scale_floor`."""
    short, long = np.array([features["volatility_20"]]), np.array([features["volatility_60"]])
    return max(float(return_scale(short, long, horizon_bars)[0]), floor)


def feature_matrix(features: dict[str, FloatArray]) -> FloatArray:
    """Features as columns, in the registry's order."""
    return np.ascontiguousarray(np.column_stack([features[name] for name in FEATURES]))


def build_dataset(window: BarWindow, features: dict[str, FloatArray], horizon_bars: int) -> Dataset:
    """Rows of `window` whose features and label are all finite; bars that are not yet labelled or still warm up are left out."""
    matrix = feature_matrix(features)
    labels = forward_log_return(window, horizon_bars)
    scales = return_scale(features["volatility_20"], features["volatility_60"], horizon_bars)
    known = np.isfinite(matrix).all(axis=1) & np.isfinite(labels)
    floor = max(_FLOOR_SHARE * float(np.mean(scales[known])), _SMALLEST_SCALE) if known.any() else _SMALLEST_SCALE
    return Dataset(
        horizon_bars, tuple(FEATURES), matrix[known], labels[known], np.maximum(scales[known], floor), window.closed_at[known], floor
    )


def build_datasets(window: BarWindow, horizons: tuple[int, ...]) -> dict[int, Dataset]:
    """One dataset per horizon from one computation of the features."""
    features = compute_features(window)
    return {horizon: build_dataset(window, features, horizon) for horizon in horizons}
