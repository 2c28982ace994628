"""A window's columns in the forms that features need, each computed once.

Rolling sums run over int64, where addition is exact and a cumulative sum may wrap without harm: the difference of two wrapped sums is the
true window sum whenever that fits 64 bits. A float cumulative sum would carry rounding from bars long gone and make the last bar's value
depend on where the window began.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from apps.markets.contracts import BarWindow

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
A = TypeVar("A", bound=np.generic)

LOG_UNIT = 1e-7
"""Size of one unit of a quantised logarithm (a thousandth of a basis point): 60-bar second moments stay far inside int64."""
_LARGEST_LOG_RETURN = 5.0


class Series:
    """The columns of one window, oldest first. Prices are floats of whole price units (exact below 2^53)."""

    def __init__(self, window: BarWindow) -> None:
        self.window = window
        self._shared: dict[tuple[object, ...], npt.NDArray[Any]] = {}

    def shared(self, compute: Callable[..., npt.NDArray[A]], *arguments: int) -> npt.NDArray[A]:
        """`compute(self, *arguments)`, once per window, read-only: several features build on it."""
        key = (compute, *arguments)
        if key not in self._shared:
            values = compute(self, *arguments)
            values.flags.writeable = False
            self._shared[key] = values
        return self._shared[key]

    def __len__(self) -> int:
        return len(self.window)

    @cached_property
    def open(self) -> FloatArray:
        return self.window.open.astype(np.float64)

    @cached_property
    def high(self) -> FloatArray:
        return self.window.high.astype(np.float64)

    @cached_property
    def low(self) -> FloatArray:
        return self.window.low.astype(np.float64)

    @cached_property
    def close(self) -> FloatArray:
        return self.window.close.astype(np.float64)

    @cached_property
    def log_close(self) -> FloatArray:
        """Logarithm of the close in whole units of `LOG_UNIT`, as floats."""
        return np.rint(np.log(self.close) / LOG_UNIT)

    @cached_property
    def log_returns(self) -> Int64Array:
        """One-bar log returns in units of `LOG_UNIT`; 0 for the first bar."""
        limit = _LARGEST_LOG_RETURN / LOG_UNIT
        result = np.zeros(len(self), np.int64)
        result[1:] = np.clip(np.diff(self.log_close), -limit, limit).astype(np.int64)
        return result

    @cached_property
    def close_changes(self) -> Int64Array:
        """Close less the close before, in price units; 0 for the first bar."""
        return changes(self.window.close)

    @cached_property
    def true_range(self) -> Int64Array:
        """Largest of high-low, |high-close before|, |low-close before|, in price units; high-low for the first bar."""
        before = previous(self.window.close)
        return np.maximum(self.window.high, before) - np.minimum(self.window.low, before)

    @cached_property
    def opened_days(self) -> npt.NDArray[np.datetime64]:
        """The UTC time at which each bar opened."""
        return self.window.opened_at.astype("datetime64[us]")


def previous(values: Int64Array) -> Int64Array:
    """Each value's predecessor; the first is its own."""
    result = values.copy()
    result[1:] = values[:-1]
    return result


def changes(values: Int64Array) -> Int64Array:
    """Each value less its predecessor; 0 for the first."""
    return values - previous(values)


def rolling_sum(values: Int64Array, bars: int) -> Int64Array:
    """Exact sum of the last `bars` values at each bar; 0 where there are not yet so many."""
    result = np.zeros(len(values), np.int64)
    if len(values) < bars:
        return result
    total = np.cumsum(values)
    result[bars - 1] = total[bars - 1]
    result[bars:] = total[bars:] - total[:-bars]
    return result


def rolling_deviation(values: Int64Array, bars: int) -> FloatArray:
    """Population standard deviation of the last `bars` values, from exact integer moments; 0 for a constant stretch."""
    squares = rolling_sum(values * values, bars)
    total = rolling_sum(values, bars)
    return np.sqrt((bars * squares - total * total).astype(np.float64)) / bars


def filtered(values: FloatArray, weights: FloatArray, *, block: int = 8192) -> FloatArray:
    """Sum of `weights[k] * values[t-k]`, oldest weight last; NaN where a weight would reach before the first value.

    The taps are added one after another in a fixed order, so a value has the same bits in a short and in a long window
    (a matrix product would let the library choose its order by the shape).
    """
    taps = len(weights)
    result = np.full(len(values), np.nan)
    for start in range(taps - 1, len(values), block):
        stop = min(start + block, len(values))
        total = values[start:stop] * weights[0]
        scratch = np.empty_like(total)
        for lag in range(1, taps):
            np.multiply(values[start - lag : stop - lag], weights[lag], out=scratch)
            total += scratch
        result[start:stop] = total
    return result


def lagged(values: FloatArray, bars: int) -> FloatArray:
    """The value `bars` earlier; NaN where there is none."""
    result = np.full(len(values), np.nan)
    result[bars:] = values[: max(len(values) - bars, 0)]
    return result


def ratio(numerator: FloatArray, denominator: FloatArray, *, otherwise: float) -> FloatArray:
    """`numerator / denominator`, and `otherwise` where the denominator is zero."""
    result = np.full(len(numerator), otherwise)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result
