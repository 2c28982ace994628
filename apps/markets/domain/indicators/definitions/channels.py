"""Channels round the price."""

from __future__ import annotations

from apps.markets.domain.indicators.definitions.parts import AVERAGES, SIMPLE_FIRST, true_range, typical_price
from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import (
    at_least,
    deviation,
    highest,
    lowest,
    positive,
    ratio,
    regression_weights,
    root,
    slope_weights,
    sma,
    variance,
    weighted,
)
from apps.markets.domain.indicators.registry import Number, Whole, indicator

KIND = "channel"
_FACTOR = Number(2.0, 0.0, 100.0)


@indicator(
    "bollinger", KIND, "Bollinger bands: the average, `factor` population standard deviations above and below, the width in percent of the middle "
    "and the close's place in the band (0 bottom, 1 top; 0.5 in a band without width).",
    length=Whole(20), factor=_FACTOR, average=SIMPLE_FIRST,
)  # fmt: skip
def _bollinger(bars: Bars, length: int, factor: float, average: str) -> dict[str, Node]:
    middle, spread = AVERAGES[average](bars.close, length), deviation(bars.close, length) * factor
    upper, lower = middle + spread, middle - spread
    width = upper - lower
    return {
        "middle": middle,
        "upper": upper,
        "lower": lower,
        "width": 100.0 * ratio(width, middle),
        "percent": ratio(bars.close - lower, width, 0.5),
    }


def _keltner_parts(bars: Bars, length: int, factor: float, average: str) -> tuple[Node, Node]:
    """The middle and the distance to either side."""
    return AVERAGES[average](typical_price(bars), length), sma(true_range(bars), length) * factor


@indicator("keltner", KIND, "Keltner channel: the average of the typical price and `factor` simple ATR to either side.", length=Whole(20), factor=Number(1.5, 0.0, 100.0), average=SIMPLE_FIRST)  # fmt: skip
def _keltner(bars: Bars, length: int, factor: float, average: str) -> dict[str, Node]:
    middle, distance = _keltner_parts(bars, length, factor, average)
    return {"middle": middle, "upper": middle + distance, "lower": middle - distance}


@indicator(
    "donchian",
    KIND,
    "Donchian channel: the highest high and the lowest low of the last bars, this one included, and their middle.",
    length=Whole(20),
)
def _donchian(bars: Bars, length: int) -> dict[str, Node]:
    upper, lower = highest(bars.high, length), lowest(bars.low, length)
    return {"middle": (upper + lower) * 0.5, "upper": upper, "lower": lower}


@indicator("acceleration_bands", KIND, "Headley's acceleration bands: averages of the high and low widened by the bar's own relative range times `factor`.", length=Whole(20), factor=Number(4.0, 0.0, 100.0), average=SIMPLE_FIRST)  # fmt: skip
def _acceleration_bands(bars: Bars, length: int, factor: float, average: str) -> dict[str, Node]:
    widened = ratio(bars.high - bars.low, bars.high + bars.low) * factor
    smooth = AVERAGES[average]
    return {
        "middle": smooth(bars.close, length),
        "upper": smooth(bars.high * (1.0 + widened), length),
        "lower": smooth(bars.low * (1.0 - widened), length),
    }


@indicator("regression_channel", KIND, "The end of the straight line fitted to the last closes and `factor` standard deviations of the closes round that line.", length=Whole(20, least=2), factor=_FACTOR)  # fmt: skip
def _regression_channel(bars: Bars, length: int, factor: float) -> dict[str, Node]:
    slope = weighted(bars.close, slope_weights(length))
    explained = slope * slope * ((length * length - 1) / 12.0)
    spread = root(at_least(variance(bars.close, length) - explained, 0.0)) * factor
    middle = weighted(bars.close, regression_weights(length, 0))
    return {"middle": middle, "upper": middle + spread, "lower": middle - spread}


@indicator(
    "squeeze", KIND, "1 while the Bollinger bands lie inside the Keltner channel (of an exponential middle), else -1.",
    length=Whole(20), factor=_FACTOR, keltner_length=Whole(20), keltner_factor=Number(1.5, 0.0, 100.0),
)  # fmt: skip
def _squeeze(bars: Bars, length: int, factor: float, keltner_length: int, keltner_factor: float) -> Node:
    middle, spread = sma(bars.close, length), deviation(bars.close, length) * factor
    center, distance = _keltner_parts(bars, keltner_length, keltner_factor, "exponential")
    above, below = positive(center + distance - (middle + spread)), positive(middle - spread - (center - distance))
    return 2.0 * above * below - 1.0
