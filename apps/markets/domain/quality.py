"""Checks that decide which bars may be used. Vectorised; a bar gets the first reason that applies and is then out of the other checks.

No check looks at a later bar unless `is_history` says that the series is complete and old: a replay and a live feed judge a bar by the past
alone. A crash is data, not an error, so a spike is only called one when it cannot be a market: from the past alone a price four times
or a quarter of the last, far outside what the series does; with hindsight a jump that the very next bar takes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from apps.markets.domain.bars import BoolArray, CandleBatch, FloatArray, Int64Array, RawBars, is_on_grid


class FaultReason(StrEnum):
    BACKWARDS = "BACKWARDS"
    DUPLICATE = "DUPLICATE"
    BAD_TIMES = "BAD_TIMES"
    NOT_FINITE = "NOT_FINITE"
    NOT_POSITIVE = "NOT_POSITIVE"
    HIGH_BELOW_LOW = "HIGH_BELOW_LOW"
    OUTSIDE_RANGE = "OUTSIDE_RANGE"
    NEGATIVE_VOLUME = "NEGATIVE_VOLUME"
    OFF_GRID = "OFF_GRID"
    TOO_LARGE = "TOO_LARGE"
    SPIKE = "SPIKE"


@dataclass(frozen=True)
class Fault:
    """A bar that must not be used: its place in the series, why, and the numbers in words."""

    index: int
    reason: FaultReason
    detail: str


@dataclass(frozen=True)
class Inspection:
    """Which bars are good, and what is wrong with the others."""

    good: BoolArray
    faults: tuple[Fault, ...]


LEVEL_JUMP = np.log(4.0)
"""From the past alone, a smaller move than this is never called a spike."""
HISTORY_JUMP = 0.25
"""With hindsight, a smaller move (log return) than this is never called a spike."""
SIGMAS = 12.0
TAKEN_BACK = 0.2
"""A jump counts as taken back if the next bar leaves less than this share of it."""
NEIGHBOURS = 60
_MAD_TO_SIGMA = 1.4826
_LEAST_NEIGHBOURS = 10


def inspect(bars: RawBars, *, price_scale: int, max_price: float, is_history: bool = False, before: FloatArray | None = None) -> Inspection:
    """Check a series in the order it came. `before` are closes of good bars just before it, oldest first, for the spike check."""
    finding = _Finding(bars)
    times = bars.opened_at
    running = np.maximum.accumulate(times) if len(times) else times
    earlier = np.concatenate([times[:1] - 1, running[:-1]]) if len(times) else times
    finding.mark(times < earlier, FaultReason.BACKWARDS, "opens before the bar that came before it")
    finding.mark(times == earlier, FaultReason.DUPLICATE, "opens at the same time as an earlier bar")
    finding.mark(bars.closed_at <= times, FaultReason.BAD_TIMES, "closes before it opens")
    prices = np.stack([bars.open, bars.high, bars.low, bars.close])
    finding.mark(~np.isfinite(prices).all(axis=0) | ~np.isfinite(bars.volume), FaultReason.NOT_FINITE, "a value is missing or not a number")
    finding.mark((prices <= 0).any(axis=0), FaultReason.NOT_POSITIVE, "a price is zero or negative")
    finding.mark(bars.high < bars.low, FaultReason.HIGH_BELOW_LOW, "the high is below the low")
    outside = (np.maximum(bars.open, bars.close) > bars.high) | (np.minimum(bars.open, bars.close) < bars.low)
    finding.mark(outside, FaultReason.OUTSIDE_RANGE, "the open or the close lies outside low to high")
    finding.mark(bars.volume < 0, FaultReason.NEGATIVE_VOLUME, "the volume is negative")
    finding.mark((prices > max_price).any(axis=0), FaultReason.TOO_LARGE, f"a price is above the instrument's maximum {max_price:g}")
    on_grid = np.stack([is_on_grid(row, price_scale) for row in prices]).all(axis=0)
    finding.mark(~on_grid, FaultReason.OFF_GRID, f"a price has more than {price_scale} decimal places")
    _mark_spikes(finding, is_history=is_history, before=before)
    return Inspection(finding.good, tuple(sorted(finding.faults, key=lambda fault: fault.index)))


class _Finding:
    """Collects faults; only bars that are still good are marked."""

    def __init__(self, bars: RawBars) -> None:
        self.bars = bars
        self.good: BoolArray = np.ones(len(bars), np.bool_)
        self.faults: list[Fault] = []

    def mark(self, is_bad: npt.NDArray[np.bool_] | np.bool_, reason: FaultReason, detail: str) -> None:
        for index in np.flatnonzero(is_bad & self.good).tolist():
            self.add(index, reason, detail)

    def add(self, index: int, reason: FaultReason, detail: str) -> None:
        self.good[index] = False
        bars = self.bars
        values = f"o={bars.open[index]:g} h={bars.high[index]:g} l={bars.low[index]:g} c={bars.close[index]:g} v={bars.volume[index]:g}"
        self.faults.append(Fault(index, reason, f"{detail} ({values})"))


def _mark_spikes(finding: _Finding, *, is_history: bool, before: FloatArray | None) -> None:
    places = np.flatnonzero(finding.good)
    past = np.empty(0) if before is None else before[-NEIGHBOURS - 1 :]
    logs = np.log(np.concatenate([past, finding.bars.close[places]]))
    returns = np.diff(logs)
    if len(returns) < _LEAST_NEIGHBOURS:
        return
    spikes = _taken_back(returns) if is_history else _level_jumps(logs, returns)
    for spike in spikes:
        place = spike - len(past)
        if place >= 0:
            factor = float(np.exp(returns[spike - 1]))
            finding.add(int(places[place]), FaultReason.SPIKE, f"the close is {factor:.3g} times the one before")


def _is_extreme(returns: FloatArray, at: int, *, is_history: bool) -> bool:
    """Whether the return at `at` is more than SIGMAS robust deviations from its neighbours (the past ones alone unless with hindsight)."""
    low, high = max(0, at - NEIGHBOURS), at + NEIGHBOURS // 2 if is_history else at
    neighbours = np.concatenate([returns[low:at], returns[at + 2 : high]])
    if len(neighbours) < _LEAST_NEIGHBOURS:
        return False
    centre = np.median(neighbours)
    sigma = _MAD_TO_SIGMA * np.median(np.abs(neighbours - centre))
    return bool(abs(returns[at] - centre) > SIGMAS * max(sigma, 1e-6))


def _taken_back(returns: FloatArray) -> list[int]:
    """With hindsight: closes (by index) that jump and come back at once."""
    left = np.abs(returns[:-1] + returns[1:])
    candidates = np.flatnonzero((np.abs(returns[:-1]) > HISTORY_JUMP) & (left < TAKEN_BACK * np.abs(returns[:-1])))
    found: list[int] = []
    for at in candidates.tolist():
        if (not found or found[-1] != at) and _is_extreme(returns, at, is_history=True):
            found.append(at + 1)
    return found


def _level_jumps(logs: FloatArray, returns: FloatArray) -> list[int]:
    """From the past alone: closes far from the last good one, until a second bar confirms the new level."""
    found: list[int] = []
    for at in np.flatnonzero(np.abs(returns) > LEVEL_JUMP).tolist():
        was_spike = bool(found) and found[-1] == at
        is_back = was_spike and abs(logs[at + 1] - logs[at - 1]) <= LEVEL_JUMP
        if not is_back and (was_spike or _is_extreme(returns, at, is_history=False)):
            found.append(at + 1)
    return found


@dataclass(frozen=True)
class Gap:
    """Bars that a calendar expects and the series lacks: opening times of the first and last one, and how many."""

    first_open: int
    last_open: int
    missing: int


def find_gaps(opened_at: Int64Array, expected: Int64Array) -> list[Gap]:
    """Runs of expected opening times (microseconds, ascending) that are missing between the first and the last bar of the series."""
    if not len(opened_at):
        return []
    inside = expected[(expected >= opened_at[0]) & (expected <= opened_at[-1])]
    is_missing = ~np.isin(inside, opened_at)
    places = np.flatnonzero(is_missing)
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(places) else []
    return [Gap(int(inside[run[0]]), int(inside[run[-1]]), len(run)) for run in runs]


def forward_fill(bars: CandleBatch, expected_opened: Int64Array, expected_closed: Int64Array, *, flag: int) -> CandleBatch:
    """The series with every expected bar that is missing inside it put in: the last close, no volume, marked with `flag`."""
    if not len(bars):
        return bars
    inside = (expected_opened > bars.opened_at[0]) & (expected_opened < bars.opened_at[-1])
    is_missing = inside & ~np.isin(expected_opened, bars.opened_at)
    opened, closed = expected_opened[is_missing], expected_closed[is_missing]
    last = bars.close[np.searchsorted(bars.opened_at, opened) - 1]
    filler = CandleBatch(opened, closed, last, last, last, last, np.zeros_like(last), np.full_like(last, flag))
    joined = CandleBatch.join([bars, filler])
    return joined.take(np.argsort(joined.opened_at, kind="stable"))
