"""Figures against values worked out by hand, and None where there is nothing to say."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest

from apps.portfolio.domain import metrics

STEADY = np.array([100.0 * 1.001**day for day in range(253)])
ZIGZAG = np.array([100.0 * (1.02 if day % 2 else 1.0) for day in range(101)])


def test_annual_return_compounds() -> None:
    assert metrics.annual_return(STEADY, per_year=252.0) == pytest.approx(1.001**252 - 1)
    assert metrics.annual_return(STEADY, per_year=504.0) == pytest.approx(1.001**504 - 1)


def test_volatility_and_sharpe_of_a_zigzag() -> None:
    returns = np.array([0.02, 1 / 1.02 - 1] * 50)
    deviation = returns.std(ddof=1)
    assert metrics.volatility(ZIGZAG, per_year=252.0) == pytest.approx(deviation * math.sqrt(252))
    assert metrics.sharpe(ZIGZAG, per_year=252.0) == pytest.approx(returns.mean() / deviation * math.sqrt(252))


def test_sharpe_of_what_never_moved_is_not_defined() -> None:
    assert metrics.sharpe(np.full(50, 100.0), per_year=252.0) is None
    assert metrics.volatility(np.full(50, 100.0), per_year=252.0) == 0.0


def test_max_drawdown_is_from_the_highest_before() -> None:
    assert metrics.max_drawdown(np.array([100.0, 120.0, 90.0, 130.0, 117.0])) == pytest.approx(0.25)
    assert metrics.max_drawdown(STEADY) == 0.0


def test_too_little_history_says_nothing() -> None:
    short = STEADY[: metrics.LEAST_DAYS]
    assert metrics.annual_return(short, per_year=252.0) is None
    assert metrics.volatility(short, per_year=252.0) is None
    assert metrics.sharpe(short, per_year=252.0) is None
    assert metrics.annual_return(STEADY[: metrics.LEAST_DAYS + 1], per_year=252.0) is not None
    assert metrics.max_drawdown(np.array([100.0])) is None


def test_an_equity_that_is_not_positive_has_no_returns() -> None:
    assert len(metrics.daily_returns(np.array([100.0, 0.0, 50.0]))) == 0
    assert len(metrics.daily_returns(np.array([100.0, np.nan]))) == 0


def test_trades() -> None:
    results = np.array([10.0, -5.0, 0.0, 20.0])
    assert metrics.win_rate(results) == 0.5
    assert metrics.profit_factor(results) == 6.0
    assert metrics.profit_factor(np.array([1.0])) is None
    assert metrics.win_rate(np.array([])) is None


def test_a_year_has_252_days_unless_weekends_trade() -> None:
    monday = date(2008, 9, 15)
    assert metrics.days_per_year([monday + timedelta(days=day) for day in range(5)]) == 252.0
    assert metrics.days_per_year([monday + timedelta(days=day) for day in range(6)]) == 365.0
