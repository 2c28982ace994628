"""What else could have happened: many histories made from one, and how they spread.

Everything is drawn from a PCG64 generator seeded by the caller, with whole numbers and uniform floats only, so the same seed gives the same
histories on any machine. Equity is told as a multiple of the starting capital.

- `bootstrap_trades`: the trades in another order, drawn with replacement (another sample of the same skill) or merely shuffled (the same
  trades; the end stays, the way there changes).
- `bootstrap_returns`: the bars' returns in blocks, which keeps what hangs together over neighbouring bars. CIRCULAR: blocks of one
  length, wrapping round at the end (Politis, Romano 1992). STATIONARY: lengths drawn geometrically around a mean (Politis, Romano 1994).
- `randomise`: a callable simulates again for every draw - another first bar (`random_starts`), other costs (`random_costs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.returns import FloatArray, Int64Array, drawdowns, require_returns
from apps.core.errors import InvalidInput

T = TypeVar("T")

LEVELS = (5.0, 25.0, 50.0, 75.0, 95.0)
_CELLS_AT_ONCE = 1_000_000
_MOST_POINTS = 250


class Blocks(StrEnum):
    STATIONARY = "STATIONARY"
    CIRCULAR = "CIRCULAR"


@dataclass(frozen=True)
class MonteCarlo:
    """How the histories spread.

    `bands` has a row per percentile of `levels` and a column per position in `points` (0 is the start, k is after the k-th bar or trade).
    `final_returns` and `max_drawdowns` have one number per history. A history is ruined when its equity ever falls to `ruin_level` (a
    share of the starting capital) or below.
    """

    levels: tuple[float, ...]
    points: Int64Array
    bands: FloatArray
    final_returns: FloatArray
    max_drawdowns: FloatArray
    probability_of_loss: float
    probability_of_ruin: float
    ruin_level: float
    seed: int

    @property
    def histories(self) -> int:
        return len(self.final_returns)

    def final_return(self, percentile: float) -> float:
        """The final return that this percentage of histories stays below (linear between histories)."""
        return float(np.percentile(self.final_returns, percentile))

    def max_drawdown(self, percentile: float) -> float:
        """The maximum drawdown that this percentage of histories stays below."""
        return float(np.percentile(self.max_drawdowns, percentile))


def generator(seed: int) -> np.random.Generator:
    """The one source of chance; the bit generator is named, so a change of numpy's default changes nothing here."""
    if seed < 0:
        raise InvalidInput(f"A seed is not negative, got {seed}.", where="seed")
    return np.random.Generator(np.random.PCG64(seed))


def bootstrap_trades(
    trade_returns: npt.ArrayLike, *, histories: int, seed: int, ruin_level: float = 0.5, with_replacement: bool = True
) -> MonteCarlo:
    """Histories of as many trades; a trade's return is its gain as a share of the equity when it was opened, and they compound."""
    trades = require_returns(trade_returns, name="trade_returns", minimum=1)
    source = generator(seed)

    def draw(rows: int) -> Int64Array:
        if with_replacement:
            return source.integers(0, len(trades), (rows, len(trades)))
        return source.permuted(np.tile(np.arange(len(trades)), (rows, 1)), axis=1)

    return _spread(_histories(trades, draw, histories), bars=len(trades), ruin_level=ruin_level, seed=seed)


def bootstrap_returns(
    returns: npt.ArrayLike, *, histories: int, seed: int, block_bars: int, blocks: Blocks = Blocks.STATIONARY, ruin_level: float = 0.5
) -> MonteCarlo:
    """Histories of as many bars, put together from blocks of `block_bars` bars (on average, when stationary)."""
    bars = require_returns(returns)
    if not 1 <= block_bars <= len(bars):
        raise InvalidInput(f"A block has 1 to {len(bars)} bars, got {block_bars}.", where="block_bars")
    source = generator(seed)
    pick = stationary_indexes if blocks is Blocks.STATIONARY else circular_indexes
    return _spread(
        _histories(bars, lambda rows: pick(source, rows=rows, bars=len(bars), block_bars=block_bars), histories),
        bars=len(bars),
        ruin_level=ruin_level,
        seed=seed,
    )


def circular_indexes(source: np.random.Generator, *, rows: int, bars: int, block_bars: int) -> Int64Array:
    """Rows of bar numbers in blocks of one length from random first bars, wrapping round; the last block may be cut."""
    starts = source.integers(0, bars, (rows, -(-bars // block_bars)))
    within = np.arange(block_bars)
    return ((starts[:, :, None] + within) % bars).reshape(rows, -1)[:, :bars]


def stationary_indexes(source: np.random.Generator, *, rows: int, bars: int, block_bars: int) -> Int64Array:
    """Rows of bar numbers in which each next bar follows the one before, except that with probability 1/block_bars a new block begins."""
    begins = source.random((rows, bars)) * block_bars < 1.0
    begins[:, 0] = True
    starts = source.integers(0, bars, (rows, bars))
    position = np.broadcast_to(np.arange(bars), (rows, bars))
    begun_at = np.maximum.accumulate(np.where(begins, position, 0), axis=1)
    return (np.take_along_axis(starts, begun_at, axis=1) + position - begun_at) % bars


def randomise(draws: Sequence[T], run: Callable[[T], npt.ArrayLike | None], *, bars: int, seed: int, ruin_level: float = 0.5) -> MonteCarlo:
    """Simulate again for every draw; `run` answers with the returns of its bars, `bars` of them at least, or None where it cannot.

    Final returns and drawdowns are those of each whole run; the bands cover its first `bars` bars. Raises InvalidInput where no draw can be run.
    """
    if not draws or bars < 1:
        raise InvalidInput("There is nothing to draw from, or no bar to show.", where="draws")

    def equities() -> Iterator[FloatArray]:
        for draw in draws:
            returns = run(draw)
            if returns is not None:
                yield _equity(require_returns(returns, minimum=bars)[None, :])

    return _spread(equities(), bars=bars, ruin_level=ruin_level, seed=seed)


def random_starts(*, latest_start: int, histories: int, seed: int) -> list[int]:
    """First bars for `randomise`, uniform from 0 to `latest_start` (included): does the result hang on the day it began?"""
    if latest_start < 0:
        raise InvalidInput(f"The latest start is not negative, got {latest_start}.", where="latest_start")
    return [int(start) for start in generator(seed).integers(0, latest_start + 1, _at_least_one(histories))]


def random_costs(*, lowest: float, highest: float, histories: int, seed: int) -> list[float]:
    """Multiples of the assumed costs for `randomise`, uniform between the bounds: does the edge survive dearer trading?"""
    if not 0 <= lowest <= highest < float("inf"):
        raise InvalidInput(f"Costs are multiplied by 0 or more, got {lowest} to {highest}.", where="lowest")
    return [lowest + (highest - lowest) * float(draw) for draw in generator(seed).random(_at_least_one(histories))]


def _at_least_one(histories: int) -> int:
    if histories < 1:
        raise InvalidInput(f"At least one history is needed, got {histories}.", where="histories")
    return histories


def _histories(values: FloatArray, draw: Callable[[int], Int64Array], histories: int) -> Iterator[FloatArray]:
    """Equity of `histories` draws, in pieces small enough for memory (their size depends on the number of values alone)."""
    at_once = max(1, _CELLS_AT_ONCE // len(values))
    for begun in range(0, _at_least_one(histories), at_once):
        yield _equity(values[draw(min(at_once, histories - begun))])


def _equity(returns: FloatArray) -> FloatArray:
    """Compounded equity from 1, a row per history; what is lost stays lost."""
    growth = np.cumprod(np.maximum(1.0 + returns, 0.0), axis=1)
    return np.concatenate([np.ones((len(growth), 1)), growth], axis=1)


def _spread(pieces: Iterable[FloatArray], *, bars: int, ruin_level: float, seed: int) -> MonteCarlo:
    if not 0 <= ruin_level < 1:
        raise InvalidInput(f"Ruin is a share of the starting capital below 1, got {ruin_level}.", where="ruin_level")
    points = _points(bars)
    finals, deepest, lowest, kept = [], [], [], []
    for equity in pieces:
        finals.append(equity[:, -1] - 1.0)
        deepest.append(drawdowns(equity).max(axis=1))
        lowest.append(equity.min(axis=1))
        kept.append(equity[:, points])
    if not kept:
        raise InvalidInput("Not one history could be made.", where="draws")
    final_returns = np.concatenate(finals)
    return MonteCarlo(
        levels=LEVELS,
        points=points,
        bands=np.percentile(np.concatenate(kept), LEVELS, axis=0),
        final_returns=final_returns,
        max_drawdowns=np.concatenate(deepest),
        probability_of_loss=float((final_returns < 0).mean()),
        probability_of_ruin=float((np.concatenate(lowest) <= ruin_level).mean()),
        ruin_level=ruin_level,
        seed=seed,
    )


def _points(bars: int) -> Int64Array:
    """At most 250 evenly spaced positions from 0 (the start) to `bars`."""
    count = min(bars + 1, _MOST_POINTS)
    return np.asarray(np.arange(count, dtype=np.int64) * bars // max(count - 1, 1), dtype=np.int64)
