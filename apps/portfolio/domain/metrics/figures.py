"""All figures of an account or a backtest in one call."""

from __future__ import annotations

import math
from collections.abc import Mapping

from apps.portfolio.domain.metrics import drawdowns, exits, relative, returns, trading
from apps.portfolio.domain.metrics.catalogue import FIGURES, Figure
from apps.portfolio.domain.records import EquitySeries, ExitReason, PriceBars, TradeRecords

Values = Mapping[str, float | None]

_EXITS = {
    "signal": ExitReason.SIGNAL,
    "stop": ExitReason.STOP,
    "target": ExitReason.TARGET,
    "trailing": ExitReason.TRAILING,
}


def performance_figures(
    equity: EquitySeries,
    trades: TradeRecords,
    *,
    benchmark: EquitySeries | None = None,
    index: EquitySeries | None = None,
    per_year: float | None = None,
    risk_free: float = 0.0,
    bars: PriceBars | None = None,
) -> dict[str, Figure]:
    """Every figure of FIGURES, in that order; a figure's value is None where there is too little to say or nothing to compare with.

    `benchmark` is the instrument bought and held, `index` an index: equity or prices over the same time, in any currency. `per_year` is
    the number of days in a year of returns (default: 365 if equity has points on weekends, else 252), `risk_free` a yearly rate.
    `bars` of the traded instrument tell whether stops were too near. A value that is not finite is given as None.
    """
    year = equity.days_per_year if per_year is None else per_year
    values: dict[str, float | None] = {
        **_return_values(equity, year, risk_free),
        **_risk_values(equity, year, risk_free),
        **_drawdown_values(equity),
        **_trade_values(trades),
        **_exit_values(trades, bars),
        **_activity_values(equity, trades, year),
        **_relative_values("benchmark", equity, benchmark, year, risk_free),
        **_relative_values("index", equity, index, year, risk_free),
    }
    return {key: Figure(definition, _number(values[key])) for key, definition in FIGURES.items()}


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _return_values(equity: EquitySeries, year: float, risk_free: float) -> Values:
    daily = equity.daily.values
    return {
        "total_return": returns.total_return(equity.equity),
        "annual_return": returns.annual_return(daily, per_year=year),
        "sharpe": returns.sharpe(daily, per_year=year, risk_free=risk_free),
        "sortino": returns.sortino(daily, per_year=year, risk_free=risk_free),
        "calmar": drawdowns.calmar(daily, per_year=year),
        "omega": returns.omega(daily, per_year=year, risk_free=risk_free),
        "probabilistic_sharpe": returns.probabilistic_sharpe(daily, per_year=year, risk_free=risk_free),
    }


def _risk_values(equity: EquitySeries, year: float, risk_free: float) -> Values:
    daily = equity.daily.values
    return {
        "volatility": returns.volatility(daily, per_year=year),
        "downside_deviation": returns.downside_deviation(daily, per_year=year, risk_free=risk_free),
        "value_at_risk_95": returns.value_at_risk(daily, level=0.95),
        "value_at_risk_99": returns.value_at_risk(daily, level=0.99),
        "conditional_value_at_risk_95": returns.conditional_value_at_risk(daily, level=0.95),
        "conditional_value_at_risk_99": returns.conditional_value_at_risk(daily, level=0.99),
        "skew": returns.skew(daily),
        "kurtosis": returns.kurtosis(daily),
        "tail_ratio": returns.tail_ratio(daily),
    }


def _drawdown_values(equity: EquitySeries) -> Values:
    daily = equity.daily
    return {
        "max_drawdown": drawdowns.max_drawdown(daily.values),
        "max_drawdown_within_days": drawdowns.max_drawdown(equity.equity),
        "average_drawdown": drawdowns.average_drawdown(daily),
        "longest_drawdown_days": drawdowns.longest_drawdown_days(daily),
        "average_drawdown_days": drawdowns.average_drawdown_days(daily),
        "recovery_days": drawdowns.recovery_days(daily),
        "ulcer_index": drawdowns.ulcer_index(daily.values),
    }


def _trade_values(trades: TradeRecords) -> Values:
    results = trades.results
    return {
        "trades": len(trades),
        "win_rate": trading.win_rate(results),
        "profit_factor": trading.profit_factor(results),
        "expectancy": trading.expectancy(results),
        "expectancy_ratio": trading.expectancy_ratio(results),
        "payoff_ratio": trading.payoff_ratio(results),
        "average_trade_return": trading.average_trade_return(trades),
        "average_win": trading.average_win(results),
        "average_loss": trading.average_loss(results),
        "largest_win": trading.largest_win(results),
        "largest_loss": trading.largest_loss(results),
        "longest_winning_streak": trading.longest_winning_streak(results),
        "longest_losing_streak": trading.longest_losing_streak(results),
        "average_trade_days": trading.average_trade_days(trades),
        "longest_trade_days": trading.longest_trade_days(trades),
    }


def _exit_values(trades: TradeRecords, bars: PriceBars | None) -> Values:
    shares = {f"{name}_share": exits.exit_share(trades, reason) for name, reason in _EXITS.items()}
    averages = {f"{name}_average": exits.exit_average(trades, reason) for name, reason in _EXITS.items()}
    return {**shares, **averages, "target_after_stop": None if bars is None else exits.target_after_stop(trades, bars)}


def _activity_values(equity: EquitySeries, trades: TradeRecords, year: float) -> Values:
    return {
        "time_in_market": trading.time_in_market(equity, trades),
        "average_exposure": trading.average_exposure(equity),
        "turnover": trading.turnover(equity, trades, per_year=year),
        "fees": float(trades.fees.sum()),
        "slippage": None if trades.slippage is None else float(trades.slippage.sum()),
        "costs_of_gross_profit": trading.costs_of_gross_profit(trades),
    }


def _relative_values(prefix: str, equity: EquitySeries, other: EquitySeries | None, year: float, risk_free: float) -> Values:
    """Common days are as frequent as those of the sparser of the two: an index without weekends makes a year of 252 days."""
    paired = relative.pair(equity.daily, other.daily) if other is not None else None
    values = _against(paired, min(year, other.days_per_year), risk_free) if other is not None and paired is not None else {}
    return {key: values.get(key.removeprefix(f"{prefix}_")) for key in FIGURES if key.startswith(f"{prefix}_")}


def _against(paired: relative.Paired, year: float, risk_free: float) -> Values:
    return {
        "return": paired.other_return,
        "excess_return": paired.own_return - paired.other_return,
        "alpha": relative.alpha(paired, per_year=year, risk_free=risk_free),
        "beta": relative.beta(paired),
        "correlation": relative.correlation(paired),
        "information_ratio": relative.information_ratio(paired, per_year=year),
        "tracking_error": relative.tracking_error(paired, per_year=year),
        "up_capture": relative.up_capture(paired),
        "down_capture": relative.down_capture(paired),
    }
