"""How much prices and volumes vary. Moments are exact integers of quantised logarithms."""

from __future__ import annotations

from functools import partial

import numpy as np

from apps.forecasts.domain.registry import Feature, declare
from apps.forecasts.domain.series import LOG_UNIT, FloatArray, Int64Array, Series, ratio, rolling_deviation, rolling_sum

SHORT_BARS, LONG_BARS = 20, 60
_VOLUME_BARS = 20
_VOLUME_SHORT_BARS = 5
_VOLUME_LOG_UNIT = 1e-6


def _deviation(series: Series, bars: int) -> FloatArray:
    return rolling_deviation(series.log_returns, bars) * LOG_UNIT


def _log_volume(series: Series) -> Int64Array:
    return np.rint(np.log1p(series.window.volume.astype(np.float64)) / _VOLUME_LOG_UNIT).astype(np.int64)


def _mean_log_volume(series: Series, bars: int) -> FloatArray:
    return rolling_sum(series.shared(_log_volume), bars).astype(np.float64) / bars


def volatility(series: Series, *, bars: int) -> FloatArray:
    """Standard deviation of one-bar log returns."""
    return series.shared(_deviation, bars).copy()


def volatility_ratio(series: Series) -> FloatArray:
    return ratio(series.shared(_deviation, SHORT_BARS), series.shared(_deviation, LONG_BARS), otherwise=1.0)


def volume_score(series: Series) -> FloatArray:
    """Deviations of the bar's log volume from its mean; 0 where volume does not vary (or is not known)."""
    logs = series.shared(_log_volume)
    mean = series.shared(_mean_log_volume, _VOLUME_BARS)
    return ratio(logs - mean, rolling_deviation(logs, _VOLUME_BARS), otherwise=0.0)


def volume_trend(series: Series) -> FloatArray:
    short, long = series.shared(_mean_log_volume, _VOLUME_SHORT_BARS), series.shared(_mean_log_volume, _VOLUME_BARS)
    return (short - long) * _VOLUME_LOG_UNIT


for _bars in (SHORT_BARS, LONG_BARS):
    declare(Feature(f"volatility_{_bars}", ("close",), _bars + 1, "standard deviation per bar", f"How much one-bar returns varied over the last {_bars} bars.", partial(volatility, bars=_bars)))  # fmt: skip
declare(Feature("volatility_ratio", ("close",), LONG_BARS + 1, "ratio", "Volatility of 20 bars relative to 60: above 1 the market has become rougher.", volatility_ratio))  # fmt: skip
declare(Feature("volume_score_20", ("volume",), _VOLUME_BARS, "standard deviations", "How unusual the bar's volume is against the last 20 bars; 0 where the source has no volume.", volume_score, "volume"))  # fmt: skip
declare(Feature("volume_trend", ("volume",), _VOLUME_BARS, "log ratio", "Volume of the last 5 bars against the last 20; 0 where the source has no volume.", volume_trend, "volume"))  # fmt: skip
