"""Performance figures from daily equity and closed trades; None where there is too little to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEAST_DAYS = 20
"""Fewer daily returns than this say nothing about a year."""
TRADING_DAYS = 252.0
CALENDAR_DAYS = 365.0
_SATURDAY = 5


def days_per_year(days: Sequence[date]) -> float:
    """365 where weekends trade, 252 where they do not."""
    return CALENDAR_DAYS if any(day.weekday() >= _SATURDAY for day in days) else TRADING_DAYS


def daily_returns(equity: FloatArray) -> FloatArray:
    """Simple returns between consecutive values; empty if a value is not a positive number."""
    if len(equity) < 2 or not np.all(np.isfinite(equity)) or np.any(equity <= 0):
        return np.empty(0)
    returns: FloatArray = equity[1:] / equity[:-1] - 1.0
    return returns


def annual_return(equity: FloatArray, *, per_year: float) -> float | None:
    """Compound return a year."""
    returns = daily_returns(equity)
    if len(returns) < LEAST_DAYS:
        return None
    return float((equity[-1] / equity[0]) ** (per_year / len(returns)) - 1.0)


def volatility(equity: FloatArray, *, per_year: float) -> float | None:
    """Standard deviation of daily returns (one degree of freedom), a year."""
    returns = daily_returns(equity)
    if len(returns) < LEAST_DAYS:
        return None
    return float(returns.std(ddof=1) * math.sqrt(per_year))


def sharpe(equity: FloatArray, *, per_year: float) -> float | None:
    """Mean over standard deviation of daily returns, a year, against cash at zero; None where nothing moved."""
    returns = daily_returns(equity)
    if len(returns) < LEAST_DAYS:
        return None
    deviation = float(returns.std(ddof=1))
    return float(returns.mean() / deviation * math.sqrt(per_year)) if deviation > 0 else None


def max_drawdown(equity: FloatArray) -> float | None:
    """Largest fall from a peak, as a fraction of the peak."""
    if len(equity) < 2:
        return None
    peaks = np.maximum.accumulate(equity)
    return float(((peaks - equity) / peaks).max())


def win_rate(results: FloatArray) -> float | None:
    """Part of the trades that made money."""
    return float((results > 0).mean()) if len(results) else None


def profit_factor(results: FloatArray) -> float | None:
    """Money won over money lost; None while nothing was lost."""
    lost = float(-results[results < 0].sum())
    return float(results[results > 0].sum()) / lost if lost > 0 else None
