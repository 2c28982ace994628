"""The figures that rank the runs of a sweep, in one pass over an equity array in cash units; nothing is allocated.

Same conventions as `metrics.returns`: simple returns, one degree of freedom for the variance, downside over all returns, risk-free rate
zero. The mean of returns is summed relative to the first return, so that steady growth has no variance from rounding.
Deviations below NOISE are none; a ratio without a deviation, or of fewer than LEAST_DAYS daily returns, is NaN.
"""

from __future__ import annotations

import math
from typing import Any

from apps.core.kernel import kernel

OK = 0
NOT_POSITIVE = 1
"""Equity was zero or below: final equity, total return and drawdown stand, every figure of returns is NaN."""
TOO_SHORT = 2
"""Fewer than two values."""
BAD_DAYS = 3
"""`day_ends` does not rise within the array, or does not end with its last bar."""

LEAST_DAYS = 20
NOISE = 1e-14

# Columns of the row of results, float64.
(
    M_FINAL,
    M_TOTAL_RETURN,
    M_MAX_DRAWDOWN,
    M_BAR_MEAN,
    M_BAR_VARIANCE,
    M_BAR_DOWNSIDE,
    M_DAYS,
    M_DAY_MEAN,
    M_DAY_VARIANCE,
    M_DAY_DOWNSIDE,
    M_SHARPE,
    M_SORTINO,
) = range(12)
M_COLUMNS = 12


@kernel("i8(i8, f8, f8, f8, f8, f8[::1], i8)")
def write_moments(count: int, shift: float, total: float, squares: float, below: float, out: Any, column: int) -> int:
    """Mean, variance (one degree of freedom) and downside mean square into three columns, from sums relative to `shift`."""
    if count < 1:
        return TOO_SHORT
    out[column] = shift + total / count
    out[column + 2] = below / count
    if count > 1:
        out[column + 1] = max(squares - total * total / count, 0.0) / (count - 1)
    return OK


@kernel("f8(f8, f8, f8)")
def ratio(mean: float, square: float, per_year: float) -> float:
    """Mean over the root of `square`, a year; NaN without a deviation."""
    deviation = math.sqrt(square)
    if deviation <= NOISE:
        return math.nan
    return mean / deviation * math.sqrt(per_year)


@kernel("i8(i8[::1], f8[::1])")
def measure_bars(equity: Any, out: Any) -> int:
    """Fill the columns up to M_BAR_DOWNSIDE from `equity` (int64, at least two values); a status."""
    first = float(equity[0])
    peak = first
    lowest = first
    last = first
    worst = 0.0
    shift = equity[1] / first - 1.0 if first > 0.0 else 0.0
    total = 0.0
    squares = 0.0
    below = 0.0
    for bar in range(1, equity.shape[0]):
        value = float(equity[bar])
        gain = value / last - 1.0 if last > 0.0 else 0.0
        total += gain - shift
        squares += (gain - shift) * (gain - shift)
        loss = min(gain, 0.0)
        below += loss * loss
        peak = max(peak, value)
        lowest = min(lowest, value)
        if peak - value > worst * peak:
            worst = (peak - value) / peak
        last = value
    out[M_FINAL] = last
    if first > 0.0:
        out[M_TOTAL_RETURN] = last / first - 1.0
        out[M_MAX_DRAWDOWN] = worst
    if lowest <= 0.0:
        return NOT_POSITIVE
    write_moments(equity.shape[0] - 1, shift, total, squares, below, out, M_BAR_MEAN)
    return OK


@kernel("i8(i8[::1], i8[::1], f8, f8[::1])")
def measure_days(equity: Any, day_ends: Any, per_year: float, out: Any) -> int:
    """Fill the columns from M_DAYS on from the equity at the end of each day, which must be positive; a status."""
    previous = 0
    count = 0
    shift = 0.0
    total = 0.0
    squares = 0.0
    below = 0.0
    for day in range(day_ends.shape[0]):
        end = day_ends[day]
        if day == 0 and end == 0:
            continue
        if end <= previous or end >= equity.shape[0]:
            return BAD_DAYS
        gain = equity[end] / float(equity[previous]) - 1.0
        if count == 0:
            shift = gain
        total += gain - shift
        squares += (gain - shift) * (gain - shift)
        loss = min(gain, 0.0)
        below += loss * loss
        count += 1
        previous = end
    if previous != equity.shape[0] - 1:
        return BAD_DAYS
    out[M_DAYS] = count
    write_moments(count, shift, total, squares, below, out, M_DAY_MEAN)
    if count >= LEAST_DAYS:
        out[M_SHARPE] = ratio(out[M_DAY_MEAN], out[M_DAY_VARIANCE], per_year)
        out[M_SORTINO] = ratio(out[M_DAY_MEAN], out[M_DAY_DOWNSIDE], per_year)
    return OK


@kernel("i8(i8[::1], i8[::1], f8, f8[::1])")
def measure_equity(equity: Any, day_ends: Any, per_year: float, out: Any) -> int:
    """Fill `out` (float64, M_COLUMNS) from `equity` (int64); a status. What a status leaves out is NaN.

    `day_ends` (int64) holds the index of the last bar of each day, rising, the last being the last bar; the first bar is the start.
    Downside is the mean square of negative returns. Sharpe and Sortino are of daily returns, with `per_year` days in a year.
    """
    for column in range(M_COLUMNS):
        out[column] = math.nan
    if equity.shape[0] < 2:
        return TOO_SHORT
    status = measure_bars(equity, out)
    if status != OK:
        return status
    return measure_days(equity, day_ends, per_year, out)
