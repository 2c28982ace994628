"""Honest strategies pass, every known way of peeking is caught and the bar is named."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from apps.backtests.domain.look_ahead import Decide, Probe, check_look_ahead, check_warm_up, same_decision
from apps.core.errors import InvalidInput
from apps.core.vocabulary import Direction
from apps.markets.contracts import BarWindow
from apps.strategies.domain.signals import Signal
from tests.factories.windows import random_window, real_window
from tests.unit.backtests.seeds import fresh_seed

Floats = npt.NDArray[np.float64]


def average(values: Floats, bars: int) -> Floats:
    """Trailing mean, NaN until there are enough bars."""
    result = np.full(len(values), np.nan)
    for end in range(bars, len(values) + 1):
        result[end - 1] = values[end - bars : end].mean()
    return result


def crossing(bars: BarWindow) -> list[Signal | None]:
    """Long while the close is above its average of ten."""
    closes = bars.close.astype(np.float64)
    return [
        None if np.isnan(mean) else Signal(Direction.LONG if close > mean else Direction.FLAT, float(close / mean), 0.5, "")
        for close, mean in zip(closes, average(closes, 10), strict=True)
    ]


def exponential(bars: BarWindow) -> Floats:
    """An average that never forgets."""
    level, levels = float(bars.close[0]), []
    for close in bars.close.tolist():
        level += 0.2 * (close - level)
        levels.append(level)
    return np.array(levels)


def tomorrow(bars: BarWindow) -> list[bool]:
    """The plain mistake: is the next close higher?"""
    return [*(bars.close[1:] > bars.close[:-1]).tolist(), False]


def scaled_by_the_whole(bars: BarWindow) -> list[bool]:
    """The common mistake: normalised by the mean and spread of all data."""
    return [bool(score > 0.5) for score in (bars.close - bars.close.mean()) / max(bars.close.std(), 1.0)]


def highest_of_all(bars: BarWindow) -> Floats:
    """Distance from the highest high there ever is."""
    return np.asarray(bars.close / bars.high.max())


def volume_ahead(bars: BarWindow) -> list[int]:
    return [*bars.volume[3:].tolist(), 0, 0, 0][: len(bars)]


def centred(bars: BarWindow) -> npt.NDArray[np.int64]:
    """A moving sum with its middle on the bar: five bars of it lie ahead."""
    return np.convolve(bars.close, np.ones(11, dtype=np.int64))[5 : 5 + len(bars)]


def last_bar_differs(bars: BarWindow) -> list[bool]:
    """Sells on the last bar of whatever it is given."""
    return [False] * (len(bars) - 1) + [True]


@pytest.mark.parametrize("honest", [crossing, exponential, lambda bars: bars.close, lambda bars: [None] * len(bars)])
def test_honest_strategies_pass(honest: Decide) -> None:
    report = check_look_ahead(honest, random_window(200, seed=fresh_seed()), seed=fresh_seed(), cuts=15)
    assert report.is_clean and report.first is None
    assert report.probes > 7


@pytest.mark.parametrize(
    ("peeking", "bars_ahead"),
    [(tomorrow, 1), (scaled_by_the_whole, 1), (highest_of_all, 1), (volume_ahead, 3), (centred, 5), (last_bar_differs, 1)],
)
def test_every_way_of_peeking_is_caught(peeking: Decide, bars_ahead: int) -> None:
    bars = random_window(200, seed=fresh_seed(), volatility=0.03)
    report = check_look_ahead(peeking, bars, seed=fresh_seed(), cuts=15)
    assert not report.is_clean
    assert max(peek.bars_ahead for peek in report.peeks) >= bars_ahead
    for peek in report.peeks:
        assert peek.bar < peek.cut
        assert peek.decided == pytest.approx(peeking(bars)[peek.bar])
        assert peek.closed_at.timestamp() * 1_000_000 == bars.closed_at[peek.bar]


def test_a_centred_average_looks_exactly_five_bars_ahead() -> None:
    report = check_look_ahead(centred, random_window(150, seed=fresh_seed()), seed=fresh_seed(), cuts=40)
    assert max(peek.bars_ahead for peek in report.peeks) == 5


def test_the_report_names_the_earliest_bar_and_what_differed() -> None:
    bars = real_window("sp500", bars=300)
    report = check_look_ahead(tomorrow, bars, seed=3, cuts=60)
    assert report.first is not None
    assert report.first.bar == min(peek.bar for peek in report.peeks)
    assert "looks at least 1 bars ahead" in str(report.first)
    assert {peek.probe for peek in report.peeks} >= {Probe.CUT_OFF, Probe.LOWERED, Probe.NEXT_BAR}


def test_a_peek_that_only_matters_where_decisions_change_is_aimed_at() -> None:
    """One bar in a hundred looks ahead: random cuts alone would mostly miss it."""

    def rare(bars: BarWindow) -> list[int]:
        decisions = [0] * len(bars)
        for bar in range(50, len(bars) - 1, 100):
            decisions[bar] = 1 if bars.close[bar + 1] > 0 else 0
        return decisions

    report = check_look_ahead(rare, random_window(2_000, seed=1), seed=fresh_seed(), cuts=20)
    assert [peek.probe for peek in report.peeks][:1] == [Probe.CUT_OFF]
    assert all(peek.bar % 100 == 50 for peek in report.peeks)


def test_a_strategy_that_rolls_dice_is_told() -> None:
    calls = count()
    report = check_look_ahead(lambda bars: [next(calls)] * len(bars), random_window(30, seed=2), seed=1, cuts=1)
    assert report.peeks[0].probe is Probe.REPEATED
    assert "on the same bars again" in str(report.peeks[0])


def test_the_same_seed_tries_the_same_cuts() -> None:
    bars = random_window(100, seed=5, volatility=0.03)
    first, again = (check_look_ahead(centred, bars, seed=9, cuts=5) for _ in range(2))
    assert [(peek.probe, peek.cut, peek.bar) for peek in first.peeks] == [(peek.probe, peek.cut, peek.bar) for peek in again.peeks]
    assert {peek.cut for peek in first.peeks} != {peek.cut for peek in check_look_ahead(centred, bars, seed=10, cuts=5).peeks}


def test_the_changed_future_is_still_made_of_bars() -> None:
    seen: list[BarWindow] = []

    def watching(bars: BarWindow) -> list[None]:
        seen.append(bars)
        return [None] * len(bars)

    bars = random_window(120, seed=fresh_seed())
    check_look_ahead(watching, bars, seed=fresh_seed(), cuts=5)
    for given in seen:
        assert (given.low <= np.minimum(given.open, given.close)).all()
        assert (given.high >= np.maximum(given.open, given.close)).all()
        assert (given.low > 0).all() and (np.diff(given.opened_at) > 0).all()
    assert len(seen) == 2 + 5 * 7


def test_a_failing_or_incomplete_strategy_is_an_error() -> None:
    def failing(bars: BarWindow) -> list[int]:
        raise ZeroDivisionError("division by zero")

    with pytest.raises(InvalidInput, match="failed on 30 bars: division by zero"):
        check_look_ahead(failing, random_window(30, seed=1), seed=1)
    with pytest.raises(InvalidInput, match="29 decisions on 30 bars"):
        check_look_ahead(lambda bars: [0] * 29, random_window(30, seed=1), seed=1)
    with pytest.raises(InvalidInput, match="must be a cut"):
        check_look_ahead(crossing, random_window(30, seed=1), seed=1, first_cut=30)


def test_a_warm_up_that_is_long_enough_passes() -> None:
    report = check_warm_up(crossing, random_window(150, seed=fresh_seed()), warmup_bars=10, seed=fresh_seed())
    assert report.is_clean
    assert (report.needed_bars, report.starts) == (10, 20)


def test_a_warm_up_that_is_too_short_is_told_with_what_is_needed() -> None:
    bars = random_window(150, seed=fresh_seed())
    report = check_warm_up(crossing, bars, warmup_bars=7, seed=fresh_seed())
    assert len(report.late_starts) == 20
    assert report.needed_bars == 10
    late = next(item for item in report.late_starts if 9 <= item.start <= 140)
    assert (late.bar, late.last_bar) == (late.start + 6, late.start + 8)
    assert late.decided_then is None and late.decided == crossing(bars)[late.bar]
    assert "7 bars before; still different 9 bars after the start" in str(late)


def test_an_average_that_never_forgets_comes_close_enough_in_time() -> None:
    bars = random_window(400, seed=fresh_seed(), volatility=0.02)
    exact = check_warm_up(exponential, bars, warmup_bars=30, seed=4, starts=5)
    assert not exact.is_clean
    assert check_warm_up(exponential, bars, warmup_bars=120, seed=4, starts=5, tolerance=1e-6).is_clean


def test_too_few_bars_to_begin_later_are_refused() -> None:
    with pytest.raises(InvalidInput, match="too few to begin later"):
        check_warm_up(crossing, random_window(10, seed=1), warmup_bars=10, seed=1)


@pytest.mark.parametrize(
    ("left", "right", "tolerance", "same"),
    [
        (float("nan"), float("nan"), 0.0, True),
        (1.0, 1.0 + 1e-9, 0.0, False),
        (1.0, 1.0 + 1e-9, 1e-6, True),
        (1, 1.0, 0.0, True),
        (None, float("nan"), 0.0, False),
        ("a", 1.0, 0.0, False),
        ({"a": float("nan")}, {"a": float("nan")}, 0.0, True),
        ({"a": 1}, {"b": 1}, 0.0, False),
        ((1, [2.0]), (1, [2.0]), 0.0, True),
        ((1, 2), (1, 2, 3), 0.0, False),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), 0.0, True),
        (Signal(Direction.LONG, float("nan"), 0.5, ""), Signal(Direction.LONG, float("nan"), 0.5, ""), 0.0, True),
        (Signal(Direction.LONG, 0.1, 0.5, ""), Signal(Direction.FLAT, 0.1, 0.5, ""), 0.0, False),
        (Direction.LONG, Direction.LONG, 0.0, True),
    ],
)
def test_when_decisions_are_the_same(left: Any, right: Any, tolerance: float, same: bool) -> None:
    assert same_decision(left, right, tolerance) is same
    assert same_decision(right, left, tolerance) is same


def test_bars_given_are_never_changed() -> None:
    bars = random_window(60, seed=8)
    before = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume", "opened_at")}
    check_look_ahead(centred, bars, seed=1, cuts=3)
    check_warm_up(exponential, bars, warmup_bars=5, seed=1)
    for name, values in before.items():
        assert getattr(bars, name).tolist() == values.tolist()
