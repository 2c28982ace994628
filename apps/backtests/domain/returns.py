"""Small arithmetic on series of returns that the judging statistics share. A return is simple (0.01 = 1 %), one per bar, oldest first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

_NO_SPREAD = 1e-12
"""A spread this far below the size of the returns is rounding, not risk."""


def require_returns(returns: npt.ArrayLike, *, name: str = "returns", minimum: int = 2) -> FloatArray:
    """`returns` as a float array; raises InvalidInput when it is too short, not one-dimensional or holds NaN or infinity."""
    array = np.asarray(returns, dtype=np.float64)
    if array.ndim != 1 or len(array) < minimum:
        raise InvalidInput(f"{name} needs at least {minimum} values in one row, got shape {array.shape}.", where=name)
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise InvalidInput(f"{name} holds {array[bad[0]]} at position {bad[0]}.", where=name, hint="Only finite returns can be judged.")
    return array


def sharpe_ratio(returns: npt.ArrayLike, *, bars_per_year: float = 1.0) -> float:
    """Mean over standard deviation (ddof 1) times the root of `bars_per_year`; NaN when nothing varies. Leave 1 for the ratio per bar."""
    array = require_returns(returns)
    spread = float(array.std(ddof=1))
    if spread <= _NO_SPREAD * float(np.abs(array).max()):
        return float("nan")
    return float(array.mean()) / spread * float(np.sqrt(bars_per_year))


def total_return(returns: npt.ArrayLike) -> float:
    """What compounding the returns gains; -1 once everything is lost (a loss of more than all there is counts as all)."""
    growth = np.maximum(1.0 + np.asarray(returns, dtype=np.float64), 0.0)
    return float(np.prod(growth)) - 1.0


def drawdowns(equity: FloatArray) -> FloatArray:
    """Loss from the highest point so far as a positive share of it, along the last axis. The equity must begin above zero."""
    return np.asarray(1.0 - equity / np.maximum.accumulate(equity, axis=-1), dtype=np.float64)


def max_drawdown(returns: npt.ArrayLike) -> float:
    """The deepest drawdown of the compounded returns, counted from the capital before the first of them."""
    growth = np.maximum(1.0 + np.asarray(returns, dtype=np.float64), 0.0)
    return float(drawdowns(np.concatenate([[1.0], np.cumprod(growth)])).max())
