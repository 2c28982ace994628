"""The probability of backtest overfitting (PBO) by combinatorially symmetric cross-validation (CSCV).

Source: Bailey, Borwein, Lopez de Prado, Zhu, "The Probability of Backtest Overfitting", Journal of Computational Finance 20 (2017).

The bars' returns of N trials (a matrix, one column each) are cut into an even number S of consecutive blocks. Every choice of S/2 blocks is
once the training half: the column that is best there is looked up in the other half. With its rank r among N there (1 = worst, ties share
the middle), w = r / (N + 1) and logit = ln(w / (1 - w)). PBO is the share of choices with logit <= 0: how often the winner in sample is not
better than the median out of sample. A worthless search has 0.5, a real edge near 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.returns import FloatArray
from apps.core.errors import InvalidInput

_CELLS_AT_ONCE = 2_000_000
_MOST_BLOCKS = 20
_NO_SPREAD = 1e-24
"""A variance this far below the mean square is rounding: the column did not trade."""

_Halves = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BacktestOverfitting:
    """What CSCV found. The arrays hold one number per choice of training blocks.

    `probability` is PBO; `slope` tells how the winner's Sharpe ratio out of sample follows the one in sample (below 0: the better it looked,
    the worse it did); `probability_of_loss` is how often the winner lost out of sample. Sharpe ratios are per bar.
    """

    probability: float
    probability_of_loss: float
    slope: float
    logits: FloatArray
    sharpe_in_sample: FloatArray
    sharpe_out_of_sample: FloatArray
    blocks: int

    @property
    def choices(self) -> int:
        return len(self.logits)


def backtest_overfitting(returns: npt.ArrayLike, *, blocks: int = 16) -> BacktestOverfitting:
    """PBO of trials whose returns are the columns of `returns` (bars x trials).

    A trial that did not trade in a half has the Sharpe ratio 0 there; of equally good ones in sample the first is the winner.
    Raises InvalidInput for fewer than two trials, an odd number of blocks or blocks of fewer than two bars.
    """
    matrix = _require_matrix(returns, blocks)
    centre = matrix.mean(axis=0)
    parts = np.array_split(matrix - centre, blocks)
    sums = np.array([part.sum(axis=0) for part in parts])
    squares = np.array([(part**2).sum(axis=0) for part in parts])
    bars = np.array([len(part) for part in parts], dtype=np.float64)
    outcomes = [_judge(chosen, sums, squares, bars, centre) for chosen in _choices(blocks, matrix.shape[1])]
    logits, inside, outside = (np.concatenate(rows) for rows in zip(*outcomes, strict=True))
    spread = inside - inside.mean()
    variance = float((spread**2).sum())
    return BacktestOverfitting(
        probability=float((logits <= 0).mean()),
        probability_of_loss=float((outside < 0).mean()),
        slope=float((spread * outside).sum()) / variance if variance > 0 else float("nan"),
        logits=logits,
        sharpe_in_sample=inside,
        sharpe_out_of_sample=outside,
        blocks=blocks,
    )


def _require_matrix(returns: npt.ArrayLike, blocks: int) -> FloatArray:
    matrix = np.asarray(returns, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] < 2:
        raise InvalidInput(f"Overfitting is judged over at least two trials, got shape {matrix.shape}.", where="returns")
    if blocks < 2 or blocks % 2 or blocks > _MOST_BLOCKS:
        raise InvalidInput(f"The number of blocks must be even, from 2 to {_MOST_BLOCKS}, got {blocks}.", where="blocks")
    if len(matrix) < 2 * blocks:
        raise InvalidInput(f"{len(matrix)} bars are too few for {blocks} blocks.", where="blocks", hint="Use at least two bars per block.")
    if not np.isfinite(matrix).all():
        raise InvalidInput("The returns hold NaN or infinity.", where="returns", hint="Trials must cover the same bars.")
    return matrix


def _choices(blocks: int, trials: int) -> Iterator[_Halves]:
    """The training choices as rows of ones and zeros, in pieces small enough for memory."""
    rows = np.array(list(combinations(range(blocks), blocks // 2)))
    all_choices = np.zeros((len(rows), blocks))
    np.put_along_axis(all_choices, rows, 1.0, axis=1)
    step = max(1, _CELLS_AT_ONCE // trials)
    for start in range(0, len(rows), step):
        yield all_choices[start : start + step]


def _judge(
    chosen: _Halves, sums: FloatArray, squares: FloatArray, bars: FloatArray, centre: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Logit, Sharpe ratio in sample and out of sample of the winner of each training choice."""
    inside = _sharpes(chosen, sums, squares, bars, centre)
    outside = _sharpes(1.0 - chosen, sums, squares, bars, centre)
    row = np.arange(len(chosen))
    winner = inside.argmax(axis=1)
    won = outside[row, winner]
    worse = (outside < won[:, None]).sum(axis=1)
    equal = (outside == won[:, None]).sum(axis=1)
    rank = worse + (equal + 1) / 2.0
    share = rank / (outside.shape[1] + 1)
    return np.log(share / (1.0 - share)), inside[row, winner], won


def _sharpes(chosen: _Halves, sums: FloatArray, squares: FloatArray, bars: FloatArray, centre: FloatArray) -> FloatArray:
    """Sharpe ratio per bar (ddof 1) of every trial over the chosen blocks, from the blocks' sums around `centre`."""
    count = (chosen @ bars)[:, None]
    mean = (chosen @ sums) / count
    square = (chosen @ squares) / count
    variance = (square - mean**2) * count / (count - 1.0)
    moves = variance > _NO_SPREAD * (square + centre**2)
    spread = np.sqrt(np.where(moves, variance, 1.0))
    return np.where(moves, (mean + centre) / spread, 0.0)
