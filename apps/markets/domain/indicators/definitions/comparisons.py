"""Extremes of the window, and this instrument beside another (`reference`: the other one's close)."""

from __future__ import annotations

from apps.markets.domain.indicators.definitions.parts import rate_of_change
from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import highest, lowest, ratio, sma, windowed_pair
from apps.markets.domain.indicators.registry import Number, Whole, indicator
from apps.markets.domain.indicators.windows_nb import CORRELATION, COVARIANCE, RANK_CORRELATION

KIND = "statistics"


@indicator("max", KIND, "The highest close of the last bars.", length=Whole(20))
def _max(bars: Bars, length: int) -> Node:
    return highest(bars.close, length)


@indicator("min", KIND, "The lowest close of the last bars.", length=Whole(20))
def _min(bars: Bars, length: int) -> Node:
    return lowest(bars.close, length)


@indicator("midpoint", KIND, "Halfway between the highest and the lowest close of the last bars.", length=Whole(14))
def _midpoint(bars: Bars, length: int) -> Node:
    return (highest(bars.close, length) + lowest(bars.close, length)) * 0.5


@indicator("midprice", KIND, "Halfway between the highest high and the lowest low of the last bars.", length=Whole(14))
def _midprice(bars: Bars, length: int) -> Node:
    return (highest(bars.high, length) + lowest(bars.low, length)) * 0.5


@indicator("correlation", KIND, "Pearson's correlation of the two closes, -1 to 1; 0 where one does not move.", length=Whole(20, least=2))
def _correlation(bars: Bars, length: int) -> Node:
    return windowed_pair(CORRELATION, bars.close, bars.reference, length)


@indicator(
    "rank_correlation",
    KIND,
    "Spearman's correlation of the two closes, -1 to 1; 0 where one does not move.",
    length=Whole(20, least=2, most=2_000),
)
def _rank_correlation(bars: Bars, length: int) -> Node:
    return windowed_pair(RANK_CORRELATION, bars.close, bars.reference, length)


@indicator("covariance", KIND, "Sample covariance of the two returns.", length=Whole(20, least=2))
def _covariance(bars: Bars, length: int) -> Node:
    return windowed_pair(COVARIANCE, rate_of_change(bars.close), rate_of_change(bars.reference), length)


def _beta_of(bars: Bars, length: int) -> Node:
    own, other = rate_of_change(bars.close), rate_of_change(bars.reference)
    return ratio(windowed_pair(COVARIANCE, own, other, length), windowed_pair(COVARIANCE, other, other, length))


@indicator(
    "beta",
    KIND,
    "How far the close moves with the reference: covariance of the returns over the reference's variance; 0 where that does not move.",
    length=Whole(20, least=2),
)
def _beta(bars: Bars, length: int) -> Node:
    return _beta_of(bars, length)


@indicator(
    "alpha",
    KIND,
    "Mean return a bar above the riskless one that beta does not explain.",
    length=Whole(20, least=2),
    riskless=Number(0.0, -1.0, 1.0),
)
def _alpha(bars: Bars, length: int, riskless: float) -> Node:
    own, other = sma(rate_of_change(bars.close), length), sma(rate_of_change(bars.reference), length)
    return own - riskless - _beta_of(bars, length) * (other - riskless)
