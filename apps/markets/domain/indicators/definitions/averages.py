"""Moving averages. Where an exponential average is inside another indicator it is seeded with the mean of its first `length` values."""

from __future__ import annotations

import math

from apps.markets.domain.indicators import nodes
from apps.markets.domain.indicators.definitions.parts import chande_momentum, efficiency, middle_price
from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import delay, ema, sma, wma
from apps.markets.domain.indicators.registry import Choice, Number, Whole, indicator

KIND = "average"


@indicator("sma", KIND, "Simple moving average: the mean of the last closes.", length=Whole(20))
def _sma(bars: Bars, length: int) -> Node:
    return sma(bars.close, length)


@indicator(
    "ema", KIND, "Exponential moving average. Seeded with the first close and warm at once, or (seed mean) with the mean of the first `length` closes.",
    length=Whole(20), seed=Choice(("first", "mean")),
)  # fmt: skip
def _ema(bars: Bars, length: int, seed: str) -> Node:
    return ema(bars.close, length) if seed == "mean" else nodes.first_seeded_ema(bars.close, length)


@indicator(
    "rma", KIND, "Wilder's average: moves 1 / length of the distance, seeded with the mean of the first `length` closes.", length=Whole(14)
)
def _rma(bars: Bars, length: int) -> Node:
    return nodes.wilder(bars.close, length)


@indicator("wma", KIND, "Linearly weighted moving average: the newest close counts `length` times, the oldest once.", length=Whole(20))
def _wma(bars: Bars, length: int) -> Node:
    return wma(bars.close, length)


def _double(source: Node, length: int, factor: float = 1.0) -> Node:
    once = ema(source, length)
    return once * (1.0 + factor) - ema(once, length) * factor


@indicator("dema", KIND, "Double exponential moving average: 2 EMA - EMA of EMA.", length=Whole(20))
def _dema(bars: Bars, length: int) -> Node:
    return _double(bars.close, length)


@indicator("tema", KIND, "Triple exponential moving average: 3 EMA - 3 EMA of EMA + EMA of EMA of EMA.", length=Whole(20))
def _tema(bars: Bars, length: int) -> Node:
    once = ema(bars.close, length)
    twice = ema(once, length)
    return 3.0 * once - 3.0 * twice + ema(twice, length)


@indicator(
    "t3",
    KIND,
    "Tillson's T3: the generalised double EMA three times over, worked out from six EMAs of each other.",
    length=Whole(5),
    factor=Number(0.7, 0.0, 1.0),
)
def _t3(bars: Bars, length: int, factor: float) -> Node:
    level, levels = bars.close, []
    for _ in range(6):
        level = ema(level, length)
        levels.append(level)
    square, cube = factor * factor, factor * factor * factor
    weights = (1.0 + 3.0 * factor + 3.0 * square + cube, -3.0 * factor - 6.0 * square - 3.0 * cube, 3.0 * square + 3.0 * cube, -cube)
    first, second, third, fourth = (part * weight for part, weight in zip(levels[2:], weights, strict=True))
    return first + second + third + fourth


@indicator("trima", KIND, "Triangular moving average: a simple average of a simple average, each half as long.", length=Whole(20))
def _trima(bars: Bars, length: int) -> Node:
    return sma(sma(bars.close, (length + 1) // 2), length // 2 + 1)


@indicator(
    "hma",
    KIND,
    "Hull moving average: the weighted average of 2 WMA(length / 2) - WMA(length) over root(length).",
    length=Whole(16, least=2),
)
def _hma(bars: Bars, length: int) -> Node:
    return wma(2.0 * wma(bars.close, length // 2) - wma(bars.close, length), math.isqrt(length))


@indicator(
    "alma", KIND, "Arnaud Legoux moving average: bell-shaped weights whose peak lies `offset` of the way to the newest close.",
    length=Whole(9), sigma=Number(6.0, 0.1, 100.0), offset=Number(0.85, 0.0, 1.0),
)  # fmt: skip
def _alma(bars: Bars, length: int, sigma: float, offset: float) -> Node:
    peak, width = math.floor(offset * (length - 1)), length / sigma
    bell = [math.exp(-((place - peak) ** 2) / (2.0 * width * width)) for place in range(length)]
    return nodes.weighted(bars.close, [height / sum(bell) for height in bell])


@indicator(
    "kama", KIND, "Kaufman's adaptive moving average: fast where the price goes straight, slow where it wavers. Starts from the close before.",
    length=Whole(10), fast=Whole(2), slow=Whole(30),
)  # fmt: skip
def _kama(bars: Bars, length: int, fast: int, slow: int) -> Node:
    slowest = 2.0 / (slow + 1)
    rate = efficiency(bars.close, length) * (2.0 / (fast + 1) - slowest) + slowest
    return nodes.adaptive(bars.close, rate * rate)


@indicator(
    "efficiency_ratio", KIND, "Kaufman's efficiency ratio: the way made good as a share of the way travelled, 0 to 1.", length=Whole(10)
)
def _efficiency_ratio(bars: Bars, length: int) -> Node:
    return efficiency(bars.close, length)


@indicator(
    "vidya",
    KIND,
    "Variable index dynamic average: an EMA slowed by the size of Chande's momentum. Starts from the close before.",
    length=Whole(9),
)
def _vidya(bars: Bars, length: int) -> Node:
    return nodes.adaptive(bars.close, nodes.absolute(chande_momentum(bars.close, length)) * (0.02 / (length + 1)))


@indicator(
    "frama", KIND, "Ehlers' fractal adaptive moving average of the middle price; fast where the price trends (fractal dimension near 1).",
    length=Whole(16, least=2), slowest=Whole(198),
)  # fmt: skip
def _frama(bars: Bars, length: int, slowest: int) -> Node:
    half = length // 2
    newer = (nodes.highest(bars.high, half) - nodes.lowest(bars.low, half)) / half
    older = delay(newer, half)
    whole = (nodes.highest(bars.high, 2 * half) - nodes.lowest(bars.low, 2 * half)) / (2 * half)
    bends = nodes.known(nodes.log(nodes.ratio(newer + older, whole)), 0.0) / math.log(2.0)
    rate = nodes.exp((bends - 1.0) * math.log(2.0 / (1 + slowest)))
    bounded = nodes.at_least(nodes.at_most(nodes.where_known(rate, older), 1.0), 0.01)
    return nodes.adaptive(middle_price(bars), bounded)


@indicator(
    "mama", KIND, "Ehlers' MESA adaptive moving average of the middle price and its slower following average. Starts from the price itself at bar 13.",
    fast=Number(0.5, 0.01, 0.99), slow=Number(0.05, 0.01, 0.99),
)  # fmt: skip
def _mama(bars: Bars, fast: float, slow: float) -> dict[str, Node]:
    price = middle_price(bars)
    rate = nodes.mama_rate(price, fast, slow)
    mama = nodes.adaptive(price, rate)
    return {"mama": mama, "fama": nodes.adaptive(mama, rate * 0.5)}


@indicator("zlema", KIND, "Zero-lag EMA: the EMA of the close plus its change over half the length.", length=Whole(20))
def _zlema(bars: Bars, length: int) -> Node:
    return ema(2.0 * bars.close - delay(bars.close, length // 2), length)


@indicator(
    "mcginley",
    KIND,
    "McGinley dynamic: an average that hurries after a falling price. Seeded with the mean of the first closes.",
    length=Whole(14),
)
def _mcginley(bars: Bars, length: int) -> Node:
    return nodes.mcginley(bars.close, length)


@indicator("lsma", KIND, "Least-squares moving average: the end of the straight line fitted to the last closes.", length=Whole(20, least=2))
def _lsma(bars: Bars, length: int) -> Node:
    return nodes.weighted(bars.close, nodes.regression_weights(length, 0))


@indicator("tsf", KIND, "Time series forecast: the straight line fitted to the last closes, one bar ahead.", length=Whole(14, least=2))
def _tsf(bars: Bars, length: int) -> Node:
    return nodes.weighted(bars.close, nodes.regression_weights(length, 1))


@indicator("slope", KIND, "Slope per bar of the straight line fitted to the last closes.", length=Whole(14, least=2))
def _slope(bars: Bars, length: int) -> Node:
    return nodes.weighted(bars.close, nodes.slope_weights(length))


@indicator("relative_average", KIND, "Relative moving average: SMA(3 length) - SMA(2 length) + SMA(length).", length=Whole(5))
def _relative_average(bars: Bars, length: int) -> Node:
    return sma(bars.close, 3 * length) - sma(bars.close, 2 * length) + sma(bars.close, length)
