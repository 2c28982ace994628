"""What a walk forward says: the stitched out-of-sample series, its efficiency, and how steady the chosen parameters were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from apps.backtests.domain.returns import FloatArray, Int64Array, sharpe_ratio
from apps.backtests.domain.walk_forward import Capital, Piece, Score
from apps.backtests.domain.windows import BarRange
from apps.core.errors import InvalidInput


@dataclass(frozen=True)
class Stitched:
    """The out-of-sample pieces as one series over `bars`.

    `equity_units` is exact. `returns` are on the equity before each bar when capital is compounded, on the fixed capital otherwise
    (then they add up instead of compounding). `borders` are the positions in the series at which a new window begins.
    """

    bars: BarRange
    start_units: int
    equity_units: Int64Array
    returns: FloatArray
    borders: tuple[int, ...]
    capital: Capital

    @property
    def total_return(self) -> float:
        return int(self.equity_units[-1]) / self.start_units - 1.0


def stitch(pieces: Sequence[Piece], *, capital: Capital) -> Stitched:
    """Join the pieces. Raises InvalidInput where they do not touch, or where one does not begin with what its rule of capital says."""
    if not pieces:
        raise InvalidInput("There is nothing to stitch.", where="pieces")
    start = pieces[0].result.start_units
    end, parts, borders, bars = start, [], [], 0
    for before, piece in zip([None, *pieces[:-1]], pieces, strict=True):
        if before is not None and before.window.test.bars.stop != piece.window.test.bars.start:
            raise InvalidInput(f"Window {piece.window.number} does not begin where the one before ends.", where="pieces")
        expected = end if capital is Capital.COMPOUNDED else start
        if piece.result.start_units != expected:
            raise InvalidInput(
                f"Window {piece.window.number} begins with {piece.result.start_units} units instead of {expected}.", where="pieces"
            )
        part = piece.result.equity_units + np.int64(end - expected)
        parts.append(part)
        borders.append(bars)
        bars += len(part)
        end = int(part[-1])
    equity = np.concatenate(parts)
    return Stitched(
        bars=BarRange(pieces[0].window.test.bars.start, pieces[-1].window.test.bars.stop),
        start_units=start,
        equity_units=equity,
        returns=_returns(equity, start, capital),
        borders=tuple(borders),
        capital=capital,
    )


def _returns(equity: Int64Array, start: int, capital: Capital) -> FloatArray:
    before = np.concatenate([[start], equity[:-1]]).astype(np.float64)
    gained = equity.astype(np.float64) - before
    if capital is Capital.FIXED:
        return gained / start
    return np.where(before > 0, gained / np.where(before > 0, before, 1.0), 0.0)


@dataclass(frozen=True)
class WindowEfficiency:
    """One window in the report. Returns are means per bar, so that windows of different length compare; None where nothing was chosen."""

    number: int
    in_sample_per_bar: float | None
    out_of_sample_per_bar: float
    in_sample_score: float | None
    out_of_sample_score: float
    efficiency: float | None


@dataclass(frozen=True)
class Efficiency:
    """Walk-forward efficiency: mean return per bar out of sample over that of the winners in sample.

    1 means that what was seen in training came true, 0 that nothing of it did. `overall` weighs windows by their testing bars; it is None
    when training itself gained nothing. `profitable_share` is the share of windows that gained out of sample.
    """

    windows: tuple[WindowEfficiency, ...]
    overall: float | None
    profitable_share: float
    out_of_sample_sharpe: float


def efficiency(pieces: Sequence[Piece], *, score: Score, capital: Capital, bars_per_year: float = 1.0) -> Efficiency:
    """How much of the return in sample was found again out of sample, by window and together."""
    rows = tuple(_window_efficiency(piece, score) for piece in pieces)
    judged = [(row, len(piece.window.test.bars)) for row, piece in zip(rows, pieces, strict=True) if row.in_sample_per_bar is not None]
    inside = sum((row.in_sample_per_bar or 0.0) * bars for row, bars in judged)
    outside = sum(row.out_of_sample_per_bar * bars for row, bars in judged)
    returns = stitch(pieces, capital=capital).returns
    return Efficiency(
        windows=rows,
        overall=outside / inside if inside > 0 else None,
        profitable_share=sum(row.out_of_sample_per_bar > 0 for row in rows) / len(rows),
        out_of_sample_sharpe=sharpe_ratio(returns, bars_per_year=bars_per_year) if len(returns) > 1 else float("nan"),
    )


def _window_efficiency(piece: Piece, score: Score) -> WindowEfficiency:
    inside = piece.choice.return_per_bar if piece.choice else None
    outside = float(piece.result.returns().mean())
    return WindowEfficiency(
        number=piece.window.number,
        in_sample_per_bar=inside,
        out_of_sample_per_bar=outside,
        in_sample_score=piece.choice.score if piece.choice else None,
        out_of_sample_score=score(piece.result),
        efficiency=outside / inside if inside is not None and inside > 0 else None,
    )


@dataclass(frozen=True)
class ParameterStability:
    """How steady one parameter was over the windows that chose.

    `unchanged_share` is the share of steps from one window to the next that kept it. For numbers `mean`, `lowest`, `highest` and
    `steadiness`: 1 minus the mean step as a share of the range that was searched (1: never moved, near 0: jumped across the range).
    """

    name: str
    values: tuple[Any, ...]
    unchanged_share: float
    mean: float | None
    lowest: float | None
    highest: float | None
    steadiness: float | None


def parameter_stability(pieces: Sequence[Piece], *, ranges: dict[str, tuple[float, float]] | None = None) -> list[ParameterStability]:
    """Steadiness of every parameter; `ranges` are the lowest and highest value searched (the chosen ones where a name is missing)."""
    chosen = [piece.choice.parameters for piece in pieces if piece.choice]
    names = list(dict.fromkeys(name for parameters in chosen for name in parameters))
    return [_stability(name, tuple(item[name] for item in chosen if name in item), (ranges or {}).get(name)) for name in names]


def _stability(name: str, values: tuple[Any, ...], searched: tuple[float, float] | None) -> ParameterStability:
    kept = [left == right for left, right in pairwise(values)]
    unchanged = sum(kept) / len(kept) if kept else 1.0
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return ParameterStability(name, values, unchanged, None, None, None, None)
    numbers = np.array(values, dtype=np.float64)
    low, high = searched or (float(numbers.min()), float(numbers.max()))
    step = float(np.abs(np.diff(numbers)).mean()) if len(numbers) > 1 else 0.0
    steadiness = 1.0 - step / (high - low) if high > low else 1.0
    return ParameterStability(name, values, unchanged, float(numbers.mean()), float(numbers.min()), float(numbers.max()), steadiness)
