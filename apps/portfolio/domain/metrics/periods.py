"""Returns by calendar month and year, and Sharpe ratios of a moving window."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from apps.portfolio.domain.metrics.drawdowns import max_drawdown
from apps.portfolio.domain.metrics.returns import NOISE, daily_rate, daily_returns
from apps.portfolio.domain.records import DAY_MICROS, DailyValues, FloatArray, Int64Array

_MONTHS = 12


def monthly_table(daily: DailyValues) -> list[dict[str, Any]]:
    """A row per year: {year, months (twelve returns, None where there is no day), total}.

    A month's return is its last value over the last value before the month; the first month's is over the first value.
    """
    by_month = _period_returns(daily, _months(daily))
    by_year = _period_returns(daily, _months(daily) // _MONTHS)
    return [
        {
            "year": 1970 + year,
            "months": [by_month.get(year * _MONTHS + month) for month in range(_MONTHS)],
            "total": total,
        }
        for year, total in by_year.items()
    ]


def yearly_table(daily: DailyValues, benchmark: DailyValues | None = None) -> list[dict[str, Any]]:
    """A row per year: {year, return, benchmark (its return or None), max_drawdown (within the year, from its opening value)}."""
    years = _months(daily) // _MONTHS
    compared = _period_returns(benchmark, _months(benchmark) // _MONTHS) if benchmark is not None else {}
    return [
        {
            "year": 1970 + year,
            "return": total,
            "benchmark": compared.get(year),
            "max_drawdown": max_drawdown(_with_opening(daily.values, years == year)),
        }
        for year, total in _period_returns(daily, years).items()
    ]


def rolling_sharpe(daily: DailyValues, *, window: int, per_year: float, risk_free: float = 0.0) -> tuple[Int64Array, FloatArray]:
    """Times (microseconds) and Sharpe ratios of each `window` days; a window in which nothing moved is left out."""
    returns = daily_returns(daily.values)
    if len(returns) < window:
        return np.empty(0, np.int64), np.empty(0)
    windows = np.lib.stride_tricks.sliding_window_view(returns - daily_rate(risk_free, per_year=per_year), window)
    deviations = windows.std(axis=1, ddof=1)
    moved = deviations > NOISE
    ratios: FloatArray = windows.mean(axis=1)[moved] / deviations[moved] * math.sqrt(per_year)
    return daily.days[window:][moved] * DAY_MICROS, ratios


def _months(daily: DailyValues) -> Int64Array:
    """Months since January 1970."""
    return daily.days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _period_returns(daily: DailyValues, periods: Int64Array) -> dict[int, float]:
    """Return of each period after the first value; the first value's own period is left out when it has no other day.

    NaN where a period begins at or below zero.
    """
    if len(daily) < 2:
        return {}
    is_last = np.append(periods[1:] != periods[:-1], True)
    closes = daily.values[is_last]
    opens = np.concatenate((daily.values[:1], closes[:-1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.where(opens > 0, closes / opens - 1.0, np.nan)
    totals = dict(zip(periods[is_last].tolist(), returns.tolist(), strict=True))
    if periods[0] != periods[1]:
        del totals[int(periods[0])]
    return totals


def _with_opening(values: FloatArray, chosen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    """The chosen stretch with the value before it."""
    first = int(np.argmax(chosen))
    return values[max(first - 1, 0) : first + int(chosen.sum())]
