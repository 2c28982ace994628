"""Oscillators of the close: how fast and how far it moves."""

from __future__ import annotations

from apps.markets.domain.indicators.definitions.parts import (
    AVERAGES,
    EXPONENTIAL_FIRST,
    WILDER_FIRST,
    chande_momentum,
    rate_of_change,
    relative_strength,
    share_of_range,
)
from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import (
    absolute,
    change,
    delay,
    deviation,
    ema,
    highest,
    log,
    lowest,
    ratio,
    sma,
    streak,
    windowed,
    wma,
)
from apps.markets.domain.indicators.registry import Choice, Whole, indicator
from apps.markets.domain.indicators.windows_nb import SHARE_BELOW

KIND = "oscillator"


@indicator(
    "macd", KIND, "Moving average convergence and divergence: fast EMA - slow EMA, its signal EMA and the difference of the two. Every EMA is "
    "seeded with the mean of its first values.",
    fast=Whole(12), slow=Whole(26), signal=Whole(9),
)  # fmt: skip
def _macd(bars: Bars, fast: int, slow: int, signal: int) -> dict[str, Node]:
    line = ema(bars.close, fast) - ema(bars.close, slow)
    smoothed = ema(line, signal)
    return {"macd": line, "signal": smoothed, "histogram": line - smoothed}


@indicator(
    "apo", KIND, "Absolute price oscillator: fast average - slow average.", fast=Whole(12), slow=Whole(26), average=EXPONENTIAL_FIRST
)
def _apo(bars: Bars, fast: int, slow: int, average: str) -> Node:
    return AVERAGES[average](bars.close, fast) - AVERAGES[average](bars.close, slow)


@indicator(
    "ppo",
    KIND,
    "Percentage price oscillator: APO in percent of the slow average.",
    fast=Whole(12),
    slow=Whole(26),
    average=EXPONENTIAL_FIRST,
)
def _ppo(bars: Bars, fast: int, slow: int, average: str) -> Node:
    slower = AVERAGES[average](bars.close, slow)
    return 100.0 * ratio(AVERAGES[average](bars.close, fast) - slower, slower)


@indicator(
    "rsi", KIND, "Relative strength index, 0 to 100: average gain as a share of average gain and loss; 50 where nothing moved. Wilder's averages, "
    "seeded with the mean of the first `length` changes.",
    length=Whole(14), average=WILDER_FIRST,
)  # fmt: skip
def _rsi(bars: Bars, length: int, average: str) -> Node:
    return relative_strength(bars.close, length, average)


@indicator(
    "connors_rsi", KIND, "Connors' RSI: the mean of the RSI, the RSI of the streak of rises or falls, and the rank of the last change.",
    length=Whole(3), streak_length=Whole(2), rank_length=Whole(100),
)  # fmt: skip
def _connors_rsi(bars: Bars, length: int, streak_length: int, rank_length: int) -> Node:
    rank = 100.0 * windowed(SHARE_BELOW, rate_of_change(bars.close), rank_length + 1)
    return (relative_strength(bars.close, length) + relative_strength(streak(bars.close), streak_length) + rank) / 3.0


@indicator(
    "stochastic_rsi", KIND, "Where the RSI lies in its own range of the last bars, smoothed to %K and %D, 0 to 100; 100 where the range is nothing.",
    length=Whole(14), range_length=Whole(14), k=Whole(3), d=Whole(3),
)  # fmt: skip
def _stochastic_rsi(bars: Bars, length: int, range_length: int, k: int, d: int) -> dict[str, Node]:
    strength = relative_strength(bars.close, length)
    fast = share_of_range(strength, lowest(strength, range_length), highest(strength, range_length), 100.0)
    smoothed = sma(fast, k)
    return {"k": smoothed, "d": sma(smoothed, d)}


@indicator(
    "cmo", KIND, "Chande's momentum oscillator: (gains - losses) / (gains + losses) by Wilder's averages, -100 to 100.", length=Whole(14)
)
def _cmo(bars: Bars, length: int) -> Node:
    return chande_momentum(bars.close, length)


@indicator("momentum", KIND, "The change of the close over `length` bars.", length=Whole(10))
def _momentum(bars: Bars, length: int) -> Node:
    return change(bars.close, length)


@indicator("roc", KIND, "Rate of change: the change of the close over `length` bars in percent.", length=Whole(10))
def _roc(bars: Bars, length: int) -> Node:
    return 100.0 * rate_of_change(bars.close, length)


@indicator("rocp", KIND, "Rate of change as a share (0.01 is one percent).", length=Whole(10))
def _rocp(bars: Bars, length: int) -> Node:
    return rate_of_change(bars.close, length)


@indicator("rocr", KIND, "Rate of change as a ratio: the close divided by the close `length` bars ago.", length=Whole(10))
def _rocr(bars: Bars, length: int) -> Node:
    return ratio(bars.close, delay(bars.close, length))


@indicator("log_return", KIND, "Natural logarithm of the close divided by the close `length` bars ago.", length=Whole(1))
def _log_return(bars: Bars, length: int) -> Node:
    return log(ratio(bars.close, delay(bars.close, length)))


@indicator("trix", KIND, "Rate of change, in percent a bar, of the EMA of the EMA of the EMA of the close.", length=Whole(15))
def _trix(bars: Bars, length: int) -> Node:
    return 100.0 * rate_of_change(ema(ema(ema(bars.close, length), length), length))


@indicator("tsi", KIND, "True strength index: twice smoothed change over twice smoothed size of change, -100 to 100, and its signal EMA.", slow=Whole(25), fast=Whole(13), signal=Whole(7))  # fmt: skip
def _tsi(bars: Bars, slow: int, fast: int, signal: int) -> dict[str, Node]:
    move = change(bars.close)
    strength = 100.0 * ratio(ema(ema(move, slow), fast), ema(ema(absolute(move), slow), fast))
    return {"tsi": strength, "signal": ema(strength, signal)}


@indicator(
    "kst", KIND, "Know sure thing: four smoothed rates of change, weighted 1 to 4, and the signal average.",
    roc_1=Whole(10), average_1=Whole(10), roc_2=Whole(15), average_2=Whole(10), roc_3=Whole(20), average_3=Whole(10), roc_4=Whole(30),
    average_4=Whole(15), signal=Whole(9),
)  # fmt: skip
def _kst(  # noqa: PLR0917 - one for each parameter
    bars: Bars, roc_1: int, average_1: int, roc_2: int, average_2: int, roc_3: int, average_3: int, roc_4: int, average_4: int, signal: int
) -> dict[str, Node]:
    lengths = ((roc_1, average_1), (roc_2, average_2), (roc_3, average_3), (roc_4, average_4))
    first, second, third, fourth = (sma(100.0 * rate_of_change(bars.close, roc), average) for roc, average in lengths)
    line = first + 2.0 * second + 3.0 * third + 4.0 * fourth
    return {"kst": line, "signal": sma(line, signal)}


@indicator(
    "coppock",
    KIND,
    "Coppock curve: the weighted average of two rates of change in percent.",
    short=Whole(11),
    long=Whole(14),
    length=Whole(10),
)
def _coppock(bars: Bars, short: int, long: int, length: int) -> Node:
    return wma(100.0 * (rate_of_change(bars.close, short) + rate_of_change(bars.close, long)), length)


@indicator("dpo", KIND, "Detrended price oscillator: the close of length / 2 + 1 bars ago - the simple average.", length=Whole(21))
def _dpo(bars: Bars, length: int) -> Node:
    return delay(bars.close, length // 2 + 1) - sma(bars.close, length)


@indicator(
    "derivative", KIND, "Derivative oscillator: the twice smoothed RSI less its simple average.",
    length=Whole(14), first=Whole(5), second=Whole(3), signal=Whole(9),
)  # fmt: skip
def _derivative(bars: Bars, length: int, first: int, second: int, signal: int) -> Node:
    smooth = ema(ema(relative_strength(bars.close, length), first), second)
    return smooth - sma(smooth, signal)


@indicator(
    "schaff", KIND, "Schaff trend cycle: the MACD put through a stochastic twice, 0 to 100.",
    cycle=Whole(10), fast=Whole(23), slow=Whole(50), average=Choice(("exponential", "simple")),
)  # fmt: skip
def _schaff(bars: Bars, cycle: int, fast: int, slow: int, average: str) -> Node:
    smooth = AVERAGES[average]
    line = smooth(bars.close, fast) - smooth(bars.close, slow)
    once = smooth(share_of_range(line, lowest(line, cycle), highest(line, cycle), 0.0), 3)
    return smooth(share_of_range(once, lowest(once, cycle), highest(once, cycle), 0.0), 3)


@indicator(
    "price_spike",
    KIND,
    "Augen's price spike: the change of the close in standard deviations of the returns before it.",
    length=Whole(20, least=3),
)
def _price_spike(bars: Bars, length: int) -> Node:
    before = delay(bars.close, 1)
    spread = deviation(log(ratio(before, delay(bars.close, 2))), length)
    return ratio(bars.close - before, spread * before)


@indicator("z_score", KIND, "How many standard deviations the close lies from its simple average; 0 where nothing moved.", length=Whole(20))
def _z_score(bars: Bars, length: int) -> Node:
    return ratio(bars.close - sma(bars.close, length), deviation(bars.close, length))


@indicator("percent_rank", KIND, "The share of the last `length` closes that lie below this one, 0 to 100.", length=Whole(100))
def _percent_rank(bars: Bars, length: int) -> Node:
    return 100.0 * windowed(SHARE_BELOW, bars.close, length + 1)
