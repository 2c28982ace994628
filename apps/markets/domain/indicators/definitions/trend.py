"""Whether there is a trend, which way it goes and where it would be over."""

from __future__ import annotations

from apps.markets.domain.indicators.definitions.parts import (
    AVERAGES,
    WILDER_FIRST,
    middle_price,
    true_range,
    typical_price,
)
from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import (
    absolute,
    at_least,
    change,
    choose,
    decayed_sum,
    delay,
    ema,
    highest,
    hurst,
    known,
    larger,
    lowest,
    parabolic,
    positive,
    ratio,
    sma,
    smaller,
    supertrend,
    total,
    wilder,
    windowed,
    zigzag,
)
from apps.markets.domain.indicators.registry import Number, Whole, indicator
from apps.markets.domain.indicators.windows_nb import MIDDLE_IS_HIGHEST, MIDDLE_IS_LOWEST, SINCE_HIGHEST, SINCE_LOWEST

KIND = "trend"
_PACE = Number(0.02, 0.0, 1.0)
_MOST = Number(0.2, 0.0, 1.0)


def _directional(bars: Bars, length: int) -> tuple[Node, Node, Node]:
    """+DI, -DI and the DX of both, each 0 to 100."""
    up, down = change(bars.high), -1.0 * change(bars.low)
    none = up * 0.0
    rise, fall = choose(up - down, at_least(up, 0.0), none), choose(down - up, at_least(down, 0.0), none)
    span = wilder(true_range(bars), length)
    plus, minus = 100.0 * ratio(wilder(rise, length), span), 100.0 * ratio(wilder(fall, length), span)
    return plus, minus, 100.0 * ratio(absolute(plus - minus), plus + minus)


@indicator("adx", KIND, "Average directional index, 0 to 100, with +DI and -DI; Wilder's averages seeded with means.", length=Whole(14))
def _adx(bars: Bars, length: int) -> dict[str, Node]:
    plus, minus, strength = _directional(bars, length)
    return {"adx": wilder(strength, length), "plus_di": plus, "minus_di": minus}


@indicator("adxr", KIND, "ADX rating: the mean of the ADX and the ADX of `length - 1` bars ago.", length=Whole(14))
def _adxr(bars: Bars, length: int) -> Node:
    strength = wilder(_directional(bars, length)[2], length)
    return (strength + delay(strength, length - 1)) * 0.5


@indicator("dx", KIND, "Directional movement index, 0 to 100: how unequal +DI and -DI are.", length=Whole(14))
def _dx(bars: Bars, length: int) -> Node:
    return _directional(bars, length)[2]


@indicator(
    "aroon",
    KIND,
    "Aroon: how recent the highest high (up) and the lowest low (down) of the last length + 1 bars are, 0 to 100, and their difference.",
    length=Whole(14),
)
def _aroon(bars: Bars, length: int) -> dict[str, Node]:
    up = 100.0 - windowed(SINCE_HIGHEST, bars.high, length + 1) * (100.0 / length)
    down = 100.0 - windowed(SINCE_LOWEST, bars.low, length + 1) * (100.0 / length)
    return {"oscillator": up - down, "up": up, "down": down}


@indicator("vortex", KIND, "Vortex: upward and downward movement between bars, each over the sum of true ranges.", length=Whole(14))
def _vortex(bars: Bars, length: int) -> dict[str, Node]:
    travelled = total(true_range(bars), length)
    up = total(absolute(bars.high - delay(bars.low, 1)), length)
    down = total(absolute(bars.low - delay(bars.high, 1)), length)
    return {"plus": ratio(up, travelled), "minus": ratio(down, travelled)}


@indicator(
    "psar", KIND, "Wilder's parabolic stop and reverse: the stop below the price while long, above while short.", step=_PACE, most=_MOST
)
def _psar(bars: Bars, step: float, most: float) -> Node:
    return absolute(parabolic(bars.high, bars.low, 0.0, 0.0, step, step, most, step, step, most))


@indicator(
    "psar_extended", KIND, "Parabolic stop with its own pace for each side, minus the stop while short. `start` above 0 begins long at that stop, below 0 "
    "short, 0 by the first movement; `offset` moves the stop away at a turn.",
    start=Number(0.0, -1e12, 1e12), offset=Number(0.0, 0.0, 1.0), long_start=_PACE, long_step=_PACE, long_most=_MOST, short_start=_PACE,
    short_step=_PACE, short_most=_MOST,
)  # fmt: skip
def _psar_extended(  # noqa: PLR0917 - one for each parameter
    bars: Bars, start: float, offset: float, long_start: float, long_step: float, long_most: float, short_start: float, short_step: float,
    short_most: float,
) -> Node:  # fmt: skip
    return parabolic(bars.high, bars.low, start, offset, long_start, long_step, long_most, short_start, short_step, short_most)


@indicator("supertrend", KIND, "Supertrend: the band that trails the price by `factor` ATR; begins on the falling side.", length=Whole(10), factor=Number(3.0, 0.1, 100.0), average=WILDER_FIRST)  # fmt: skip
def _supertrend(bars: Bars, length: int, factor: float, average: str) -> dict[str, Node]:
    band = supertrend(middle_price(bars), AVERAGES[average](true_range(bars), length) * factor, bars.close)
    return {"supertrend": band, "is_rising": 1.0 - positive(band - bars.close)}


@indicator(
    "ichimoku", KIND, "Ichimoku's lines: conversion, base, the cloud's two edges as they stand now (worked out `ahead` bars ago) and the lagging close.",
    conversion=Whole(9), base=Whole(26), span=Whole(52), ahead=Whole(26),
)  # fmt: skip
def _ichimoku(bars: Bars, conversion: int, base: int, span: int, ahead: int) -> dict[str, Node]:
    def middle(length: int) -> Node:
        return (highest(bars.high, length) + lowest(bars.low, length)) * 0.5

    tenkan, kijun = middle(conversion), middle(base)
    return {
        "tenkan": tenkan,
        "kijun": kijun,
        "senkou_a": delay((tenkan + kijun) * 0.5, ahead),
        "senkou_b": delay(middle(span), ahead),
        "chikou": delay(bars.close, ahead),
    }


@indicator("chande_kroll", KIND, "Chande and Kroll's stops for longs and shorts, from the ATR and the extremes.", atr_length=Whole(10), factor=Number(1.0, 0.1, 100.0), length=Whole(9))  # fmt: skip
def _chande_kroll(bars: Bars, atr_length: int, factor: float, length: int) -> dict[str, Node]:
    distance = wilder(true_range(bars), atr_length) * factor
    return {
        "short": highest(highest(bars.high, atr_length) - distance, length),
        "long": lowest(lowest(bars.low, atr_length) + distance, length),
    }


@indicator(
    "zigzag",
    KIND,
    "The last pivot of a zigzag: a turn of the share `turn`, at least `bars` bars after the pivot before.",
    turn=Number(0.05, 0.0001, 0.99),
    bars=Whole(1),
)
def _zigzag(bars_: Bars, turn: float, bars: int) -> Node:
    return zigzag(bars_.high, bars_.low, turn, bars)


@indicator(
    "pivots",
    KIND,
    "1 where the high of `around` bars ago is above all within `around` bars, -1 where the low is below, 0 for none, 2 for both.",
    around=Whole(10, most=5_000),
)
def _pivots(bars: Bars, around: int) -> Node:
    top = windowed(MIDDLE_IS_HIGHEST, bars.high, 2 * around + 1)
    bottom = windowed(MIDDLE_IS_LOWEST, bars.low, 2 * around + 1)
    return top - bottom + 2.0 * top * bottom


def _swing(bars: Bars, limit: float) -> Node:
    """Wilder's swing index of a bar; `limit` is the farthest that a price may move in a day."""
    before, opened = delay(bars.close, 1), delay(bars.open, 1)
    up, down, span = absolute(bars.high - before), absolute(bars.low - before), bars.high - bars.low
    body = absolute(before - opened) * 0.25
    when_up, when_down = up - down * 0.5 + body, down - up * 0.5 + body
    scale = choose(positive(larger(down, span) - up), choose(positive(span - down), span + body, when_down), when_up)
    move = (bars.close - before) + (bars.close - bars.open) * 0.5 + (before - opened) * 0.25
    return ratio(move * larger(up, down) * (50.0 / limit), scale)


@indicator(
    "swing_index", KIND, "Wilder's swing index; `limit` is the farthest that the price may move in a day.", limit=Number(8.0, 1e-9, 1e12)
)
def _swing_index(bars: Bars, limit: float) -> Node:
    return _swing(bars, limit)


@indicator("accumulative_swing", KIND, "The sum of Wilder's swing index.", limit=Number(8.0, 1e-9, 1e12))
def _accumulative_swing(bars: Bars, limit: float) -> Node:
    return decayed_sum(_swing(bars, limit))


@indicator("heikin_ashi", KIND, "Heikin-Ashi bars; the first opens in the middle of the first bar's body.")
def _heikin_ashi(bars: Bars) -> dict[str, Node]:
    close = (bars.open + bars.high + bars.low + bars.close) * 0.25
    pushed = known(delay(close, 1) * 0.5, (bars.open + bars.close) * 0.5)
    opened = decayed_sum(pushed, 0.5)
    return {
        "open": opened,
        "high": larger(bars.high, larger(opened, close)),
        "low": smaller(bars.low, smaller(opened, close)),
        "close": close,
    }


@indicator("hurst", KIND, "Hurst exponent of the close: about 0.5 for a random walk, below for a price that returns, above for one that trends.", length=Whole(252, least=4), largest_lag=Whole(20, least=3, most=1_000))  # fmt: skip
def _hurst(bars: Bars, length: int, largest_lag: int) -> Node:
    return hurst(bars.close, length, largest_lag)


@indicator("wave_trend", KIND, "Wave trend: how far the typical price is from its EMA in units of its usual distance, smoothed, and the signal.", channel=Whole(10), length=Whole(21), signal=Whole(4))  # fmt: skip
def _wave_trend(bars: Bars, channel: int, length: int, signal: int) -> dict[str, Node]:
    away = typical_price(bars) - ema(typical_price(bars), channel)
    line = ema(ratio(away, ema(absolute(away), channel) * 0.015), length)
    return {"wave": line, "signal": sma(line, signal)}
