"""The figures that rank the points of a sweep, from an equity array in place."""

from __future__ import annotations

import math
from typing import Any

from apps.core.kernel import kernel, unsigned
from apps.portfolio.domain.metrics_nb import M_COLUMNS, M_FINAL, M_MAX_DRAWDOWN, M_TOTAL_RETURN, OK, TOO_SHORT, measure_days

_BLOCK = 64
"""Bars looked at together: without a new peak among them, only their lowest matters."""


@kernel("i8(i8[::1], i8[::1], f8, f8[::1])")
def measure_point(equity: Any, day_ends: Any, per_year: float, out: Any) -> int:
    """`measure_equity` without the moments of single bars: final equity, return, drawdown over all bars, and the figures of daily returns."""
    for column in range(M_COLUMNS):
        out[column] = math.nan
    bars = equity.shape[0]
    if bars < 2:
        return TOO_SHORT
    peak = trough = equity[0]
    worst = 0.0
    bar = 1
    while bar < bars:
        if bar + _BLOCK <= bars:
            highest = lowest = equity[unsigned(bar)]
            for index in range(1, _BLOCK):
                value = equity[unsigned(bar) + unsigned(index)]
                highest, lowest = max(highest, value), min(lowest, value)
            if highest <= peak:
                trough = min(trough, lowest)
                bar += _BLOCK
                continue
        end = min(bar + _BLOCK, bars)
        while bar < end:
            value = equity[unsigned(bar)]
            if value > peak:
                if trough < peak:
                    worst = max(worst, (peak - trough) / float(peak)) if peak > 0 else worst
                peak = trough = value
            elif value < trough:
                trough = value
            bar += 1
    if trough < peak and peak > 0:
        worst = max(worst, (peak - trough) / float(peak))
    out[M_FINAL] = float(equity[bars - 1])
    if equity[0] <= 0:
        return OK
    out[M_TOTAL_RETURN] = equity[bars - 1] / float(equity[0]) - 1.0
    out[M_MAX_DRAWDOWN] = worst
    for index in range(day_ends.shape[0]):
        if equity[day_ends[index]] <= 0:
            return OK
    return measure_days(equity, day_ends, per_year, out)
