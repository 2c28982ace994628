"""How far prices travel, and what that means for risk."""

from __future__ import annotations

import math
from statistics import NormalDist

from apps.markets.domain.indicators.definitions.parts import AVERAGES, WILDER_FIRST, rate_of_change, true_range
from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import (
    at_least,
    at_most,
    change,
    delay,
    deviation,
    ema,
    highest,
    log,
    lowest,
    ratio,
    root,
    sample_deviation,
    sma,
    total,
    variance,
    weighted,
)
from apps.markets.domain.indicators.registry import Number, Whole, indicator

KIND = "volatility"
_YEAR = Number(252.0, 1.0, 600_000.0)
_LOG_4 = 4.0 * math.log(2.0)


@indicator("true_range", KIND, "True range of a bar, the gap from the close before included.")
def _true_range(bars: Bars) -> Node:
    return true_range(bars)


@indicator(
    "atr",
    KIND,
    "Average true range; Wilder's average, seeded with the mean of the first `length` true ranges.",
    length=Whole(14),
    average=WILDER_FIRST,
)
def _atr(bars: Bars, length: int, average: str) -> Node:
    return AVERAGES[average](true_range(bars), length)


@indicator("natr", KIND, "Average true range in percent of the close.", length=Whole(14), average=WILDER_FIRST)
def _natr(bars: Bars, length: int, average: str) -> Node:
    return 100.0 * ratio(AVERAGES[average](true_range(bars), length), bars.close)


@indicator("average_range", KIND, "Mean of high - low.", length=Whole(20))
def _average_range(bars: Bars, length: int) -> Node:
    return sma(bars.high - bars.low, length)


@indicator("std", KIND, "Population standard deviation of the close.", length=Whole(20))
def _std(bars: Bars, length: int) -> Node:
    return deviation(bars.close, length)


@indicator("variance", KIND, "Population variance of the close.", length=Whole(20))
def _variance(bars: Bars, length: int) -> Node:
    return variance(bars.close, length)


@indicator(
    "realised_volatility", KIND, "Sample standard deviation of the log returns, a year's worth (0.2 is 20 percent).",
    length=Whole(20, least=2), bars_a_year=_YEAR,
)  # fmt: skip
def _realised_volatility(bars: Bars, length: int, bars_a_year: float) -> Node:
    return sample_deviation(log(ratio(bars.close, delay(bars.close, 1))), length) * math.sqrt(bars_a_year)


def _log_of(above: Node, below: Node) -> Node:
    return log(ratio(above, below))


@indicator("rogers_satchell", KIND, "Rogers and Satchell's volatility a bar, from the four prices; not moved by a drift.", length=Whole(20))
def _rogers_satchell(bars: Bars, length: int) -> Node:
    up = _log_of(bars.high, bars.close) * _log_of(bars.high, bars.open)
    down = _log_of(bars.low, bars.close) * _log_of(bars.low, bars.open)
    return root(at_least(sma(up + down, length), 0.0))


@indicator("parkinson", KIND, "Parkinson's volatility a bar, from high and low.", length=Whole(20))
def _parkinson(bars: Bars, length: int) -> Node:
    span = _log_of(bars.high, bars.low)
    return root(at_least(sma(span * span, length), 0.0) / _LOG_4)


@indicator("garman_klass", KIND, "Garman and Klass's volatility a bar, from the four prices.", length=Whole(20))
def _garman_klass(bars: Bars, length: int) -> Node:
    span, body = _log_of(bars.high, bars.low), _log_of(bars.close, bars.open)
    return root(at_least(sma(span * span * 0.5 - body * body * (2.0 * math.log(2.0) - 1.0), length), 0.0))


@indicator(
    "choppiness",
    KIND,
    "Choppiness index, 0 (straight) to 100 (to and fro): the sum of true ranges against the whole range, in logarithms.",
    length=Whole(14, least=2),
)
def _choppiness(bars: Bars, length: int) -> Node:
    whole = highest(bars.high, length) - lowest(bars.low, length)
    return log(ratio(total(true_range(bars), length), whole, 1.0)) * (100.0 / math.log(length))


@indicator(
    "mass_index",
    KIND,
    "Mass index: the sum of the range's EMA over the EMA of that EMA; above 27 it warns of a turn.",
    length=Whole(25),
    smoothing=Whole(9),
)
def _mass_index(bars: Bars, length: int, smoothing: int) -> Node:
    span = ema(bars.high - bars.low, smoothing)
    return total(ratio(span, ema(span, smoothing), 1.0), length)


def _downside(returns: Node, length: int, target: float) -> Node:
    shortfall = at_most(returns - target, 0.0)
    return root(at_least(sma(shortfall * shortfall, length), 0.0))


@indicator(
    "downside_deviation",
    KIND,
    "Root of the mean squared shortfall of the returns below the target a bar.",
    length=Whole(20),
    target=Number(0.0, -1.0, 1.0),
)
def _downside_deviation(bars: Bars, length: int, target: float) -> Node:
    return _downside(rate_of_change(bars.close), length, target)


@indicator(
    "sharpe",
    KIND,
    "Mean return a bar above the riskless one over the population standard deviation of the returns.",
    length=Whole(20),
    riskless=Number(0.0, -1.0, 1.0),
)
def _sharpe(bars: Bars, length: int, riskless: float) -> Node:
    returns = rate_of_change(bars.close)
    return ratio(sma(returns, length) - riskless, deviation(returns, length))


@indicator(
    "sortino", KIND, "Mean return a bar above the target over the downside deviation.", length=Whole(20), target=Number(0.0, -1.0, 1.0)
)
def _sortino(bars: Bars, length: int, target: float) -> Node:
    returns = rate_of_change(bars.close)
    return ratio(sma(returns, length) - target, _downside(returns, length, target))


@indicator(
    "value_at_risk", KIND, "The return a bar that a normal distribution of the last returns falls below once in 1 / (1 - confidence) bars.",
    length=Whole(252, least=2), confidence=Number(0.99, 0.5, 0.9999),
)  # fmt: skip
def _value_at_risk(bars: Bars, length: int, confidence: float) -> Node:
    returns = rate_of_change(bars.close)
    return sma(returns, length) + sample_deviation(returns, length) * NormalDist().inv_cdf(1.0 - confidence)


@indicator("vigor", KIND, "Relative vigor index: the smoothed body over the smoothed range, and its signal.", length=Whole(10))
def _vigor(bars: Bars, length: int) -> dict[str, Node]:
    def symmetric(source: Node) -> Node:
        return weighted(source, (1 / 6, 2 / 6, 2 / 6, 1 / 6))

    line = ratio(sma(symmetric(bars.close - bars.open), length), sma(symmetric(bars.high - bars.low), length))
    return {"vigor": line, "signal": symmetric(line)}


@indicator("gap", KIND, "The open less the close before, as a share of that close.")
def _gap(bars: Bars) -> Node:
    before = delay(bars.close, 1)
    return ratio(bars.open - before, before)


@indicator("volatility_ratio", KIND, "True range over its own average: above 2 a bar breaks out.", length=Whole(14))
def _volatility_ratio(bars: Bars, length: int) -> Node:
    return ratio(true_range(bars), sma(true_range(bars), length), 1.0)


@indicator("ulcer", KIND, "Ulcer index: root of the mean squared percentage below the highest close of the last bars.", length=Whole(14))
def _ulcer(bars: Bars, length: int) -> Node:
    top = highest(bars.close, length)
    below = 100.0 * ratio(bars.close - top, top)
    return root(at_least(sma(below * below, length), 0.0))


@indicator("acceleration", KIND, "The change of the change of the close.")
def _acceleration(bars: Bars) -> Node:
    return change(change(bars.close))
