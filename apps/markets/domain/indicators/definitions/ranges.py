"""Oscillators of the whole bar: where the close lies in a range."""

from __future__ import annotations

from apps.markets.domain.indicators.definitions.parts import (
    AVERAGES,
    SIMPLE_FIRST,
    middle_price,
    share_of_range,
    true_range,
    typical_price,
)
from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import (
    at_least,
    at_most,
    change,
    decayed_sum,
    delay,
    ema,
    exp,
    highest,
    known,
    log,
    lowest,
    ratio,
    sma,
    smaller,
    total,
    windowed,
)
from apps.markets.domain.indicators.registry import Whole, indicator
from apps.markets.domain.indicators.windows_nb import MEAN_DEVIATION

KIND = "oscillator"
_FISHER_LIMIT = 0.999


def _fast_stochastic(bars: Bars, length: int) -> Node:
    return share_of_range(bars.close, lowest(bars.low, length), highest(bars.high, length), 0.0)


@indicator("stochastic", KIND, "Where the close lies in the range of the last bars, 0 to 100: raw, smoothed to %K and to %D; 0 where there is no range.", length=Whole(14), k=Whole(3), d=Whole(3))  # fmt: skip
def _stochastic(bars: Bars, length: int, k: int, d: int) -> dict[str, Node]:
    fast = _fast_stochastic(bars, length)
    smoothed = sma(fast, k)
    return {"k": smoothed, "d": sma(smoothed, d), "fast": fast}


@indicator(
    "williams_r",
    KIND,
    "Williams' %R: how far the close lies below the highest high of the last bars, -100 to 0; 0 where there is no range.",
    length=Whole(14),
)
def _williams_r(bars: Bars, length: int) -> Node:
    top = highest(bars.high, length)
    return -100.0 * ratio(top - bars.close, top - lowest(bars.low, length))


@indicator(
    "cci",
    KIND,
    "Commodity channel index: the typical price's distance from its average in units of 0.015 mean deviations; 0 where nothing moved.",
    length=Whole(20),
)
def _cci(bars: Bars, length: int) -> Node:
    price = typical_price(bars)
    return ratio(price - sma(price, length), windowed(MEAN_DEVIATION, price, length) * 0.015)


@indicator(
    "ultimate",
    KIND,
    "Ultimate oscillator, 0 to 100: buying pressure over true range, over three lengths weighted 4, 2, 1.",
    short=Whole(7),
    middle=Whole(14),
    long=Whole(28),
)
def _ultimate(bars: Bars, short: int, middle: int, long: int) -> Node:
    span, pressure = true_range(bars), bars.close - smaller(bars.low, delay(bars.close, 1))
    first, second, third = (ratio(total(pressure, length), total(span, length), 0.5) for length in (short, middle, long))
    return (4.0 * first + 2.0 * second + third) * (100.0 / 7.0)


@indicator(
    "awesome",
    KIND,
    "Awesome oscillator: fast - slow simple average of the middle price.",
    fast=Whole(5),
    slow=Whole(34),
    average=SIMPLE_FIRST,
)
def _awesome(bars: Bars, fast: int, slow: int, average: str) -> Node:
    return AVERAGES[average](middle_price(bars), fast) - AVERAGES[average](middle_price(bars), slow)


@indicator("bop", KIND, "Balance of power: (close - open) / (high - low), -1 to 1; 0 for a bar without range.")
def _bop(bars: Bars) -> Node:
    return ratio(bars.close - bars.open, bars.high - bars.low)


@indicator("ibs", KIND, "Internal bar strength: where the close lies in its bar, 0 to 1; 0.5 for a bar without range.")
def _ibs(bars: Bars) -> Node:
    return ratio(bars.close - bars.low, bars.high - bars.low, 0.5)


@indicator("fisher", KIND, "Fisher transform of where the middle price lies in its own range; begins from 0.", length=Whole(10))
def _fisher(bars: Bars, length: int) -> Node:
    price = middle_price(bars)
    low, high = lowest(price, length), highest(price, length)
    place = decayed_sum((ratio(price - low, high - low, 0.5) - 0.5) * 0.66, 0.67)
    bounded = at_least(at_most(place, _FISHER_LIMIT), -_FISHER_LIMIT)
    return decayed_sum(log(ratio(1.0 + bounded, 1.0 - bounded)) * 0.5, 0.5)


@indicator(
    "premier_stochastic",
    KIND,
    "Premier stochastic: the raw stochastic smoothed twice and bent into -1 to 1.",
    length=Whole(8),
    smoothing=Whole(5),
)
def _premier_stochastic(bars: Bars, length: int, smoothing: int) -> Node:
    smooth = exp(ema(ema((_fast_stochastic(bars, length) - 50.0) * 0.1, smoothing), smoothing))
    return ratio(smooth - 1.0, smooth + 1.0)


@indicator(
    "demarker",
    KIND,
    "DeMarker: higher highs as a share of higher highs and lower lows, 0 to 1; the first bar counts as neither.",
    length=Whole(14),
    average=SIMPLE_FIRST,
)
def _demarker(bars: Bars, length: int, average: str) -> Node:
    rise = AVERAGES[average](known(at_least(change(bars.high), 0.0), 0.0), length)
    fall = AVERAGES[average](known(at_least(-1.0 * change(bars.low), 0.0), 0.0), length)
    return ratio(rise, rise + fall)
