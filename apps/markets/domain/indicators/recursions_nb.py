"""Indicators that remember: a step takes the state and the values of one bar, changes the state and answers the value of the bar.

The step is the one definition: the array kernel under it calls it bar by bar with a zeroed float64 state, the class `Recursion` calls it with
a state of its own. Values are finite. `state[0]` counts the bars seen where a step must know the first.
"""

from __future__ import annotations

import math
from typing import Any

from apps.core.kernel import kernel

NAN = float("nan")
DEGREES = 180.0 / math.pi

ADAPTIVE_STATE = 2
MCGINLEY_STATE = 2
STREAK_STATE = 3
MOVEMENT_STATE = 5
SUPERTREND_STATE = 5
PARABOLIC_STATE = 8
ZIGZAG_STATE = 5
FILTER_STATE = 5
MAMA_STATE = 35


@kernel
def adaptive(state: Any, value: float, rate: float) -> float:
    """An average that moves `rate` of the distance, the rate being another series; seeded with the first value."""
    if state[0] == 0.0:
        state[0] = 1.0
        state[1] = value
    else:
        state[1] += rate * (value - state[1])
    return float(state[1])


@kernel
def adaptive_nb(values: Any, rates: Any, state: Any, out: Any) -> None:
    for index in range(values.shape[0]):
        out[index] = adaptive(state, values[index], rates[index])


@kernel
def decayed_sum(state: Any, value: float, keep: float) -> float:
    """The sum of all values, what was there `len(state)` bars ago keeping the share `keep`; one state and keep 1 is the plain running sum."""
    lag = len(state)
    answer = value + keep * state[lag - 1]
    for index in range(lag - 1, 0, -1):
        state[index] = state[index - 1]
    state[0] = answer
    return float(answer)


@kernel
def decayed_sum_nb(values: Any, keep: float, state: Any, out: Any) -> None:
    for index in range(values.shape[0]):
        out[index] = decayed_sum(state, values[index], keep)


@kernel
def mcginley(state: Any, value: float, length: float) -> float:
    """McGinley's dynamic: the mean of the first `length` values, then moving distance / (length x (value / average) to the fourth)."""
    state[0] += 1.0
    if state[0] <= length:
        state[1] += value
        if state[0] < length:
            return NAN
        state[1] /= length
        return float(state[1])
    share = value / state[1] if state[1] != 0.0 else 0.0
    pace = length * share * share * share * share
    if pace > 0.0:
        state[1] += (value - state[1]) / pace
    return float(state[1])


@kernel
def mcginley_nb(values: Any, length: float, state: Any, out: Any) -> None:
    for index in range(values.shape[0]):
        out[index] = mcginley(state, values[index], length)


@kernel
def streak(state: Any, value: float) -> float:
    """How many bars in a row the value has risen (positive) or fallen (negative); an unchanged value leaves the count."""
    count = state[2]
    if state[0] > 0.0:
        if value > state[1]:
            count = count + 1.0 if count > 0.0 else 1.0
        elif value < state[1]:
            count = count - 1.0 if count < 0.0 else -1.0
    state[0] = 1.0
    state[1] = value
    state[2] = count
    return float(count)


@kernel
def streak_nb(values: Any, state: Any, out: Any) -> None:
    for index in range(values.shape[0]):
        out[index] = streak(state, values[index])


@kernel
def movement(state: Any, span: float, trend: float) -> float:
    """Klinger's cumulative movement: the sum of the bars' ranges since the trend (1 or -1) last turned, the bar before the turn included.
    Nan for the first two bars' worth of ranges (a turn needs two trends)."""
    before, cumulated = state[1], state[3]
    state[4] += 1.0
    if state[4] > 1.0:
        if cumulated == 0.0 or trend != state[2]:
            cumulated = span + before
        else:
            cumulated += span
        state[3] = cumulated
    state[1] = span
    state[2] = trend
    return float(cumulated) if state[4] > 1.0 else NAN


@kernel
def movement_nb(spans: Any, trends: Any, state: Any, out: Any) -> None:
    for index in range(spans.shape[0]):
        out[index] = movement(state, spans[index], trends[index])


@kernel
def supertrend(state: Any, middle: float, distance: float, close: float) -> float:
    """The trailing band that the close has not crossed: `middle - distance` carried up while rising, `middle + distance` carried down while
    falling. Begins on the falling side. state: seen, upper, lower, close before, 1 while rising."""
    upper = middle + distance
    lower = middle - distance
    if state[0] > 0.0:
        if lower <= state[2] and state[3] >= state[2]:
            lower = state[2]
        if upper >= state[1] and state[3] <= state[1]:
            upper = state[1]
    rising = close >= lower if state[4] > 0.0 else close > upper
    state[0] = 1.0
    state[1] = upper
    state[2] = lower
    state[3] = close
    state[4] = 1.0 if rising else 0.0
    return float(lower if rising else upper)


@kernel
def supertrend_nb(middles: Any, distances: Any, closes: Any, state: Any, out: Any) -> None:
    for index in range(middles.shape[0]):
        out[index] = supertrend(state, middles[index], distances[index], closes[index])


@kernel
def begin_parabolic(state: Any, high: float, low: float, high_before: float, low_before: float, start: float) -> None:
    """The side, stop and extreme that the second bar begins with."""
    fell = low_before - low
    is_long = start > 0.0 or (start == 0.0 and not (fell > 0.0 and high - high_before < fell))
    state[3] = 1.0 if is_long else 0.0
    state[4] = abs(start) if start != 0.0 else (low_before if is_long else high_before)
    state[5] = high if is_long else low


@kernel
def parabolic(
    state: Any, high: float, low: float, start: float, offset: float,
    long_start: float, long_step: float, long_most: float, short_start: float, short_step: float, short_most: float,
) -> float:  # fmt: skip
    """Wilder's parabolic stop: the stop below the price while long, minus the stop above it while short. Nan at the first bar.

    `start` > 0 begins long at that stop, < 0 short, 0 by the first movement (short when the low fell by more than the high rose).
    `offset` moves the stop away by that share at a turn. No stop lies inside this bar or the one before (of the first two, the second). state: bars, high before, low before, 1 while long, stop, extreme, pace long, pace short.
    """
    state[0] += 1.0
    high_before, low_before = state[1], state[2]
    state[1] = high
    state[2] = low
    if state[0] < 2.0:
        state[6] = long_start
        state[7] = short_start
        return NAN
    if state[0] == 2.0:
        begin_parabolic(state, high, low, high_before, low_before, start)
        high_before, low_before = high, low
    if state[3] > 0.0:
        if low > state[4]:
            answer = state[4]
            if high > state[5]:
                state[5] = high
                state[6] = min(long_most, state[6] + long_step)
            state[4] = min(state[4] + state[6] * (state[5] - state[4]), low_before, low)
            return float(answer)
        stop = max(state[5], high_before, high)
        stop += stop * offset
        state[3] = 0.0
        state[5] = low
        state[7] = short_start
        state[4] = max(stop + state[7] * (low - stop), high_before, high)
        return float(-stop)
    if high < state[4]:
        answer = -state[4]
        if low < state[5]:
            state[5] = low
            state[7] = min(short_most, state[7] + short_step)
        state[4] = max(state[4] + state[7] * (state[5] - state[4]), high_before, high)
        return float(answer)
    stop = min(state[5], low_before, low)
    stop -= stop * offset
    state[3] = 1.0
    state[5] = high
    state[6] = long_start
    state[4] = min(stop + state[6] * (high - stop), low_before, low)
    return float(stop)


@kernel
def parabolic_nb(
    highs: Any, lows: Any, start: float, offset: float,
    long_start: float, long_step: float, long_most: float, short_start: float, short_step: float, short_most: float,
    state: Any, out: Any,
) -> None:  # fmt: skip
    for index in range(highs.shape[0]):
        out[index] = parabolic(
            state, highs[index], lows[index], start, offset, long_start, long_step, long_most, short_start, short_step, short_most
        )


@kernel
def zigzag(state: Any, high: float, low: float, turn: float, bars: float) -> float:
    """The last pivot: a high or a low that the price left by the share `turn`, at least `bars` bars after the pivot before; a farther high
    or low on the same side moves the pivot. Begins with the first low. state: seen, pivot, 1 for a low, bars since."""
    if state[0] == 0.0:
        state[0] = 1.0
        state[1] = low
        state[2] = 1.0
        state[3] = 0.0
        return float(low)
    pivot, since = state[1], state[3]
    moved = True
    if state[2] > 0.0:
        if high >= pivot * (1.0 + turn) and since >= bars:
            state[1] = high
            state[2] = 0.0
        elif low <= pivot:
            state[1] = low
        else:
            moved = False
    elif low <= pivot * (1.0 - turn) and since >= bars:
        state[1] = low
        state[2] = 1.0
    elif high >= pivot:
        state[1] = high
    else:
        moved = False
    state[3] = 1.0 if moved else since + 1.0
    return float(state[1])


@kernel
def zigzag_nb(highs: Any, lows: Any, turn: float, bars: float, state: Any, out: Any) -> None:
    for index in range(highs.shape[0]):
        out[index] = zigzag(state, highs[index], lows[index], turn, bars)


@kernel
def two_pole(state: Any, value: float, gain: float, b0: float, b1: float, b2: float, a1: float, a2: float) -> float:
    """A filter of two poles and two zeros: gain x (b0 v + b1 v' + b2 v'') + a1 f' + a2 f''. The values before the first are taken equal to
    it, the filtered ones as 0. state: seen, v', v'', f', f''."""
    if state[0] == 0.0:
        state[0] = 1.0
        state[1] = value
        state[2] = value
    answer = gain * (b0 * value + b1 * state[1] + b2 * state[2]) + a1 * state[3] + a2 * state[4]
    state[2] = state[1]
    state[1] = value
    state[4] = state[3]
    state[3] = answer
    return float(answer)


@kernel
def two_pole_nb(
    values: Any, gain: float, b0: float, b1: float, b2: float, a1: float, a2: float, state: Any, out: Any
) -> None:  # fmt: skip
    for index in range(values.shape[0]):
        out[index] = two_pole(state, values[index], gain, b0, b1, b2, a1, a2)


@kernel
def mama_rate(state: Any, price: float, fast: float, slow: float) -> float:
    """How fast Ehlers' MESA average moves: `fast` divided by the change of the cycle's phase in degrees, between `slow` and `fast`. Nan for the
    first 12 bars. state: bars, 4 prices, 6 earlier values each of the smoothed price, its detrended form, the in-phase and the quadrature
    part (newest first), then period, in-phase, quadrature, real, imaginary part and phase of the bar before."""
    for index in range(4, 1, -1):
        state[index] = state[index - 1]
    state[1] = price
    state[0] += 1.0
    if state[0] < 13.0:
        return NAN
    scale = 0.075 * state[29] + 0.54
    smooth = (4.0 * price + 3.0 * state[2] + 2.0 * state[3] + state[4]) / 10.0
    detrended = (0.0962 * (smooth - state[10]) + 0.5769 * (state[6] - state[8])) * scale
    quadrature = (0.0962 * (detrended - state[16]) + 0.5769 * (state[12] - state[14])) * scale
    in_phase = state[13]
    turned_in_phase = (0.0962 * (in_phase - state[22]) + 0.5769 * (state[18] - state[20])) * scale
    turned_quadrature = (0.0962 * (quadrature - state[28]) + 0.5769 * (state[24] - state[26])) * scale
    for index in range(28, 5, -1):
        if index not in (11, 17, 23):
            state[index] = state[index - 1]
    state[5] = smooth
    state[11] = detrended
    state[17] = in_phase
    state[23] = quadrature
    both_in_phase = 0.2 * (in_phase - turned_quadrature) + 0.8 * state[30]
    both_quadrature = 0.2 * (quadrature + turned_in_phase) + 0.8 * state[31]
    real = 0.2 * (both_in_phase * state[30] + both_quadrature * state[31]) + 0.8 * state[32]
    imaginary = 0.2 * (both_in_phase * state[31] - both_quadrature * state[30]) + 0.8 * state[33]
    period = 0.0
    if imaginary != 0.0 and real != 0.0:
        angle = math.atan(imaginary / real) * DEGREES
        period = 360.0 / angle if angle > 0.0 else 0.0
    before = state[29]
    period = max(0.67 * before, min(1.5 * before, period))
    period = 0.2 * max(6.0, min(50.0, period)) + 0.8 * before
    phase = math.atan(quadrature / in_phase) * DEGREES if in_phase != 0.0 else 0.0
    turned = max(1.0, state[34] - phase)
    state[29] = period
    state[30] = both_in_phase
    state[31] = both_quadrature
    state[32] = real
    state[33] = imaginary
    state[34] = phase
    return float(max(slow, fast / turned))


@kernel
def mama_rate_nb(prices: Any, fast: float, slow: float, state: Any, out: Any) -> None:
    for index in range(prices.shape[0]):
        out[index] = mama_rate(state, prices[index], fast, slow)
