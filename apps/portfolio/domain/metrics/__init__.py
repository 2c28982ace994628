"""Performance figures from equity over time and closed trades; None where there is too little to say.

`performance_figures` gives all of them with the list `FIGURES`; the single functions are for those who need one. Conventions stand at the
top of each module: `returns` (daily returns), `drawdowns`, `trading` (closed trades), `exits`, `relative` (beside a benchmark).
"""

from __future__ import annotations

from apps.portfolio.domain.metrics.catalogue import FIGURES, Figure, FigureDefinition, FigureGroup, FigureUnit
from apps.portfolio.domain.metrics.drawdowns import max_drawdown
from apps.portfolio.domain.metrics.figures import performance_figures
from apps.portfolio.domain.metrics.returns import (
    LEAST_DAYS,
    SharpeInputs,
    annual_return,
    daily_returns,
    days_per_year,
    sharpe,
    sharpe_inputs,
    volatility,
)
from apps.portfolio.domain.metrics.trading import profit_factor, win_rate

__all__ = [
    "FIGURES",
    "LEAST_DAYS",
    "Figure",
    "FigureDefinition",
    "FigureGroup",
    "FigureUnit",
    "SharpeInputs",
    "annual_return",
    "daily_returns",
    "days_per_year",
    "max_drawdown",
    "performance_figures",
    "profit_factor",
    "sharpe",
    "sharpe_inputs",
    "volatility",
    "win_rate",
]
