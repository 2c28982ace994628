"""Walking forward over a small exact market: holding `lots` of something whose price is an integer series."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.backtests.domain.walk_forward import (
    SCORES,
    Border,
    Capital,
    Choice,
    Parameters,
    Piece,
    Run,
    WindowResult,
    best_of,
    choose,
    score_return,
    score_return_over_drawdown,
    walk,
)
from apps.backtests.domain.walk_forward_report import efficiency, parameter_stability, stitch
from apps.backtests.domain.windows import RunRange, Window, bar_windows
from apps.core.errors import InvalidInput

START = 1_000_000


def market(prices: npt.NDArray[np.int64], *, flat: bool) -> Run:
    """A run that holds `lots` from the close before the stretch (or from where it was carried) and gains lots x price change."""

    def run(parameters: Parameters, stretch: RunRange, *, start_units: int, state: Any) -> WindowResult:
        held = 0 if state is None else int(state)
        moves = np.diff(prices[stretch.bars.start - 1 : stretch.bars.stop])
        lots = np.full(len(moves), int(parameters["lots"]))
        lots[0] = held if state is not None else lots[0]
        equity = start_units + np.cumsum(lots * moves)
        return WindowResult(start_units, equity, trades=1, state=None if flat else int(parameters["lots"]))

    return run


def prices(seed: int, count: int = 200) -> npt.NDArray[np.int64]:
    steps = np.random.Generator(np.random.PCG64(seed)).integers(-30, 31, count)
    return np.asarray(10_000 + np.cumsum(steps), dtype=np.int64)


CANDIDATES: list[Parameters] = [{"lots": 1}, {"lots": -1}, {"lots": 2}]
WINDOWS = bar_windows(200, train_bars=50, test_bars=30, warmup_bars=5)


def walked(run: Run, **options: Any) -> list[Piece]:
    chooser = best_of(CANDIDATES, run=run, score=score_return, start_units=START)
    return list(walk(WINDOWS, choose_in_sample=chooser, run=run, start_units=START, **options))


def test_the_highest_score_wins_and_the_first_of_equals() -> None:
    chosen = choose(CANDIDATES, [1.0, 3.0, 3.0], [0.1, 0.2, 0.3])
    assert chosen == Choice({"lots": -1}, 3.0, 0.2, 3)


def test_what_cannot_be_judged_never_wins() -> None:
    chosen = choose(CANDIDATES, [float("nan"), -5.0, float("inf")], [0.0, -0.1, 0.0])
    assert chosen is not None and chosen.parameters == {"lots": -1}
    assert choose(CANDIDATES, [float("nan")] * 3, [0.0] * 3) is None
    with pytest.raises(InvalidInput, match="one score"):
        choose(CANDIDATES, [1.0], [0.0])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_winner_of_each_window_is_the_best_of_its_training_bars(seed: int) -> None:
    series = prices(seed)
    for piece in walked(market(series, flat=True)):
        bars = piece.window.train.bars
        gained = int(series[bars.stop - 1] - series[bars.start - 1])
        assert piece.choice is not None
        best = max((1, -1, 2), key=lambda lots: lots * gained)
        assert piece.choice.parameters == {"lots": best} or gained == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_stitched_equity_is_the_sum_of_every_gain_to_the_unit(seed: int) -> None:
    series = prices(seed)
    gains: list[int] = []
    pieces = walked(market(series, flat=True))
    for piece in pieces:
        assert piece.choice is not None
        lots = int(piece.choice.parameters["lots"])
        gains += [lots * int(series[bar] - series[bar - 1]) for bar in range(piece.window.test.bars.start, piece.window.test.bars.stop)]
    expected = [START + sum(gains[: n + 1]) for n in range(len(gains))]
    compounded = stitch(pieces, capital=Capital.COMPOUNDED)
    assert compounded.equity_units.tolist() == expected
    fixed = stitch(walked(market(series, flat=True), capital=Capital.FIXED), capital=Capital.FIXED)
    assert fixed.equity_units.tolist() == expected, "lots do not depend on the capital here, so both ways gain the same"
    assert fixed.returns.tolist() == [gain / START for gain in gains]
    assert compounded.returns.tolist() == [gain / before for gain, before in zip(gains, [START, *expected[:-1]], strict=True)]
    assert compounded.borders == (0, 30, 60, 90, 120)
    assert (compounded.bars.start, compounded.bars.stop) == (55, 200)


def test_compounded_windows_begin_with_what_was_gained_and_fixed_ones_do_not() -> None:
    def doubling(parameters: Parameters, stretch: RunRange, *, start_units: int, state: Any) -> WindowResult:
        return WindowResult(start_units, np.linspace(start_units, 2 * start_units, len(stretch.bars)).astype(np.int64), trades=1)

    compounded = stitch(walked(doubling), capital=Capital.COMPOUNDED)
    assert int(compounded.equity_units[-1]) == START * 2**5
    assert compounded.total_return == 31.0
    fixed = stitch(walked(doubling, capital=Capital.FIXED), capital=Capital.FIXED)
    assert int(fixed.equity_units[-1]) == START * (1 + 5)


def test_carried_positions_go_on_where_the_window_before_ended() -> None:
    series = prices(7)
    pieces = walked(market(series, flat=False), border=Border.CARRIED)
    lots = [int(piece.choice.parameters["lots"]) for piece in pieces if piece.choice]
    for index in range(1, len(pieces)):
        first = pieces[index].window.test.bars.start
        change = int(series[first] - series[first - 1])
        begin = pieces[index - 1].result.end_units
        assert int(pieces[index].result.equity_units[0]) - begin == lots[index - 1] * change
    assert stitch(pieces, capital=Capital.COMPOUNDED).equity_units.tolist() == [
        int(unit) for piece in pieces for unit in piece.result.equity_units
    ]


def test_flat_borders_refuse_a_run_that_keeps_a_position() -> None:
    with pytest.raises(InvalidInput, match="ended with a position"):
        walked(market(prices(1), flat=False))


def test_carrying_over_needs_compounded_capital() -> None:
    with pytest.raises(InvalidInput, match="compounded capital"):
        walked(market(prices(1), flat=False), border=Border.CARRIED, capital=Capital.FIXED)


def test_an_interrupted_walk_goes_on_to_the_same_end() -> None:
    run = market(prices(3), flat=True)
    whole = walked(run)
    resumed = walked(run, done=whole[:2])
    assert [piece.window.number for piece in resumed] == [3, 4, 5]
    joined = stitch([*whole[:2], *resumed], capital=Capital.COMPOUNDED)
    assert joined.equity_units.tolist() == stitch(whole, capital=Capital.COMPOUNDED).equity_units.tolist()
    with pytest.raises(InvalidInput, match="other windows"):
        walked(run, done=whole[1:3])


def test_without_a_judgeable_candidate_it_stays_out_or_keeps_the_last_choice() -> None:
    run = market(prices(4), flat=True)
    picked = Choice({"lots": 2}, 1.0, 0.1, 1)

    def late(window: Window) -> Choice | None:
        return picked if window.number == 2 else None

    pieces = list(walk(WINDOWS, choose_in_sample=late, run=run, start_units=START))
    assert [piece.choice for piece in pieces] == [None, picked, picked, picked, picked]
    assert set(pieces[0].result.equity_units.tolist()) == {START}
    assert pieces[0].result.trades == 0


def test_a_run_that_answers_for_other_bars_or_capital_is_an_error() -> None:
    def short(parameters: Parameters, stretch: RunRange, *, start_units: int, state: Any) -> WindowResult:
        return WindowResult(start_units, np.array([start_units]), trades=1)

    def richer(parameters: Parameters, stretch: RunRange, *, start_units: int, state: Any) -> WindowResult:
        return WindowResult(start_units + 1, np.full(len(stretch.bars), start_units), trades=1)

    for run in (short, richer):
        with pytest.raises(InvalidInput, match="answered with"):
            walked(run)


def test_pieces_that_do_not_belong_together_are_not_stitched() -> None:
    pieces = walked(market(prices(5), flat=True))
    with pytest.raises(InvalidInput, match="does not begin where"):
        stitch([pieces[0], pieces[2]], capital=Capital.COMPOUNDED)
    assert pieces[0].result.end_units != START
    with pytest.raises(InvalidInput, match="begins with"):
        stitch(pieces, capital=Capital.FIXED)
    with pytest.raises(InvalidInput, match="nothing to stitch"):
        stitch([], capital=Capital.FIXED)


def test_a_lost_account_stays_lost() -> None:
    def losing(parameters: Parameters, stretch: RunRange, *, start_units: int, state: Any) -> WindowResult:
        return WindowResult(start_units, np.zeros(len(stretch.bars), dtype=np.int64), trades=1)

    stitched = stitch(walked(losing), capital=Capital.COMPOUNDED)
    assert stitched.equity_units.tolist() == [0] * 145
    assert stitched.returns[:2].tolist() == [-1.0, 0.0]


def piece(number: int, inside: float | None, units: list[int], lots: int) -> Piece:
    window = bar_windows(10 + 2 * number, train_bars=10, test_bars=2)[-1]
    chosen = None if inside is None else Choice({"lots": lots, "kind": "a"}, 1.0, inside, 3)
    return Piece(Window(number, window.train, window.test), chosen, WindowResult(1000, np.array(units, dtype=np.int64), trades=1))


def test_efficiency_is_what_came_true_of_the_training() -> None:
    pieces = [piece(1, 0.02, [1010, 1000], 1), piece(2, 0.01, [1000, 1020], 3), piece(3, None, [1000, 1000], 1)]
    report = efficiency(pieces, score=score_return, capital=Capital.FIXED)
    first = (0.01 - 10 / 1010) / 2
    assert report.windows[0].efficiency == pytest.approx(first / 0.02)
    assert report.windows[1].efficiency == pytest.approx(1.0)
    assert report.windows[2].efficiency is None
    assert report.overall == pytest.approx((first + 0.01) / 0.03)
    assert report.profitable_share == pytest.approx(2 / 3)


def test_training_that_gained_nothing_has_no_efficiency() -> None:
    report = efficiency([piece(1, -0.01, [1010, 1020], 1)], score=score_return, capital=Capital.FIXED)
    assert report.overall is None
    assert report.windows[0].efficiency is None


def test_stability_counts_steps_against_the_range_that_was_searched() -> None:
    pieces = [piece(1, 0.1, [1000, 1000], 2), piece(2, 0.1, [1000, 1000], 4), piece(3, 0.1, [1000, 1000], 4)]
    lots, kind = parameter_stability(pieces, ranges={"lots": (0, 10)})
    assert (lots.values, lots.unchanged_share, lots.lowest, lots.highest) == ((2, 4, 4), 0.5, 2.0, 4.0)
    assert lots.steadiness == pytest.approx(0.9)
    assert (kind.name, kind.unchanged_share, kind.steadiness) == ("kind", 1.0, None)


def test_scores_of_a_simple_run() -> None:
    result = WindowResult(1000, np.array([1100, 990, 1210]), trades=2)
    assert score_return(result) == pytest.approx(0.21)
    assert score_return_over_drawdown(result) == pytest.approx(0.21 / 0.1)
    idle = WindowResult(1000, np.array([1000, 1000, 1000]))
    assert all(math.isnan(score(idle)) for score in SCORES.values())
