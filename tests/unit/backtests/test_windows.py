from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.backtests.domain.windows import Anchor, BarRange, CalendarUnit, Gap, Window, bar_windows, calendar_windows
from apps.core.errors import InvalidInput


def ranges(windows: tuple[Window, ...]) -> list[tuple[int, int, int, int]]:
    return [(w.train.bars.start, w.train.bars.stop, w.test.bars.start, w.test.bars.stop) for w in windows]


def opened(*days: str) -> npt.NDArray[np.int64]:
    return np.array([int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1_000_000) for day in days], dtype=np.int64)


def daily(first: str, count: int) -> npt.NDArray[np.int64]:
    begin = datetime.fromisoformat(first).replace(tzinfo=UTC)
    return np.array([int((begin + timedelta(days=n)).timestamp()) * 1_000_000 for n in range(count)], dtype=np.int64)


def test_rolling_windows_move_and_the_last_one_takes_what_is_left() -> None:
    windows = bar_windows(100, train_bars=40, test_bars=25, warmup_bars=10)
    assert ranges(windows) == [(10, 50, 50, 75), (35, 75, 75, 100)]
    assert ranges(bar_windows(101, train_bars=40, test_bars=25, warmup_bars=10))[-1] == (60, 100, 100, 101)
    assert windows[0].train.warmup == BarRange(0, 10)
    assert windows[1].test.warmup == BarRange(65, 75)


def test_anchored_windows_grow() -> None:
    windows = bar_windows(100, train_bars=40, test_bars=20, warmup_bars=5, anchor=Anchor.ANCHORED)
    assert ranges(windows) == [(5, 45, 45, 65), (5, 65, 65, 85), (5, 85, 85, 100)]


def test_the_gap_comes_off_the_training_and_tests_still_touch() -> None:
    windows = bar_windows(60, train_bars=20, test_bars=15, gap=Gap(purge_bars=3, embargo_bars=2))
    assert ranges(windows) == [(0, 20, 25, 40), (15, 35, 40, 55), (30, 50, 55, 60)]


@given(
    bars=st.integers(20, 500),
    train=st.integers(1, 60),
    test=st.integers(1, 60),
    warmup=st.integers(0, 30),
    gap=st.integers(0, 10),
    anchor=st.sampled_from(Anchor),
)
def test_every_later_bar_is_tested_once_and_never_trained_on_before(
    *, bars: int, train: int, test: int, warmup: int, gap: int, anchor: Anchor
) -> None:
    first = warmup + train + gap
    if first >= bars:
        with pytest.raises(InvalidInput):
            bar_windows(bars, train_bars=train, test_bars=test, warmup_bars=warmup, anchor=anchor, gap=Gap(gap))
        return
    windows = bar_windows(bars, train_bars=train, test_bars=test, warmup_bars=warmup, anchor=anchor, gap=Gap(gap))
    tested = [bar for window in windows for bar in range(window.test.bars.start, window.test.bars.stop)]
    assert tested == list(range(first, bars))
    for window in windows:
        assert window.train.bars.stop + gap == window.test.bars.start
        assert len(window.train.bars) == train if anchor is Anchor.ROLLING else window.train.bars.start == warmup
        for stretch in (window.train, window.test):
            assert stretch.warmup.stop == stretch.bars.start
            assert len(stretch.warmup) == warmup


def test_calendar_windows_break_at_months() -> None:
    windows = calendar_windows(daily("2020-01-15", 121), unit=CalendarUnit.MONTH, train_periods=2, test_periods=1)
    assert ranges(windows) == [(0, 46, 46, 77), (17, 77, 77, 107), (46, 107, 107, 121)]


def test_calendar_windows_break_on_monday() -> None:
    bars = daily("2021-01-01", 24)  # a Friday
    windows = calendar_windows(bars, unit=CalendarUnit.WEEK, train_periods=1, test_periods=1)
    assert [w.test.bars.start for w in windows] == [3, 10, 17]
    assert datetime.fromtimestamp(int(bars[3]) / 1e6, UTC).weekday() == 0


def test_calendar_windows_by_year_and_day() -> None:
    years = calendar_windows(daily("2019-12-31", 800), unit=CalendarUnit.YEAR, train_periods=1, test_periods=1)
    assert [w.test.bars.start for w in years] == [1, 367, 732]
    days = calendar_windows(daily("2020-02-28", 4), unit=CalendarUnit.DAY, train_periods=2, test_periods=1)
    assert ranges(days) == [(0, 2, 2, 3), (1, 3, 3, 4)]


def test_anchored_calendar_windows_keep_the_warm_up_out_of_training() -> None:
    windows = calendar_windows(
        daily("2020-01-01", 120), unit=CalendarUnit.MONTH, train_periods=1, test_periods=1, warmup_bars=20, anchor=Anchor.ANCHORED
    )
    assert ranges(windows) == [(20, 31, 31, 60), (20, 60, 60, 91), (20, 91, 91, 120)]


def test_periods_without_bars_test_nothing() -> None:
    bars = opened("2020-01-10", "2020-01-20", "2020-02-10", "2020-04-10", "2020-05-10")
    windows = calendar_windows(bars, unit=CalendarUnit.MONTH, train_periods=2, test_periods=1)
    assert ranges(windows) == [(2, 3, 3, 4), (3, 4, 4, 5)]
    assert all(left.test.bars.stop == right.test.bars.start for left, right in pairwise(windows))


def test_a_hole_that_leaves_no_training_is_named() -> None:
    bars = opened("2020-01-10", "2020-02-10", "2020-06-10")
    with pytest.raises(InvalidInput, match="in front of bar 2"):
        calendar_windows(bars, unit=CalendarUnit.MONTH, train_periods=1, test_periods=1)


def test_bars_out_of_order_and_too_short_histories_are_refused() -> None:
    with pytest.raises(InvalidInput, match="rising order"):
        calendar_windows(opened("2020-02-10", "2020-01-10"), unit=CalendarUnit.MONTH, train_periods=1, test_periods=1)
    with pytest.raises(InvalidInput, match="too few"):
        calendar_windows(daily("2020-01-01", 20), unit=CalendarUnit.MONTH, train_periods=1, test_periods=1)
    with pytest.raises(InvalidInput, match="not negative"):
        Gap(purge_bars=-1)
    with pytest.raises(InvalidInput, match="at least one"):
        bar_windows(10, train_bars=0, test_bars=1)
