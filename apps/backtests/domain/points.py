"""What a sweep keeps of each of its points: figures, the hash of the fills, and returns in equal parts for the tests of overfitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from apps.backtests.domain.cross_validation import backtest_overfitting
from apps.backtests.domain.overfitting import SharpeStatistics
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.returns import FloatArray
from apps.backtests.domain.scoring import block_returns, measure, sharpe_statistics
from apps.core.errors import InvalidInput
from apps.markets.contracts import BarWindow
from apps.portfolio.domain.metrics import FIGURES

KEPT_FIGURES = (
    "total_return", "annual_return", "sharpe", "sortino", "calmar", "volatility", "max_drawdown", "trades", "win_rate", "profit_factor",
    "expectancy", "time_in_market", "turnover", "fees",
)  # fmt: skip
_BLOCKS = 16
_LEAST_PARTS = 2 * _BLOCKS


@dataclass(frozen=True, eq=False)
class PointResult:
    """What came of a point; with an `error` nothing else is known."""

    metrics: dict[str, float | None] = field(default_factory=dict)
    fills_hash: str = ""
    returns: FloatArray = field(default_factory=lambda: np.empty(0))
    statistics: SharpeStatistics | None = None
    error: str = ""


def point_result(records: RunRecords, bars: Sequence[BarWindow], *, objective: str) -> PointResult:
    """The records of a point boiled down."""
    measured = measure(records, bars)
    figures = measured.figures()
    kept = {key: figures[key] for key in (*KEPT_FIGURES, objective)}
    return PointResult(kept, records.fills_hash(), block_returns(measured.equity), sharpe_statistics(measured.equity))


def score_of(metrics: dict[str, float | None], objective: str) -> float | None:
    """The objective as a number of which larger is better; None where it is not known."""
    value = metrics.get(objective)
    return value if value is None or FIGURES[objective].is_higher_better is not False else -value


def check_objective(objective: str) -> None:
    """Raise InvalidInput for what is no figure, or one of which neither more nor less is better."""
    if objective not in FIGURES or FIGURES[objective].is_higher_better is None:
        known = ", ".join(key for key, figure in FIGURES.items() if figure.is_higher_better is not None)
        raise InvalidInput(f"There is no objective {objective!r}.", where="objective", hint=f"Known: {known}.")


def sweep_overfitting(returns: Sequence[FloatArray]) -> dict[str, Any] | None:
    """The probability of backtest overfitting over all points, as JSON; None with fewer than two points or too few returns."""
    lengths = [len(row) for row in returns if len(row)]
    if len(lengths) < 2 or min(lengths) != max(lengths) or lengths[0] < _LEAST_PARTS:
        return None
    found = backtest_overfitting(np.column_stack([row for row in returns if len(row)]), blocks=_BLOCKS)
    slope = found.slope if np.isfinite(found.slope) else None
    return {"probability": found.probability, "probability_of_loss": found.probability_of_loss, "slope": slope, "points": len(lengths)}
