"""Cutting a range of bars into training and testing windows, in time order.

Each window trains on bars that lie wholly before the bars it is tested on. Testing windows touch each other: every bar after the first
training window is out of sample exactly once. Between training and testing lie `purge + embargo` bars that belong to neither; they are
taken from the end of the training, so the testing windows still touch. In front of each range the warm-up bars are handed over as well:
indicators run over them, nothing trades in them, and they count in no result.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from apps.backtests.domain.returns import Int64Array
from apps.core.errors import InvalidInput

_MICROS_PER_DAY = 86_400_000_000


class Anchor(StrEnum):
    """ROLLING: the training window keeps its length and moves. ANCHORED: it begins at the first bar and grows."""

    ROLLING = "ROLLING"
    ANCHORED = "ANCHORED"


class CalendarUnit(StrEnum):
    """Periods of the UTC calendar; a week begins on Monday."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


@dataclass(frozen=True, order=True)
class BarRange:
    """Bars `start` (included) to `stop` (not included) of a series, counted from 0."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def slice(self) -> slice:
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class RunRange:
    """What one simulation gets: the bars that count, and the warm-up bars directly in front of them."""

    bars: BarRange
    warmup: BarRange


@dataclass(frozen=True)
class Window:
    """One step of a walk forward."""

    number: int
    train: RunRange
    test: RunRange


@dataclass(frozen=True)
class Gap:
    """Bars kept out between training and testing.

    `purge_bars`: as long as a trade may last, so that none begun in training is settled in testing. `embargo_bars`: further bars over
    which neighbouring returns still resemble each other.
    """

    purge_bars: int = 0
    embargo_bars: int = 0

    def __post_init__(self) -> None:
        if self.purge_bars < 0 or self.embargo_bars < 0:
            raise InvalidInput("Purge and embargo are not negative.", where="gap")

    @property
    def bars(self) -> int:
        return self.purge_bars + self.embargo_bars


def bar_windows(
    bars: int,
    *,
    train_bars: int,
    test_bars: int,
    warmup_bars: int = 0,
    anchor: Anchor = Anchor.ROLLING,
    gap: Gap = Gap(),
) -> tuple[Window, ...]:
    """Windows counted in bars. The first training begins after the warm-up; the last testing window may be shorter than the others.

    Raises InvalidInput when not even one bar can be tested.
    """
    if train_bars < 1 or test_bars < 1 or warmup_bars < 0:
        raise InvalidInput("Training and testing need at least one bar each, the warm-up is not negative.", where="train_bars")
    first_test = warmup_bars + train_bars + gap.bars
    if first_test >= bars:
        raise InvalidInput(
            f"{bars} bars leave nothing to test after {warmup_bars} of warm-up, {train_bars} of training and a gap of {gap.bars}.",
            where="train_bars",
            hint="Train on fewer bars or load more history.",
        )
    starts = range(first_test, bars, test_bars)
    tests = [BarRange(start, min(start + test_bars, bars)) for start in starts]
    trains = [_train(test, warmup_bars if anchor is Anchor.ANCHORED else test.start - gap.bars - train_bars, gap) for test in tests]
    return _windows(trains, tests, warmup_bars)


def calendar_windows(
    opened_at: Int64Array,
    *,
    unit: CalendarUnit,
    train_periods: int,
    test_periods: int,
    warmup_bars: int = 0,
    anchor: Anchor = Anchor.ROLLING,
    gap: Gap = Gap(),
) -> tuple[Window, ...]:
    """Windows whose borders are those of the UTC calendar; a bar belongs to the period in which it opened (microseconds since 1970).

    The first period is the one of the first bar, however much of it there is; the warm-up is taken from the first training. Periods
    without bars test nothing. Raises InvalidInput when no window has both training and testing bars, and where a hole in the data
    leaves a later one without training.
    """
    if train_periods < 1 or test_periods < 1 or warmup_bars < 0:
        raise InvalidInput("Training and testing need at least one period each, the warm-up is not negative.", where="train_periods")
    if len(opened_at) == 0 or (np.diff(opened_at) <= 0).any():
        raise InvalidInput("Windows need bars in strictly rising order of time.", where="opened_at")
    period = _period_numbers(opened_at, unit)
    first, last = int(period[0]), int(period[-1])
    trains: list[BarRange] = []
    tests: list[BarRange] = []
    for begins in range(first + train_periods, last + 1, test_periods):
        edges = np.searchsorted(period, [begins, begins + test_periods, begins - train_periods])
        test = BarRange(int(edges[0]), int(edges[1]))
        train = _train(test, max(warmup_bars, 0 if anchor is Anchor.ANCHORED else int(edges[2])), gap)
        if len(test) == 0 or (len(train) == 0 and not tests):
            continue
        if len(train) == 0:
            raise InvalidInput(f"There is no bar to train on in front of bar {test.start}: a hole in the data.", where="opened_at")
        trains.append(train)
        tests.append(test)
    if not tests:
        raise InvalidInput(
            f"The bars span {last - first + 1} periods ({unit}): too few to train on {train_periods} and test on {test_periods}.",
            where="train_periods",
            hint="Use shorter windows or load more history.",
        )
    return _windows(trains, tests, warmup_bars)


def _period_numbers(opened_at: Int64Array, unit: CalendarUnit) -> Int64Array:
    """The period of each bar, counted from 1970."""
    if unit is CalendarUnit.WEEK:
        return (opened_at // _MICROS_PER_DAY + 3) // 7
    code = {CalendarUnit.DAY: "D", CalendarUnit.MONTH: "M", CalendarUnit.YEAR: "Y"}[unit]
    return opened_at.astype("datetime64[us]").astype(f"datetime64[{code}]").astype(np.int64)


def _train(test: BarRange, start: int, gap: Gap) -> BarRange:
    return BarRange(start, max(start, test.start - gap.bars))


def _windows(trains: list[BarRange], tests: list[BarRange], warmup_bars: int) -> tuple[Window, ...]:
    return tuple(
        Window(number, _with_warmup(train, warmup_bars), _with_warmup(test, warmup_bars))
        for number, (train, test) in enumerate(zip(trains, tests, strict=True), start=1)
    )


def _with_warmup(bars: BarRange, warmup_bars: int) -> RunRange:
    return RunRange(bars, BarRange(max(0, bars.start - warmup_bars), bars.start))
