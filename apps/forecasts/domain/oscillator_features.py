"""Oscillators and trend strength. Averages are plain windows (Cutler's RSI, mean true range) or a fixed number of weights, never endless
recursions: what a value depends on is then a known number of bars, and the last bar alone gives the same bits as the whole history."""

from __future__ import annotations

import numpy as np
import talib

from apps.forecasts.domain.registry import Feature, declare
from apps.forecasts.domain.series import FloatArray, Series, changes, filtered, ratio, rolling_sum

_PERIOD = 14
_AROON_BARS = 25
_FAST, _SLOW, _SIGNAL = 12, 26, 9
MACD_TAPS = 120
"""Bars that the MACD histogram sees: the weight of everything older is below 10^-4."""
_DX_UNIT = 1e-6


def exponential_weights(period: int, taps: int) -> FloatArray:
    """Weights of an exponential average, newest first, cut after `taps` bars and summing to one."""
    decay = 1.0 - 2.0 / (period + 1)
    weights = decay ** np.arange(taps, dtype=np.float64)
    normalised: FloatArray = weights / weights.sum()
    return normalised


def macd_weights() -> FloatArray:
    """The MACD histogram as one set of weights on closes: (1 - signal average) of (fast average - slow average). Sums to zero."""
    line = exponential_weights(_FAST, MACD_TAPS) - exponential_weights(_SLOW, MACD_TAPS)
    weights = line - np.convolve(exponential_weights(_SIGNAL, MACD_TAPS), line)[:MACD_TAPS]
    balanced: FloatArray = weights - weights.mean()
    return balanced


_MACD_WEIGHTS = macd_weights()


def rsi(series: Series) -> FloatArray:
    gains = rolling_sum(np.maximum(series.close_changes, 0), _PERIOD).astype(np.float64)
    moves = rolling_sum(np.abs(series.close_changes), _PERIOD).astype(np.float64)
    return 100.0 * ratio(gains, moves, otherwise=0.5)


def macd_histogram(series: Series) -> FloatArray:
    return filtered(series.close, _MACD_WEIGHTS) / series.close


def relative_true_range(series: Series) -> FloatArray:
    return rolling_sum(series.true_range, _PERIOD).astype(np.float64) / (_PERIOD * series.close)


def _signed_movement(series: Series) -> FloatArray:
    """(up - down) / (up + down) of directional movement over the period, -100 to 100; 0 where nothing moved."""
    up, down = changes(series.window.high), -changes(series.window.low)
    rises = rolling_sum(np.where((up > down) & (up > 0), up, 0), _PERIOD)
    falls = rolling_sum(np.where((down > up) & (down > 0), down, 0), _PERIOD)
    return 100.0 * ratio((rises - falls).astype(np.float64), (rises + falls).astype(np.float64), otherwise=0.0)


def direction(series: Series) -> FloatArray:
    return series.shared(_signed_movement).copy()


def trend_strength(series: Series) -> FloatArray:
    """The mean of |signed movement|, summed as whole millionths."""
    units = np.rint(np.abs(series.shared(_signed_movement)) / _DX_UNIT).astype(np.int64)
    return rolling_sum(units, _PERIOD).astype(np.float64) * (_DX_UNIT / _PERIOD)


def aroon(series: Series) -> FloatArray:
    result: FloatArray = talib.AROONOSC(series.high, series.low, _AROON_BARS)
    return result


declare(Feature("rsi_14", ("close",), _PERIOD + 1, "0 to 100", "Relative strength over 14 bars (simple averages): gains as a share of all moves; 50 where nothing moved.", rsi))  # fmt: skip
declare(Feature("macd_histogram", ("close",), MACD_TAPS, "fraction of price", "MACD (12, 26) less its signal line (9), relative to the price: whether the trend is gaining or losing pace.", macd_histogram))  # fmt: skip
declare(Feature("atr_14", ("high", "low", "close"), _PERIOD + 1, "fraction of price", "The mean true range of 14 bars, relative to the price: how far a bar usually travels.", relative_true_range))  # fmt: skip
declare(Feature("direction_14", ("high", "low"), _PERIOD + 1, "-100 to 100", "Upward less downward directional movement over 14 bars, as a share of both.", direction))  # fmt: skip
declare(Feature("adx_14", ("high", "low"), 2 * _PERIOD, "0 to 100", "How strong the trend is, up or down: the mean size of directional movement over 14 bars.", trend_strength))  # fmt: skip
declare(Feature("aroon_25", ("high", "low"), _AROON_BARS + 1, "-100 to 100", "Whether the newest 25-bar high (+) or low (-) is more recent.", aroon))  # fmt: skip
