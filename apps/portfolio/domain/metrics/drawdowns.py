"""Falls from a peak: depths are positive fractions of the peak, lengths are calendar days."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from apps.portfolio.domain.metrics.returns import annual_return
from apps.portfolio.domain.records import DailyValues, FloatArray


@dataclass(frozen=True)
class Drawdown:
    """One fall and its recovery, in days since 1970; `recovered` is None while equity is below the peak."""

    peak: int
    valley: int
    recovered: int | None
    depth: float
    last: int
    """The last day of the series, up to which a fall that lasts is counted."""

    @property
    def days(self) -> int:
        """From the peak until it was reached again, or until the last day."""
        return (self.last if self.recovered is None else self.recovered) - self.peak

    @property
    def days_to_recover(self) -> int | None:
        """From the valley until the peak was reached again."""
        return None if self.recovered is None else self.recovered - self.valley


def drawdown_series(equity: FloatArray) -> FloatArray:
    """Depth below the highest value so far, at each point; equity must be positive at the peak."""
    peaks = np.maximum.accumulate(equity)
    depths: FloatArray = (peaks - equity) / peaks
    return depths


def drawdowns(daily: DailyValues) -> list[Drawdown]:
    """Every fall from a peak, in time order; reaching the peak again ends it. Empty without two positive values."""
    if len(daily) < 2 or daily.values[0] <= 0:
        return []
    depths = drawdown_series(daily.values)
    edges = np.diff(np.concatenate(([0], (depths > 0).astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [_episode(daily, depths, int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _episode(daily: DailyValues, depths: FloatArray, start: int, end: int) -> Drawdown:
    valley = start + int(np.argmax(depths[start:end]))
    return Drawdown(
        peak=int(daily.days[start - 1]),
        valley=int(daily.days[valley]),
        recovered=int(daily.days[end]) if end < len(daily) else None,
        depth=float(depths[valley]),
        last=int(daily.days[-1]),
    )


def worst_drawdowns(daily: DailyValues, *, count: int = 10) -> list[Drawdown]:
    """The deepest falls, deepest first."""
    return sorted(drawdowns(daily), key=lambda fall: -fall.depth)[:count]


def max_drawdown(equity: FloatArray) -> float | None:
    """Largest fall from a peak, as a fraction of the peak."""
    if len(equity) < 2 or equity[0] <= 0:
        return None
    return float(drawdown_series(equity).max())


def average_drawdown(daily: DailyValues) -> float | None:
    """Mean depth of all falls, each counted once however long; 0 without any."""
    return _mean([fall.depth for fall in drawdowns(daily)]) if len(daily) > 1 else None


def longest_drawdown_days(daily: DailyValues) -> int | None:
    """Longest time below a peak; a fall that still lasts is counted up to the last day."""
    return max((fall.days for fall in drawdowns(daily)), default=0) if len(daily) > 1 else None


def average_drawdown_days(daily: DailyValues) -> float | None:
    """Mean time below a peak."""
    return _mean([fall.days for fall in drawdowns(daily)]) if len(daily) > 1 else None


def recovery_days(daily: DailyValues) -> int | None:
    """Days from the valley of the deepest fall until its peak was reached again; None without a fall or while it lasts."""
    worst = worst_drawdowns(daily, count=1)
    return worst[0].days_to_recover if worst else None


def ulcer_index(equity: FloatArray) -> float | None:
    """Root of the mean square of the depths of all days after the first, as a fraction."""
    if len(equity) < 2 or equity[0] <= 0:
        return None
    return math.sqrt(float(np.mean(drawdown_series(equity)[1:] ** 2)))


def calmar(equity: FloatArray, *, per_year: float) -> float | None:
    """Compound annual return over the largest fall of the whole time; None without a fall."""
    gained, lost = annual_return(equity, per_year=per_year), max_drawdown(equity)
    return gained / lost if gained is not None and lost else None


def _mean(values: list[float] | list[int]) -> float:
    return float(np.mean(values)) if values else 0.0
