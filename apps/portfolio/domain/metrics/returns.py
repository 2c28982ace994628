"""Figures of daily returns; None where there is too little to say.

Conventions, for every function here: returns are simple returns between consecutive days; `per_year` is the number of such days in a year
(252, or 365 where weekends trade); `risk_free` is a yearly rate, taken off each day as (1 + rate) ** (1 / per_year) - 1; means are
arithmetic and scaled by per_year, deviations by its square root; only annual and total return compound. Losses are positive numbers.
Standard deviations have one degree of freedom, downside deviation divides by all days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from apps.portfolio.domain.records import CALENDAR_DAYS, TRADING_DAYS, FloatArray

LEAST_DAYS = 20
"""Fewer daily returns than this say nothing about a year."""
NOISE = 1e-14
"""Deviations below this are rounding of the division that made the returns: nothing moved."""
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


def daily_rate(risk_free: float, *, per_year: float) -> float:
    """The yearly rate as a compound rate a day."""
    return float((1.0 + risk_free) ** (1.0 / per_year) - 1.0)


def total_return(equity: FloatArray) -> float | None:
    """Last over first, less one."""
    return float(equity[-1] / equity[0] - 1.0) if len(equity) > 1 and equity[0] > 0 else None


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


def downside_deviation(equity: FloatArray, *, per_year: float, risk_free: float = 0.0) -> float | None:
    """Root of the mean square of daily returns below the risk-free rate (others count as zero, all days divide), a year."""
    excess = _excess(equity, per_year, risk_free)
    return None if excess is None else _below(excess) * math.sqrt(per_year)


def sharpe(equity: FloatArray, *, per_year: float, risk_free: float = 0.0) -> float | None:
    """Mean over standard deviation of daily returns above the risk-free rate, a year; None where nothing moved."""
    excess = _excess(equity, per_year, risk_free)
    return None if excess is None else _scaled(excess.mean(), excess.std(ddof=1), per_year)


def sortino(equity: FloatArray, *, per_year: float, risk_free: float = 0.0) -> float | None:
    """Mean daily return above the risk-free rate over the downside deviation, a year; None without a day below it."""
    excess = _excess(equity, per_year, risk_free)
    return None if excess is None else _scaled(excess.mean(), _below(excess), per_year)


def omega(equity: FloatArray, *, per_year: float, risk_free: float = 0.0) -> float | None:
    """Sum of daily returns above the risk-free rate over the sum of those below; None without a day below."""
    excess = _excess(equity, per_year, risk_free)
    if excess is None:
        return None
    below = float(-excess[excess < 0].sum())
    return float(excess[excess > 0].sum()) / below if below > 0 else None


def value_at_risk(equity: FloatArray, *, level: float = 0.95) -> float | None:
    """Loss of a day that is not passed on `level` of all days: the historical quantile, interpolated; a fraction of equity.

    None with fewer days than one such loss needs (20 for 95 %, 100 for 99 %).
    """
    returns = _tail(equity, level)
    return None if returns is None else -float(np.quantile(returns, 1.0 - level))


def conditional_value_at_risk(equity: FloatArray, *, level: float = 0.95) -> float | None:
    """Mean loss of the days at or beyond the value at risk; a fraction of equity."""
    returns = _tail(equity, level)
    if returns is None:
        return None
    return -float(returns[returns <= np.quantile(returns, 1.0 - level)].mean())


def tail_ratio(equity: FloatArray) -> float | None:
    """The 95 % quantile of daily returns over the 5 % quantile, without signs; None where that is zero."""
    returns = daily_returns(equity)
    if len(returns) < LEAST_DAYS:
        return None
    low, high = np.quantile(returns, [0.05, 0.95])
    return float(abs(high / low)) if low != 0 else None


def skew(equity: FloatArray) -> float | None:
    """Third standardised moment of daily returns (population moments, no correction for small samples)."""
    return _moment(equity, 3)


def kurtosis(equity: FloatArray) -> float | None:
    """Fourth standardised moment of daily returns less 3 (population moments): 0 for a normal distribution."""
    moment = _moment(equity, 4)
    return None if moment is None else moment - 3.0


@dataclass(frozen=True)
class SharpeInputs:
    """What the probabilistic and the deflated Sharpe ratio are worked out from: nothing here is scaled to a year.

    `kurtosis` is the full fourth moment: 3 for a normal distribution.
    """

    sharpe: float
    returns: int
    skew: float
    kurtosis: float

    def chance_above(self, sharpe: float) -> float | None:
        """Probability that the true Sharpe ratio of a day is above `sharpe` (Bailey and López de Prado, 2012).

        None where skew and kurtosis leave no positive variance.
        """
        variance = 1.0 - self.skew * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2
        if variance <= 0:
            return None
        score = (self.sharpe - sharpe) * math.sqrt((self.returns - 1) / variance)
        return 0.5 * math.erfc(-score / math.sqrt(2.0))


def sharpe_inputs(equity: FloatArray, *, per_year: float, risk_free: float = 0.0) -> SharpeInputs | None:
    """Daily Sharpe ratio (one degree of freedom), number of returns and their population moments; None where nothing moved."""
    excess = _excess(equity, per_year, risk_free)
    third, fourth = skew(equity), kurtosis(equity)
    if excess is None or third is None or fourth is None:
        return None
    return SharpeInputs(float(excess.mean() / excess.std(ddof=1)), len(excess), third, fourth + 3.0)


def probabilistic_sharpe(equity: FloatArray, *, per_year: float, risk_free: float = 0.0) -> float | None:
    """Probability that the true Sharpe ratio is above zero."""
    inputs = sharpe_inputs(equity, per_year=per_year, risk_free=risk_free)
    return None if inputs is None else inputs.chance_above(0.0)


def _excess(equity: FloatArray, per_year: float, risk_free: float) -> FloatArray | None:
    returns = daily_returns(equity)
    return returns - daily_rate(risk_free, per_year=per_year) if len(returns) >= LEAST_DAYS else None


def _below(excess: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.minimum(excess, 0.0) ** 2)))


def _scaled(mean: float, deviation: float, per_year: float) -> float | None:
    return float(mean / deviation * math.sqrt(per_year)) if deviation > NOISE else None


def _tail(equity: FloatArray, level: float) -> FloatArray | None:
    returns = daily_returns(equity)
    return returns if len(returns) >= round(1.0 / (1.0 - level)) else None


def _moment(equity: FloatArray, order: int) -> float | None:
    returns = daily_returns(equity)
    if len(returns) < LEAST_DAYS:
        return None
    deviation = float(returns.std())
    return float(np.mean(((returns - returns.mean()) / deviation) ** order)) if deviation > NOISE else None
