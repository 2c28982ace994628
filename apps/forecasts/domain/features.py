"""The features of a window: one code path for a whole history and for its last bar.

Every feature depends on a fixed number of bars (`look_back`), in exact arithmetic or in a fixed order of operations, so
`latest_features(window)` equals the last row of `compute_features(window)` to the bit, for any longer window that ends at the same bar.
"""

from __future__ import annotations

import numpy as np

from apps.forecasts.domain import calendar_features, oscillator_features, price_features, volatility_features
from apps.forecasts.domain.registry import FEATURES, Feature
from apps.forecasts.domain.series import FloatArray, Series
from apps.markets.contracts import BarWindow

__all__ = ["FEATURES", "FEATURE_MODULES", "WARMUP_BARS", "Feature", "compute_features", "latest_features"]

FEATURE_MODULES = (price_features, oscillator_features, volatility_features, calendar_features)
"""The files that declare features. A new one is imported here."""

WARMUP_BARS = max(item.look_back for item in FEATURES.values())
"""Bars after which every feature of the last bar is known."""


def compute_features(window: BarWindow) -> dict[str, FloatArray]:
    """Every feature at every bar, NaN during its warm-up. The bars must have passed `bar_problem`; prices that are not positive give NaN."""
    if len(window) == 0:
        return {name: np.empty(0) for name in FEATURES}
    series = Series(window)
    result: dict[str, FloatArray] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, item in FEATURES.items():
            values = item.compute(series)
            values[: item.warm_up] = np.nan
            result[name] = values
    return result


def latest_features(window: BarWindow) -> dict[str, float]:
    """Every feature at the last bar, from the newest `WARMUP_BARS` bars alone; NaN where the window is too short. Empty for no bars."""
    if len(window) == 0:
        return {}
    return {name: float(values[-1]) for name, values in compute_features(window.last(WARMUP_BARS)).items()}
