"""Walk forward: choose on the past, trade the next stretch with the choice, move on; only the stretches traded count.

This is the default score of a strategy. The simulation plugs in as `Run`: parameters, a stretch of bars and what to begin with in, a
`WindowResult` out. All money is whole cash units (int64), so the stitched equity is exact: nothing is rescaled.

Two things must be said of a walk forward, and here they are:
- **Capital.** COMPOUNDED: each stretch begins with what the one before ended with; the stitched equity is the runs' own equity, one after
  the other. FIXED: each stretch begins with the same capital, gains and losses are added up and never reinvested.
- **Border.** FLAT: every position is closed within the last bar of its stretch (a run that does not is an error). CARRIED: what a stretch
  ends with (`state`: position, resting orders) is handed to the next one, whose new parameters go on from there; needs COMPOUNDED.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from apps.backtests.domain.returns import FloatArray, Int64Array, max_drawdown, sharpe_ratio, total_return
from apps.backtests.domain.windows import RunRange, Window
from apps.core.errors import InvalidInput

Parameters = Mapping[str, Any]


class Capital(StrEnum):
    COMPOUNDED = "COMPOUNDED"
    FIXED = "FIXED"


class Border(StrEnum):
    FLAT = "FLAT"
    CARRIED = "CARRIED"


@dataclass(frozen=True)
class WindowResult:
    """One simulated stretch: `equity_units` at the close of each of its bars (none of the warm-up), beginning from `start_units`.

    `state` is what the run would go on from, None when it ended flat with nothing resting.
    """

    start_units: int
    equity_units: Int64Array
    trades: int = 0
    state: Any = None

    def returns(self) -> FloatArray:
        """Simple return of each bar on the equity before it; 0 once nothing is left."""
        before = np.concatenate([[self.start_units], self.equity_units[:-1]]).astype(np.float64)
        gained = self.equity_units.astype(np.float64) - before
        return np.where(before > 0, gained / np.where(before > 0, before, 1.0), 0.0)

    @property
    def end_units(self) -> int:
        return int(self.equity_units[-1])


class Run(Protocol):
    """The simulation. It must trade only within `stretch.bars` and use only bars up to each decision."""

    def __call__(self, parameters: Parameters, stretch: RunRange, *, start_units: int, state: Any) -> WindowResult: ...


Score = Callable[[WindowResult], float]


def score_sharpe(result: WindowResult) -> float:
    """Sharpe ratio per bar; NaN when nothing moved."""
    return sharpe_ratio(result.returns()) if len(result.equity_units) > 1 else float("nan")


def score_return(result: WindowResult) -> float:
    """Total return; NaN when it never traded."""
    return total_return(result.returns()) if result.trades else float("nan")


def score_return_over_drawdown(result: WindowResult) -> float:
    """Total return over the deepest drawdown (one below 0.01 % counts as 0.01 %); NaN when it never traded."""
    if not result.trades:
        return float("nan")
    returns = result.returns()
    return total_return(returns) / max(max_drawdown(returns), 1e-4)


SCORES: dict[str, Score] = {
    "sharpe": score_sharpe,
    "return": score_return,
    "return_over_drawdown": score_return_over_drawdown,
}


@dataclass(frozen=True)
class Choice:
    """The winner in sample: its parameters, score and mean return per bar, and among how many it was the best."""

    parameters: Parameters
    score: float
    return_per_bar: float
    candidates: int


Choose = Callable[[Window], Choice | None]
"""How the winner of a window is found from its training bars alone; None when no candidate can be judged."""


def choose(candidates: Sequence[Parameters], scores: Sequence[float], returns_per_bar: Sequence[float]) -> Choice | None:
    """The candidate with the highest score; of equal ones the first. NaN and infinity never win; None when nothing else is there."""
    if not len(candidates) == len(scores) == len(returns_per_bar):
        raise InvalidInput("Every candidate needs one score and one return.", where="scores")
    best: int | None = None
    for index, score in enumerate(scores):
        if np.isfinite(score) and (best is None or score > scores[best]):
            best = index
    if best is None:
        return None
    return Choice(dict(candidates[best]), float(scores[best]), float(returns_per_bar[best]), len(candidates))


def best_of(candidates: Sequence[Parameters], *, run: Run, score: Score, start_units: int) -> Choose:
    """Choose by simulating every candidate over the training bars, each from the same capital and without a position."""
    if not candidates:
        raise InvalidInput("There is nothing to choose from.", where="candidates")

    def chosen(window: Window) -> Choice | None:
        results = [_checked(run(item, window.train, start_units=start_units, state=None), window.train, start_units) for item in candidates]
        return choose(candidates, [score(result) for result in results], [float(result.returns().mean()) for result in results])

    return chosen


@dataclass(frozen=True)
class Piece:
    """One window walked: what was chosen (None: it stayed out) and what came of it out of sample."""

    window: Window
    choice: Choice | None
    result: WindowResult


def walk(
    windows: Sequence[Window],
    *,
    choose_in_sample: Choose,
    run: Run,
    start_units: int,
    capital: Capital = Capital.COMPOUNDED,
    border: Border = Border.FLAT,
    done: Sequence[Piece] = (),
) -> Iterator[Piece]:
    """Walk the windows one by one. `done` are pieces of an interrupted walk: they are kept and the walk goes on behind them.

    Where no candidate can be judged the choice of the window before is kept; without one the window stays out of the market.
    """
    if border is Border.CARRIED and capital is Capital.FIXED:
        raise InvalidInput("Positions can only be carried over with compounded capital.", where="border")
    if start_units <= 0:
        raise InvalidInput(f"The capital must be positive, got {start_units} units.", where="start_units")
    if [piece.window for piece in done] != list(windows[: len(done)]):
        raise InvalidInput("The pieces already done belong to other windows.", where="done")
    last = done[-1] if done else None
    for window in windows[len(done) :]:
        choice = choose_in_sample(window) or (last.choice if last else None)
        begin = last.result.end_units if last and capital is Capital.COMPOUNDED else start_units
        state = last.result.state if last and border is Border.CARRIED else None
        last = Piece(window, choice, _tested(choice, window, run=run, start_units=begin, state=state, border=border))
        yield last


def _tested(choice: Choice | None, window: Window, *, run: Run, start_units: int, state: Any, border: Border) -> WindowResult:
    if choice is None or start_units <= 0:
        return WindowResult(start_units, np.full(len(window.test.bars), start_units, dtype=np.int64))
    result = _checked(run(choice.parameters, window.test, start_units=start_units, state=state), window.test, start_units)
    if border is Border.FLAT and result.state is not None:
        raise InvalidInput(
            f"The run of window {window.number} ended with a position although borders are flat.",
            where="border",
            hint="Close positions at the last bar of the stretch, or carry them over.",
        )
    return result


def _checked(result: WindowResult, stretch: RunRange, start_units: int) -> WindowResult:
    if len(result.equity_units) != len(stretch.bars) or result.start_units != start_units:
        raise InvalidInput(
            f"A run over {len(stretch.bars)} bars from {start_units} units answered with {len(result.equity_units)} bars"
            f" from {result.start_units} units.",
            where="run",
        )
    return result
