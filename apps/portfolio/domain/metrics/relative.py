"""Figures beside a benchmark: daily returns on the days that both have. Alpha and beta come from one straight line, least squares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from apps.portfolio.domain.metrics.returns import LEAST_DAYS, NOISE, daily_rate, daily_returns
from apps.portfolio.domain.records import DailyValues, FloatArray


@dataclass(frozen=True, eq=False)
class Paired:
    """Daily returns of the account and of the benchmark, day for day."""

    own: FloatArray
    other: FloatArray

    @property
    def own_return(self) -> float:
        """The account's total return over these days."""
        return math.expm1(float(np.log1p(self.own).sum()))

    @property
    def other_return(self) -> float:
        """The benchmark's total return over these days."""
        return math.expm1(float(np.log1p(self.other).sum()))


def pair(own: DailyValues, other: DailyValues) -> Paired | None:
    """Returns between consecutive days that both have; None with fewer than 20, or where a value is not positive."""
    _, left, right = np.intersect1d(own.days, other.days, assume_unique=True, return_indices=True)
    paired = Paired(daily_returns(own.values[left]), daily_returns(other.values[right]))
    return paired if min(len(paired.own), len(paired.other)) >= LEAST_DAYS else None


def beta(paired: Paired) -> float | None:
    """Slope of own returns on the benchmark's (a constant risk-free rate does not change it); None if the benchmark never moved."""
    other = paired.other - paired.other.mean()
    if float(paired.other.std()) <= NOISE:
        return None
    return float(np.dot(paired.own - paired.own.mean(), other) / np.dot(other, other))


def alpha(paired: Paired, *, per_year: float, risk_free: float = 0.0) -> float | None:
    """Mean daily return above the risk-free rate that the benchmark does not explain, times the days of a year (not compounded)."""
    slope, rate = beta(paired), daily_rate(risk_free, per_year=per_year)
    if slope is None:
        return None
    return float((paired.own.mean() - rate - slope * (paired.other.mean() - rate)) * per_year)


def correlation(paired: Paired) -> float | None:
    """Pearson's correlation; None if either never moved."""
    if min(float(paired.own.std()), float(paired.other.std())) <= NOISE:
        return None
    return float(np.corrcoef(paired.own, paired.other)[0, 1])


def tracking_error(paired: Paired, *, per_year: float) -> float | None:
    """Standard deviation of the difference of daily returns (one degree of freedom), a year."""
    return float((paired.own - paired.other).std(ddof=1) * math.sqrt(per_year))


def information_ratio(paired: Paired, *, per_year: float) -> float | None:
    """Mean difference of daily returns over its standard deviation, a year; None where they never differ."""
    active = paired.own - paired.other
    deviation = float(active.std(ddof=1))
    return float(active.mean() / deviation * math.sqrt(per_year)) if deviation > NOISE else None


def up_capture(paired: Paired) -> float | None:
    """Geometric mean daily return over the benchmark's, on days on which the benchmark rose; None without such a day."""
    return _capture(paired, paired.other > 0)


def down_capture(paired: Paired) -> float | None:
    """Geometric mean daily return over the benchmark's, on days on which the benchmark fell; None without such a day."""
    return _capture(paired, paired.other < 0)


def _capture(paired: Paired, days: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float | None:
    if not days.any():
        return None
    own, other = (math.expm1(float(np.log1p(returns[days]).mean())) for returns in (paired.own, paired.other))
    return own / other
