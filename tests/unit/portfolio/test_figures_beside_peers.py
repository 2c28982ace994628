"""The figures against empyrical-reloaded and quantstats, on random walks (a fresh, printed seed each run) and on twenty years of indices.

Where a peer's convention differs, its value is converted, and the conversion says how.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import empyrical
import numpy as np
import pandas as pd
import pytest
import quantstats
from scipy.stats import norm

from apps.core.vocabulary import Timeframe
from apps.markets.adapters.bundled.source import BundledSource
from apps.portfolio.domain import metrics
from apps.portfolio.domain.metrics.drawdowns import drawdowns
from apps.portfolio.domain.metrics.returns import daily_rate
from apps.portfolio.domain.records import DAY_MICROS, EquitySeries, FloatArray, no_trades

QS: Any = quantstats.stats
"""Half of it is typed."""
YEAR = 252
RISK_FREE = 0.025
RATE = daily_rate(RISK_FREE, per_year=YEAR)


@dataclass(frozen=True, eq=False)
class Case:
    """One history, as we and as the peers take it."""

    equity: EquitySeries
    benchmark: EquitySeries
    returns: pd.Series[float]
    other: pd.Series[float]
    figures: dict[str, metrics.Figure]

    def value(self, key: str) -> float:
        value = self.figures[key].value
        assert value is not None, key
        return value

    @property
    def active(self) -> pd.Series[float]:
        return self.returns - self.other


def make_case(equity: EquitySeries, benchmark: EquitySeries) -> Case:
    dates = pd.to_datetime(equity.daily.days[1:], unit="D")
    own, other = (pd.Series(metrics.daily_returns(series.daily.values), index=dates) for series in (equity, benchmark))
    figures = metrics.performance_figures(equity, no_trades(), benchmark=benchmark, per_year=YEAR, risk_free=RISK_FREE)
    return Case(equity, benchmark, own, other, figures)


def random_walk(seed: int) -> Case:
    """Four years of business days: fat-tailed market returns, and own returns that follow them in part."""
    generator = np.random.default_rng(seed)
    days = np.busday_offset("2011-01-03", np.arange(1000), roll="forward").astype(np.int64)
    market = generator.standard_t(4, 999) * 0.008 + generator.normal(0, 0.0005)
    own = 0.6 * market + generator.standard_t(5, 999) * 0.006 + generator.normal(0, 0.0005)
    curves = (np.concatenate(([start], start * np.cumprod(1 + moves))) for start, moves in ((100_000.0, own), (1_500.0, market)))
    return make_case(*(EquitySeries(days * DAY_MICROS, curve) for curve in curves))


def indices() -> Case:
    """S&P 500 as the account, NASDAQ as what it is compared with, 1999 to 2018."""
    bars = {symbol: BundledSource().bars(symbol, Timeframe.D1, since=None, until=None) for symbol in ("SP500", "NASDAQ")}
    own, other = (EquitySeries(bar.closed_at, np.asarray(bar.close, np.float64)) for bar in bars.values())
    return make_case(own, other)


@pytest.fixture(scope="module", params=["walk 1", "walk 2", "walk 3", "indices"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "indices":
        return indices()
    seed = int(np.random.SeedSequence().generate_state(1)[0])
    print(f"seed {seed}")
    return random_walk(seed)


def geometric_mean(returns: pd.Series[float]) -> float:
    return math.expm1(float(np.log1p(returns).mean()))


EMPYRICAL: dict[str, Callable[[Case], float]] = {
    "total_return": lambda case: empyrical.cum_returns_final(case.returns),
    "annual_return": lambda case: empyrical.annual_return(case.returns, annualization=YEAR),
    "volatility": lambda case: empyrical.annual_volatility(case.returns, annualization=YEAR),
    # empyrical takes the risk-free rate of a day where we take that of a year.
    "sharpe": lambda case: empyrical.sharpe_ratio(case.returns, risk_free=RATE, annualization=YEAR),
    "sortino": lambda case: empyrical.sortino_ratio(case.returns, required_return=RATE, annualization=YEAR),
    "downside_deviation": lambda case: empyrical.downside_risk(case.returns, required_return=RATE, annualization=YEAR),
    "omega": lambda case: empyrical.omega_ratio(case.returns, risk_free=RATE, annualization=YEAR),
    "calmar": lambda case: empyrical.calmar_ratio(case.returns, annualization=YEAR),
    # Losses are negative there, positive here.
    "max_drawdown": lambda case: -empyrical.max_drawdown(case.returns),
    "value_at_risk_95": lambda case: -empyrical.value_at_risk(case.returns, 0.05),
    "value_at_risk_99": lambda case: -empyrical.value_at_risk(case.returns, 0.01),
    "conditional_value_at_risk_95": lambda case: -empyrical.conditional_value_at_risk(case.returns, 0.05),
    "conditional_value_at_risk_99": lambda case: -empyrical.conditional_value_at_risk(case.returns, 0.01),
    "tail_ratio": lambda case: empyrical.tail_ratio(case.returns),
    "benchmark_beta": lambda case: empyrical.beta(case.returns, case.other, risk_free=RATE),
    # empyrical compounds the daily intercept over a year, we multiply it.
    "benchmark_alpha": lambda case: (
        ((1 + empyrical.alpha(case.returns, case.other, risk_free=RATE, annualization=YEAR)) ** (1 / YEAR) - 1) * YEAR
    ),
    # empyrical leaves the ratio per day.
    "benchmark_information_ratio": lambda case: empyrical.excess_sharpe(case.returns, case.other) * math.sqrt(YEAR),
    "benchmark_tracking_error": lambda case: empyrical.annual_volatility(case.active, annualization=YEAR),
    "benchmark_return": lambda case: empyrical.cum_returns_final(case.other),
    "benchmark_excess_return": lambda case: empyrical.cum_returns_final(case.returns) - empyrical.cum_returns_final(case.other),
}

QUANTSTATS: dict[str, Callable[[Case], float]] = {
    "total_return": lambda case: QS.comp(case.returns),
    "annual_return": lambda case: QS.cagr(case.returns, periods=YEAR),
    "volatility": lambda case: QS.volatility(case.returns, periods=YEAR),
    "sharpe": lambda case: QS.sharpe(case.returns, rf=RISK_FREE, periods=YEAR),
    "sortino": lambda case: QS.sortino(case.returns, rf=RISK_FREE, periods=YEAR),
    "omega": lambda case: QS.omega(case.returns, rf=RISK_FREE, periods=YEAR),
    "calmar": lambda case: QS.calmar(case.returns, periods=YEAR),
    "max_drawdown": lambda case: -QS.max_drawdown(case.returns),
    # The root mean square over all days there divides by one day less.
    "ulcer_index": lambda case: QS.ulcer_index(case.returns) * math.sqrt((len(case.returns) - 1) / len(case.returns)),
    "conditional_value_at_risk_95": lambda case: -QS.cvar(case.returns, confidence=0.95, method="historical"),
    "conditional_value_at_risk_99": lambda case: -QS.cvar(case.returns, confidence=0.99, method="historical"),
    "tail_ratio": lambda case: QS.tail_ratio(case.returns),
    "benchmark_beta": lambda case: QS.greeks(case.returns, case.other, periods=YEAR)["beta"],
    # quantstats knows no risk-free rate here: taken off both series before.
    "benchmark_alpha": lambda case: QS.greeks(case.returns - RATE, case.other - RATE, periods=YEAR)["alpha"],
    "benchmark_information_ratio": lambda case: QS.information_ratio(case.returns, case.other) * math.sqrt(YEAR),
    "benchmark_correlation": lambda case: math.copysign(math.sqrt(QS.r_squared(case.returns, case.other)), case.value("benchmark_beta")),
}


@pytest.mark.parametrize("key", EMPYRICAL)
def test_empyrical_agrees(case: Case, key: str) -> None:
    assert case.value(key) == pytest.approx(float(EMPYRICAL[key](case)), rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("key", QUANTSTATS)
def test_quantstats_agrees(case: Case, key: str) -> None:
    assert case.value(key) == pytest.approx(float(QUANTSTATS[key](case)), rel=1e-9, abs=1e-13)


def test_capture_is_that_of_empyrical_before_it_scales_to_a_year(case: Case) -> None:
    """empyrical compounds each mean to a year before it divides."""
    for key, days, peer in (("up", case.other > 0, empyrical.up_capture), ("down", case.other < 0, empyrical.down_capture)):
        own, other = geometric_mean(case.returns[days]), geometric_mean(case.other[days])
        assert case.value(f"benchmark_{key}_capture") == pytest.approx(own / other, rel=1e-9)
        assert math.expm1(math.log1p(own) * YEAR) / math.expm1(math.log1p(other) * YEAR) == pytest.approx(
            peer(case.returns, case.other), rel=1e-9
        )


def test_moments_are_those_of_quantstats_without_its_correction_for_small_samples(case: Case) -> None:
    n = len(case.returns)
    assert case.value("skew") * math.sqrt(n * (n - 1)) / (n - 2) == pytest.approx(QS.skew(case.returns), rel=1e-8)
    corrected = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * case.value("kurtosis") + 6)
    assert corrected == pytest.approx(QS.kurtosis(case.returns), rel=1e-8)


def test_probabilistic_sharpe_is_that_of_quantstats_with_population_moments(case: Case) -> None:
    """quantstats takes the corrected moments: put into our inputs, they give its probability."""
    ours = metrics.sharpe_inputs(case.equity.daily.values, per_year=YEAR, risk_free=RISK_FREE)
    assert ours is not None
    assert case.value("probabilistic_sharpe") == ours.chance_above(0.0)
    skew, kurtosis = QS.skew(case.returns), QS.kurtosis(case.returns) + 3
    with_their_moments = metrics.SharpeInputs(ours.sharpe, ours.returns, float(skew), float(kurtosis))
    theirs = QS.probabilistic_sharpe_ratio(case.returns, rf=RISK_FREE, periods=YEAR)
    assert with_their_moments.chance_above(0.0) == pytest.approx(theirs, rel=1e-9)


def test_value_at_risk_is_historical_where_quantstats_assumes_a_normal_distribution(case: Case) -> None:
    mean, deviation = case.returns.mean(), case.returns.std()
    theirs = QS.value_at_risk(case.returns, confidence=0.95)
    assert theirs == pytest.approx(float(norm.ppf(0.05, mean, deviation)))
    assert case.value("value_at_risk_95") == pytest.approx(-case.returns.quantile(0.05), rel=1e-12)


def test_drawdowns_are_those_of_quantstats(case: Case) -> None:
    """quantstats counts from the first day below the peak to the last, we from the peak to the day that reaches it again.

    It loses a fall that begins on the first day, unless the start stands before it.
    """
    depth = QS.to_drawdown_series(case.returns)
    start = pd.Series([0.0], index=[depth.index[0] - pd.Timedelta(days=1)])
    theirs = QS.drawdown_details(pd.concat([start, depth]))
    ours = drawdowns(case.equity.daily)
    depths = np.array([fall.depth for fall in ours])
    assert depths == pytest.approx(-theirs["max drawdown"].to_numpy() / 100, rel=1e-6, abs=1e-12)
    valleys = [str(np.datetime64(fall.valley, "D")) for fall in ours]
    assert valleys == theirs["valley"].tolist()
    days: FloatArray = case.equity.daily.days.astype(np.float64)
    starts = [str(np.datetime64(int(days[np.searchsorted(days, fall.peak) + 1]), "D")) for fall in ours]
    assert starts == theirs["start"].tolist()
    assert case.value("average_drawdown") == pytest.approx(depths.mean())
