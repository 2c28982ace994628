"""Returns, momentum and where the close stands: in its averages, its band, its range, its bar."""

from __future__ import annotations

from functools import partial

import numpy as np
import talib

from apps.forecasts.domain.registry import Feature, declare
from apps.forecasts.domain.series import LOG_UNIT, FloatArray, Series, lagged, previous, ratio, rolling_deviation, rolling_sum

RETURN_BARS = (1, 2, 5, 10, 20, 60)
AVERAGE_BARS = (20, 50, 200)
RANGE_BARS = (20, 120)
_BAND_BARS = 20
_BAND_WIDTH = 2.0
_MOMENTUM_BARS = 120
_MOMENTUM_SKIPS = 20


def log_return(series: Series, *, bars: int) -> FloatArray:
    return np.log(series.close / lagged(series.close, bars))


def momentum(series: Series) -> FloatArray:
    return np.log(lagged(series.close, _MOMENTUM_SKIPS) / lagged(series.close, _MOMENTUM_BARS))


def distance_to_average(series: Series, *, bars: int) -> FloatArray:
    average = rolling_sum(series.window.close, bars) / bars
    return ratio(series.close, average, otherwise=1.0) - 1.0


def band_position(series: Series) -> FloatArray:
    """0 at the lower band, 1 at the upper, 0.5 where prices stood still. On log prices, whose moments are exact integers."""
    units = series.log_close.astype(np.int64)
    deviation = rolling_deviation(units, _BAND_BARS)
    middle = rolling_sum(units, _BAND_BARS) / _BAND_BARS
    return 0.5 + ratio(units - middle, 2 * _BAND_WIDTH * deviation, otherwise=0.0)


def range_position(series: Series, *, bars: int) -> FloatArray:
    """0 at the lowest low, 1 at the highest high, 0.5 where the range is empty."""
    lowest = talib.MIN(series.low, bars)
    highest = talib.MAX(series.high, bars)
    return ratio(series.close - lowest, highest - lowest, otherwise=0.5)


def close_location(series: Series) -> FloatArray:
    result: FloatArray = talib.BOP(series.open, series.high, series.low, series.close)
    return result


def opening_gap(series: Series) -> FloatArray:
    return np.log(series.open / previous(series.window.close))


def trend_slope(series: Series) -> FloatArray:
    """TA-Lib sums each bar's window anew, so the value does not depend on where the series began."""
    slope: FloatArray = talib.LINEARREG_SLOPE(series.log_close, _BAND_BARS)
    return slope * LOG_UNIT


def _declare_moves() -> None:
    for bars in RETURN_BARS:
        declare(
            Feature(
                f"return_{bars}", ("close",), bars + 1, "log return",
                f"How much the price has changed over the last {bars} bar{'s' if bars > 1 else ''}.", partial(log_return, bars=bars),
            )
        )  # fmt: skip
    declare(
        Feature(
            "momentum_120_20", ("close",), _MOMENTUM_BARS + 1, "log return",
            "The price change from 120 to 20 bars ago: the longer trend without its newest month.", momentum,
        )
    )  # fmt: skip


def _declare_places() -> None:
    for bars in AVERAGE_BARS:
        declare(
            Feature(
                f"distance_sma_{bars}", ("close",), bars, "fraction",
                f"How far the close stands above (+) or below (-) its average of {bars} bars.", partial(distance_to_average, bars=bars),
            )
        )  # fmt: skip
    declare(
        Feature(
            "bollinger_position", ("close",), _BAND_BARS, "0 to 1 inside the band",
            "Where the close stands between the lower (0) and upper (1) Bollinger band of 20 bars and 2 deviations.", band_position,
        )
    )  # fmt: skip
    for bars in RANGE_BARS:
        declare(
            Feature(
                f"range_position_{bars}", ("high", "low", "close"), bars, "0 to 1",
                f"Where the close stands between the lowest low (0) and highest high (1) of {bars} bars.",
                partial(range_position, bars=bars),
            )
        )  # fmt: skip


def _declare_shapes() -> None:
    declare(
        Feature(
            "trend_slope_20", ("close",), _BAND_BARS, "log return per bar",
            "The slope of a straight line through the last 20 log prices.", trend_slope,
        )
    )  # fmt: skip
    declare(
        Feature(
            "close_location", ("open", "high", "low", "close"), 1, "-1 to 1",
            "How much of the bar's range the price won (+) or lost (-) from open to close.", close_location, "open, high and low",
        )
    )  # fmt: skip
    declare(
        Feature(
            "opening_gap", ("open", "close"), 2, "log return",
            "How far the bar opened from the close before; on closes-only data the whole bar's return.", opening_gap,
        )
    )  # fmt: skip


_declare_moves()
_declare_places()
_declare_shapes()
