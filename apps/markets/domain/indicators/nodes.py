"""The words that definitions are written in: each makes a node from nodes and parameters.

A word binds the two forms of one thing: the class (or plain function) that takes one value at a time, and the kernel (or numpy function) that
takes arrays. `delay` is the number of bars that it adds to the warm-up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean

import numpy as np

from apps.markets.domain.indicators import profile_nb, recursions_nb, windows_nb
from apps.markets.domain.indicators.averages import Ema, MeanSeededEma, Sma, Wilder
from apps.markets.domain.indicators.averages_nb import ema_nb, seeded_average_nb, sma_nb, weighted_nb
from apps.markets.domain.indicators.graph import FloatArray, Node, Update, pointwise
from apps.markets.domain.indicators.pointwise_nb import exponential, exponential_nb, logarithm, logarithm_nb, ratio_nb
from apps.markets.domain.indicators.recursions import Recursion
from apps.markets.domain.indicators.windows import Delay, Highest, Lowest, Variance, Weighted, Windowed, WindowedPair

NAN = float("nan")
_NOISE = 1e-9


def series(sources: Sequence[Node], start: Callable[[], Update], fill: Callable[..., object], delay: int = 0) -> Node:
    """A node with memory: its kernel wants finite rows."""
    return Node(sources, start, fill, delay=delay, drops_nan=True)


# --- averages


def sma(source: Node, length: int) -> Node:
    return series((source,), lambda: Sma(length).update, lambda values, out: sma_nb(values, length, out), length - 1)


def first_seeded_ema(source: Node, length: int) -> Node:
    """Exponential average seeded with the first value, warm at once."""
    return series((source,), lambda: Ema(length).update, lambda values, out: ema_nb(values, length, out))


def ema(source: Node, length: int) -> Node:
    """Exponential average seeded with the mean of the first `length` values: the one inside all other indicators, as in TA-Lib."""
    weight = 2.0 / (length + 1)
    return series(
        (source,), lambda: MeanSeededEma(length).update, lambda values, out: seeded_average_nb(values, length, weight, out), length - 1
    )


def wilder(source: Node, length: int) -> Node:
    weight = 1.0 / length
    return series((source,), lambda: Wilder(length).update, lambda values, out: seeded_average_nb(values, length, weight, out), length - 1)


def weighted(source: Node, weights: Sequence[float]) -> Node:
    """The last values, each times its weight, oldest first."""
    fixed = tuple(float(weight) for weight in weights)
    array = np.array(fixed)
    return series(
        (source,), lambda: Weighted(fixed).update, lambda values, out: weighted_nb(values, array, out), len(fixed) - 1
    )  # fmt: skip


def wma(source: Node, length: int) -> Node:
    """Linearly weighted: the newest value counts `length` times, the oldest once."""
    whole = length * (length + 1) / 2
    return weighted(source, [(place + 1) / whole for place in range(length)])


def regression_weights(length: int, ahead: float) -> list[float]:
    """Weights that give the least-squares line through the last values, `ahead` bars after the newest."""
    middle = (length - 1) / 2
    spread = sum((place - middle) ** 2 for place in range(length)) or 1.0
    return [1 / length + (length - 1 + ahead - middle) * (place - middle) / spread for place in range(length)]


def slope_weights(length: int) -> list[float]:
    """Weights that give the slope per bar of the least-squares line through the last values."""
    places = range(length)
    middle = fmean(places)
    spread = sum((place - middle) ** 2 for place in places) or 1.0
    return [(place - middle) / spread for place in places]


def adaptive(source: Node, rate: Node) -> Node:
    """An average that moves the share `rate` (itself a series) of the distance. Before the rate is known it follows the source, so that it
    starts from the source's value of the bar before."""
    moving = _recursion(recursions_nb.adaptive, recursions_nb.adaptive_nb, recursions_nb.ADAPTIVE_STATE, source, known(rate, 1.0))
    return where_known(moving, rate)


# --- windows


def total(source: Node, length: int) -> Node:
    return sma(source, length) * float(length)


def highest(source: Node, length: int) -> Node:
    return series(
        (source,), lambda: Highest(length).update, lambda values, out: windows_nb.highest_nb(values, length, out), length - 1
    )  # fmt: skip


def lowest(source: Node, length: int) -> Node:
    return series(
        (source,), lambda: Lowest(length).update, lambda values, out: windows_nb.lowest_nb(values, length, out), length - 1
    )  # fmt: skip


def delay(source: Node, bars: int) -> Node:
    return series((source,), lambda: Delay(bars).update, lambda values, out: windows_nb.delay_nb(values, bars, out), bars)


def change(source: Node, bars: int = 1) -> Node:
    return source - delay(source, bars)


def variance(source: Node, length: int) -> Node:
    """Population variance (divided by the count)."""
    return series(
        (source,), lambda: Variance(length).update, lambda values, out: windows_nb.variance_nb(values, length, out), length - 1
    )  # fmt: skip


def deviation(source: Node, length: int) -> Node:
    """Population standard deviation."""
    return root(variance(source, length))


def sample_deviation(source: Node, length: int) -> Node:
    """Sample standard deviation (divided by one less than the count)."""
    return root(variance(source, length) * (length / (length - 1)))


_MEASURES: dict[int, Callable[..., float]] = {
    windows_nb.SINCE_HIGHEST: windows_nb.since_highest,
    windows_nb.SINCE_LOWEST: windows_nb.since_lowest,
    windows_nb.MEAN_DEVIATION: windows_nb.mean_deviation,
    windows_nb.SHARE_BELOW: windows_nb.share_below,
    windows_nb.MIDDLE_IS_HIGHEST: windows_nb.middle_is_highest,
    windows_nb.MIDDLE_IS_LOWEST: windows_nb.middle_is_lowest,
}
_PAIR_MEASURES: dict[int, Callable[..., float]] = {
    windows_nb.COVARIANCE: windows_nb.covariance,
    windows_nb.CORRELATION: windows_nb.correlation,
    windows_nb.RANK_CORRELATION: windows_nb.rank_correlation,
}


def windowed(measure: int, source: Node, length: int) -> Node:
    """One of the measures of `windows_nb` over the last `length` values."""
    return series(
        (source,),
        lambda: Windowed(_MEASURES[measure], length).update,
        lambda values, out: windows_nb.windowed_nb(measure, values, length, out),
        length - 1,
    )


def windowed_pair(measure: int, first: Node, second: Node, length: int) -> Node:
    """One of the measures of two series of `windows_nb` over the last `length` values."""
    return series(
        (first, second),
        lambda: WindowedPair(_PAIR_MEASURES[measure], length).update,
        lambda left, right, out: windows_nb.windowed_pair_nb(measure, left, right, length, out),
        length - 1,
    )


def hurst(source: Node, length: int, largest_lag: int) -> Node:
    return series(
        (source,),
        lambda: Windowed(windows_nb.hurst, length, largest_lag).update,
        lambda values, out: windows_nb.hurst_nb(values, length, largest_lag, out),
        length - 1,
    )


def profile(buckets: Node, volume: Node, length: int, share: float, answer: int) -> Node:
    """One of the answers of `profile_nb` over the last `length` bars."""
    return series(
        (buckets, volume),
        lambda: WindowedPair(profile_nb.profile, length, share, answer).update,
        lambda steps, volumes, out: profile_nb.profile_nb(steps, volumes, length, share, answer, out),
        length - 1,
    )


# --- recursions


def _recursion(
    step: Callable[..., float], kernel: Callable[..., object], size: int, *sources: Node, parameters: Sequence[float] = (), late: int = 0
) -> Node:
    fixed = tuple(float(parameter) for parameter in parameters)

    def fill(*arrays: FloatArray) -> None:
        kernel(*arrays[:-1], *fixed, np.zeros(size), arrays[-1])

    return series(sources, lambda: Recursion(step, size, *fixed).update, fill, late)


def decayed_sum(source: Node, keep: float = 1.0, lag: int = 1) -> Node:
    """source + keep x itself `lag` bars ago: with keep 1 the sum since the first bar."""
    return _recursion(recursions_nb.decayed_sum, recursions_nb.decayed_sum_nb, lag, source, parameters=(keep,))


def mcginley(source: Node, length: int) -> Node:
    return _recursion(
        recursions_nb.mcginley, recursions_nb.mcginley_nb, recursions_nb.MCGINLEY_STATE, source, parameters=(length,), late=length - 1
    )


def streak(source: Node) -> Node:
    """Bars in a row that the source has risen (positive) or fallen (negative)."""
    return _recursion(recursions_nb.streak, recursions_nb.streak_nb, recursions_nb.STREAK_STATE, source)


def movement(span: Node, trend: Node) -> Node:
    return _recursion(recursions_nb.movement, recursions_nb.movement_nb, recursions_nb.MOVEMENT_STATE, span, trend, late=1)


def supertrend(middle: Node, distance: Node, close: Node) -> Node:
    return _recursion(recursions_nb.supertrend, recursions_nb.supertrend_nb, recursions_nb.SUPERTREND_STATE, middle, distance, close)


def parabolic(high: Node, low: Node, *parameters: float) -> Node:
    """start, offset, then start, step and most of the pace while long, then while short."""
    return _recursion(
        recursions_nb.parabolic, recursions_nb.parabolic_nb, recursions_nb.PARABOLIC_STATE, high, low, parameters=parameters, late=1
    )


def zigzag(high: Node, low: Node, turn: float, bars: int) -> Node:
    return _recursion(recursions_nb.zigzag, recursions_nb.zigzag_nb, recursions_nb.ZIGZAG_STATE, high, low, parameters=(turn, bars))


def two_pole(source: Node, *parameters: float) -> Node:
    """gain, b0, b1, b2, a1, a2 of the filter."""
    return _recursion(recursions_nb.two_pole, recursions_nb.two_pole_nb, recursions_nb.FILTER_STATE, source, parameters=parameters)


def mama_rate(price: Node, fast: float, slow: float) -> Node:
    return _recursion(
        recursions_nb.mama_rate, recursions_nb.mama_rate_nb, recursions_nb.MAMA_STATE, price, parameters=(fast, slow), late=12
    )  # fmt: skip


# --- one bar


def ratio(above: Node, below: Node, otherwise: float = 0.0) -> Node:
    """above / below, `otherwise` where below is 0."""
    fixed = float(otherwise)
    return pointwise(
        lambda first, second: _quotient(first, second, fixed), lambda first, second, out: ratio_nb(first, second, fixed, out), above, below
    )


def _quotient(above: float, below: float, otherwise: float) -> float:
    if below == 0.0:
        return otherwise if math.isfinite(above) else NAN
    return above / below


def log(source: Node) -> Node:
    """Natural logarithm; nan for what has none."""
    return pointwise(logarithm, logarithm_nb, source)


def exp(source: Node) -> Node:
    return pointwise(exponential, exponential_nb, source)


def root(source: Node) -> Node:
    """Square root; nan for what is below 0."""
    return pointwise(lambda value: math.sqrt(value) if value >= 0.0 else NAN, lambda values, out: np.sqrt(values, out=out), source)


def ceiling(source: Node) -> Node:
    """The whole number at or above the source; what lies a billionth above a whole number counts as that number."""
    return pointwise(
        lambda value: float(math.ceil(value - _NOISE)) if math.isfinite(value) else NAN,
        lambda values, out: np.ceil(values - _NOISE, out=out),
        source,
    )


def absolute(source: Node) -> Node:
    return pointwise(abs, lambda values, out: np.abs(values, out=out), source)


def _larger(first: float, second: float) -> float:
    return first if first >= second else (second if second > first else NAN)


def _smaller(first: float, second: float) -> float:
    return first if first <= second else (second if second < first else NAN)


def larger(first: Node, second: Node) -> Node:
    return pointwise(_larger, lambda left, right, out: np.maximum(left, right, out=out), first, second)


def smaller(first: Node, second: Node) -> Node:
    return pointwise(_smaller, lambda left, right, out: np.minimum(left, right, out=out), first, second)


def at_least(source: Node, bound: float) -> Node:
    fixed = float(bound)
    return pointwise(partial(_larger, fixed), lambda values, out: np.maximum(fixed, values, out=out), source)


def at_most(source: Node, bound: float) -> Node:
    fixed = float(bound)
    return pointwise(partial(_smaller, fixed), lambda values, out: np.minimum(fixed, values, out=out), source)


def positive(source: Node) -> Node:
    """1 where the source is above 0, else 0."""
    return pointwise(
        lambda value: 1.0 if value > 0.0 else (0.0 if value <= 0.0 else NAN),
        lambda values, out: np.copyto(out, np.where(np.isnan(values), NAN, (values > 0.0).astype(np.float64))),
        source,
    )


def choose(test: Node, then: Node, otherwise: Node) -> Node:
    """`then` where the test is above 0, else `otherwise`; nan where any of the three is nan."""

    def fill(tests: FloatArray, first: FloatArray, second: FloatArray, out: FloatArray) -> None:
        np.copyto(out, np.where(tests > 0.0, first, second))
        out[np.isnan(tests) | np.isnan(first) | np.isnan(second)] = NAN

    return pointwise(_chosen, fill, test, then, otherwise)


def _chosen(test: float, then: float, otherwise: float) -> float:
    if math.isnan(test) or math.isnan(then) or math.isnan(otherwise):
        return NAN
    return then if test > 0.0 else otherwise


def known(source: Node, otherwise: Node | float) -> Node:
    """The source, or `otherwise` while the source is not warm."""
    if isinstance(otherwise, Node):
        return Node(
            (source, otherwise),
            lambda: lambda value, other: other if math.isnan(value) else value,
            lambda values, others, out: np.copyto(out, np.where(np.isnan(values), others, values)),
            warmup=otherwise.warmup,
        )
    fixed = float(otherwise)
    return Node(
        (source,),
        lambda: lambda value: fixed if math.isnan(value) else value,
        lambda values, out: np.copyto(out, np.where(np.isnan(values), fixed, values)),
        warmup=1,
    )


def where_known(source: Node, gate: Node) -> Node:
    """The source, nan while `gate` is not warm."""
    return pointwise(
        lambda value, other: NAN if math.isnan(other) else value,
        lambda values, others, out: np.copyto(out, np.where(np.isnan(others), NAN, values)),
        source,
        gate,
    )
