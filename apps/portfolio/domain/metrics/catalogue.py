"""The list of all figures: what pages, API and exports show, in this order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FigureUnit(StrEnum):
    """PERCENT values are fractions: 0.05 is shown as 5 %. MONEY is in the account's currency, DAYS are calendar days of 24 hours."""

    PERCENT = "percent"
    RATIO = "ratio"
    MONEY = "money"
    DAYS = "days"
    COUNT = "count"


class FigureGroup(StrEnum):
    RETURN = "return"
    RISK = "risk"
    DRAWDOWN = "drawdown"
    TRADES = "trades"
    EXITS = "exits"
    ACTIVITY = "activity and costs"
    BENCHMARK = "against buy and hold"
    INDEX = "against the index"


@dataclass(frozen=True)
class FigureDefinition:
    """What a figure is; `is_higher_better` is None where neither direction is better in itself."""

    key: str
    title: str
    unit: FigureUnit
    group: FigureGroup
    is_higher_better: bool | None
    help: str


@dataclass(frozen=True)
class Figure:
    """A figure with its value; None where there is too little to say."""

    definition: FigureDefinition
    value: float | None

    def as_dict(self) -> dict[str, Any]:
        """The figure as JSON takes it."""
        what = self.definition
        return {
            "key": what.key,
            "title": what.title,
            "unit": what.unit.value,
            "group": what.group.value,
            "is_higher_better": what.is_higher_better,
            "help": what.help,
            "value": self.value,
        }


_PERCENT, _RATIO, _MONEY, _DAYS, _COUNT = FigureUnit
_Row = tuple[str, str, FigureUnit, bool | None, str]

_RETURN: tuple[_Row, ...] = (
    ("total_return", "Total return", _PERCENT, True, "Last equity over the first, less one."),
    ("annual_return", "Return a year", _PERCENT, True, "Total return as a compound rate a year."),
    ("sharpe", "Sharpe ratio", _RATIO, True, "Mean daily return above the risk-free rate over its standard deviation, a year."),
    ("sortino", "Sortino ratio", _RATIO, True, "Mean daily return above the risk-free rate over the downside deviation, a year."),
    ("calmar", "Calmar ratio", _RATIO, True, "Return a year over the deepest drawdown."),
    ("omega", "Omega ratio", _RATIO, True, "Sum of daily returns above the risk-free rate over the sum of those below."),
    ("probabilistic_sharpe", "Chance of a Sharpe above zero", _PERCENT, True,
     "Probability that the true Sharpe ratio is above zero, given the length, skew and kurtosis of the record."),
)  # fmt: skip
_RISK: tuple[_Row, ...] = (
    ("volatility", "Volatility a year", _PERCENT, False, "Standard deviation of daily returns, scaled to a year."),
    ("downside_deviation", "Downside deviation a year", _PERCENT, False,
     "Root mean square of daily returns below the risk-free rate, scaled to a year."),
    ("value_at_risk_95", "Value at risk, 95 %", _PERCENT, False, "Loss of a day that 95 % of all days stayed within."),
    ("value_at_risk_99", "Value at risk, 99 %", _PERCENT, False, "Loss of a day that 99 % of all days stayed within."),
    ("conditional_value_at_risk_95", "Expected shortfall, 95 %", _PERCENT, False, "Mean loss of the worst 5 % of days."),
    ("conditional_value_at_risk_99", "Expected shortfall, 99 %", _PERCENT, False, "Mean loss of the worst 1 % of days."),
    ("skew", "Skew", _RATIO, True, "Third moment of daily returns: below zero, large losses are more common than large gains."),
    ("kurtosis", "Excess kurtosis", _RATIO, False, "Fourth moment of daily returns less 3: above zero, extreme days are more common than normal."),
    ("tail_ratio", "Tail ratio", _RATIO, True, "Gain of the best twentieth of days over loss of the worst twentieth, at their edges."),
)  # fmt: skip
_DRAWDOWN: tuple[_Row, ...] = (
    ("max_drawdown", "Deepest drawdown", _PERCENT, False, "Largest fall of daily equity from a peak, as a part of the peak."),
    ("max_drawdown_within_days", "Deepest drawdown at any point", _PERCENT, False, "Largest fall from a peak with every point within days counted."),
    ("average_drawdown", "Average drawdown", _PERCENT, False, "Mean depth of all falls from a peak."),
    ("longest_drawdown_days", "Longest drawdown", _DAYS, False, "Longest time below a peak, from the peak until it was reached again."),
    ("average_drawdown_days", "Average length of a drawdown", _DAYS, False, "Mean time below a peak."),
    ("recovery_days", "Recovery of the deepest drawdown", _DAYS, False, "Days from the valley of the deepest fall until its peak was reached again."),
    ("ulcer_index", "Ulcer index", _PERCENT, False, "Root mean square of the depth below the peak, over all days."),
)  # fmt: skip
_TRADES: tuple[_Row, ...] = (
    ("trades", "Closed trades", _COUNT, None, "Round trips."),
    ("win_rate", "Win rate", _PERCENT, True, "Part of the trades that earned money after fees."),
    ("profit_factor", "Profit factor", _RATIO, True, "Money won over money lost."),
    ("expectancy", "Expectancy", _MONEY, True, "What a trade earned on average, after fees."),
    ("expectancy_ratio", "Expectancy ratio", _RATIO, True, "What a trade earned on average, counted in average losses."),
    ("payoff_ratio", "Payoff ratio", _RATIO, True, "Average win over average loss."),
    ("average_trade_return", "Average trade", _PERCENT, True, "Mean of what each trade earned over the value that it was entered with."),
    ("average_win", "Average win", _MONEY, True, "Mean of the trades that earned money."),
    ("average_loss", "Average loss", _MONEY, True, "Mean of the trades that lost money."),
    ("largest_win", "Largest win", _MONEY, True, "The best trade."),
    ("largest_loss", "Largest loss", _MONEY, True, "The worst trade."),
    ("longest_winning_streak", "Longest winning streak", _COUNT, True, "Most trades won in a row."),
    ("longest_losing_streak", "Longest losing streak", _COUNT, False, "Most trades lost in a row."),
    ("average_trade_days", "Average time in a trade", _DAYS, None, "Mean time from opening to closing."),
    ("longest_trade_days", "Longest time in a trade", _DAYS, None, "Longest time from opening to closing."),
)  # fmt: skip
_EXITS: tuple[_Row, ...] = (
    ("signal_share", "Ended by signal", _PERCENT, None, "Part of the trades that the strategy's signal ended."),
    ("signal_average", "Earned when ended by signal", _MONEY, True, "What such a trade earned on average."),
    ("stop_share", "Ended by stop", _PERCENT, None, "Part of the trades that their stop ended."),
    ("stop_average", "Earned when stopped", _MONEY, True, "What such a trade earned on average."),
    ("target_share", "Ended by target", _PERCENT, None, "Part of the trades that their target ended."),
    ("target_average", "Earned at the target", _MONEY, True, "What such a trade earned on average."),
    ("trailing_share", "Ended by trailing stop", _PERCENT, None, "Part of the trades that their trailing stop ended."),
    ("trailing_average", "Earned at the trailing stop", _MONEY, True, "What such a trade earned on average."),
    ("target_after_stop", "Target reached after the stop", _PERCENT, False,
     "Part of the stopped trades whose target was touched within the next 20 bars: high when stops are too near."),
)  # fmt: skip
_ACTIVITY: tuple[_Row, ...] = (
    ("time_in_market", "Time in the market", _PERCENT, None, "Part of the time in which something was held."),
    ("average_exposure", "Average exposure", _PERCENT, None, "Mean of the gross value held over equity."),
    ("turnover", "Turnover a year", _RATIO, None, "Value bought and sold over mean equity, a year."),
    ("fees", "Fees", _MONEY, False, "Fees of all closed trades."),
    ("slippage", "Slippage", _MONEY, False, "Paid against the price wished, over all closed trades."),
    ("costs_of_gross_profit", "Costs of gross profit", _PERCENT, False, "Fees and slippage over what was earned before them."),
)  # fmt: skip
_RELATIVE: tuple[_Row, ...] = (
    ("return", "Return of {}", _PERCENT, None, "What {} returned over the same days."),
    ("excess_return", "Return above {}", _PERCENT, True, "Total return over the common days less the return of {}."),
    ("alpha", "Alpha", _PERCENT, True, "Return a year that {} does not explain."),
    ("beta", "Beta", _RATIO, None, "How much equity moves when {} moves by one."),
    ("correlation", "Correlation", _RATIO, None, "How closely daily returns follow those of {}, from -1 to 1."),
    ("information_ratio", "Information ratio", _RATIO, True, "Mean daily return above {} over the tracking error, a year."),
    ("tracking_error", "Tracking error", _PERCENT, False, "Standard deviation of the difference of daily returns from {}, a year."),
    ("up_capture", "Up capture", _PERCENT, True, "Mean return on days on which {} rose, over its own."),
    ("down_capture", "Down capture", _PERCENT, False, "Mean return on days on which {} fell, over its own."),
)  # fmt: skip


def _group(group: FigureGroup, rows: tuple[_Row, ...]) -> list[FigureDefinition]:
    return [FigureDefinition(key, title, unit, group, better, text) for key, title, unit, better, text in rows]


def _relative(group: FigureGroup, prefix: str, name: str) -> list[FigureDefinition]:
    rows = tuple((f"{prefix}_{key}", title.format(name), unit, better, text.format(name)) for key, title, unit, better, text in _RELATIVE)
    return _group(group, rows)


_ALL = [
    *_group(FigureGroup.RETURN, _RETURN),
    *_group(FigureGroup.RISK, _RISK),
    *_group(FigureGroup.DRAWDOWN, _DRAWDOWN),
    *_group(FigureGroup.TRADES, _TRADES),
    *_group(FigureGroup.EXITS, _EXITS),
    *_group(FigureGroup.ACTIVITY, _ACTIVITY),
    *_relative(FigureGroup.BENCHMARK, "benchmark", "buy and hold"),
    *_relative(FigureGroup.INDEX, "index", "the index"),
]
FIGURES: dict[str, FigureDefinition] = {definition.key: definition for definition in _ALL}
"""Every figure by its key, in the order in which they are shown."""
