"""What the last values say (the highest, the spread, how two series move together), in kernel form. Values are finite; `out` is nan until
the window is full.

A function named after its answer takes `(values, start, stop)` and looks at that stretch, oldest first. It is the one definition: the array
kernels below call it at every bar, the class `Windowed` calls it on the recent values it keeps. Only the extremes and the variance, which strategies
use most, have a faster class of their own in `windows.py`.
"""

from __future__ import annotations

import math
from typing import Any

from apps.core.kernel import kernel

NAN = float("nan")

SINCE_HIGHEST = 0
SINCE_LOWEST = 1
MEAN_DEVIATION = 2
SHARE_BELOW = 3
MIDDLE_IS_HIGHEST = 4
MIDDLE_IS_LOWEST = 5

COVARIANCE = 0
CORRELATION = 1
RANK_CORRELATION = 2


@kernel
def since_highest(values: Any, start: int, stop: int) -> float:
    """Bars since the highest value, the latest of equals."""
    best = start
    for index in range(start + 1, stop):
        if values[index] >= values[best]:
            best = index
    return float(stop - 1 - best)


@kernel
def since_lowest(values: Any, start: int, stop: int) -> float:
    """Bars since the lowest value, the latest of equals."""
    best = start
    for index in range(start + 1, stop):
        if values[index] <= values[best]:
            best = index
    return float(stop - 1 - best)


@kernel
def mean_between(values: Any, start: int, stop: int) -> float:
    """The mean of the values from `start` to before `stop`."""
    total = 0.0
    for index in range(start, stop):
        total += values[index]
    return total / (stop - start)


@kernel
def mean_deviation(values: Any, start: int, stop: int) -> float:
    """Mean distance from the mean."""
    mean = mean_between(values, start, stop)
    distance = 0.0
    for index in range(start, stop):
        distance += abs(values[index] - mean)
    return distance / (stop - start)


@kernel
def share_below(values: Any, start: int, stop: int) -> float:
    """The share of the earlier values that lie below the newest, 0 to 1."""
    below = 0
    for index in range(start, stop - 1):
        if values[index] < values[stop - 1]:
            below += 1
    return below / (stop - 1 - start)


@kernel
def middle_is_highest(values: Any, start: int, stop: int) -> float:
    """1 where the middle value is above all others, else 0."""
    middle = start + (stop - start) // 2
    for index in range(start, stop):
        if index != middle and values[index] >= values[middle]:
            return 0.0
    return 1.0


@kernel
def middle_is_lowest(values: Any, start: int, stop: int) -> float:
    """1 where the middle value is below all others, else 0."""
    middle = start + (stop - start) // 2
    for index in range(start, stop):
        if index != middle and values[index] <= values[middle]:
            return 0.0
    return 1.0


@kernel
def windowed_nb(measure: int, values: Any, length: int, out: Any) -> None:
    """One of the measures above at every bar."""
    for index in range(values.shape[0]):
        start, stop = index - length + 1, index + 1
        if start < 0:
            out[index] = NAN
        elif measure == SINCE_HIGHEST:
            out[index] = since_highest(values, start, stop)
        elif measure == SINCE_LOWEST:
            out[index] = since_lowest(values, start, stop)
        elif measure == MEAN_DEVIATION:
            out[index] = mean_deviation(values, start, stop)
        elif measure == SHARE_BELOW:
            out[index] = share_below(values, start, stop)
        elif measure == MIDDLE_IS_HIGHEST:
            out[index] = middle_is_highest(values, start, stop)
        else:
            out[index] = middle_is_lowest(values, start, stop)


@kernel
def covariance(first: Any, second: Any, start: int, stop: int) -> float:
    """Sample covariance (divided by one less than the count)."""
    first_mean, second_mean = mean_between(first, start, stop), mean_between(second, start, stop)
    total = 0.0
    for index in range(start, stop):
        total += (first[index] - first_mean) * (second[index] - second_mean)
    return total / (stop - start - 1)


@kernel
def correlation(first: Any, second: Any, start: int, stop: int) -> float:
    """Pearson's correlation, -1 to 1; 0 where one of the two does not move."""
    first_mean, second_mean = mean_between(first, start, stop), mean_between(second, start, stop)
    both = 0.0
    first_squares = 0.0
    second_squares = 0.0
    for index in range(start, stop):
        left = first[index] - first_mean
        right = second[index] - second_mean
        both += left * right
        first_squares += left * left
        second_squares += right * right
    if first_squares <= 0.0 or second_squares <= 0.0:
        return 0.0
    answer = both / (math.sqrt(first_squares) * math.sqrt(second_squares))
    return min(1.0, max(-1.0, answer))


@kernel
def rank_correlation(first: Any, second: Any, start: int, stop: int) -> float:
    """Spearman's correlation: Pearson's of the ranks, equals sharing their mean rank; 0 where one of the two does not move.

    Ranks are counted (twice the number below plus the number of equals), which needs no memory and no sorting.
    """
    count = stop - start
    mean = float(count)
    both = 0.0
    first_squares = 0.0
    second_squares = 0.0
    for index in range(start, stop):
        left = -mean
        right = -mean
        for other in range(start, stop):
            if first[other] < first[index]:
                left += 2.0
            elif first[other] == first[index]:
                left += 1.0
            if second[other] < second[index]:
                right += 2.0
            elif second[other] == second[index]:
                right += 1.0
        both += left * right
        first_squares += left * left
        second_squares += right * right
    if first_squares <= 0.0 or second_squares <= 0.0:
        return 0.0
    return both / (math.sqrt(first_squares) * math.sqrt(second_squares))


@kernel
def windowed_pair_nb(measure: int, first: Any, second: Any, length: int, out: Any) -> None:
    """One of the measures of two series at every bar."""
    for index in range(first.shape[0]):
        start, stop = index - length + 1, index + 1
        if start < 0:
            out[index] = NAN
        elif measure == COVARIANCE:
            out[index] = covariance(first, second, start, stop)
        elif measure == CORRELATION:
            out[index] = correlation(first, second, start, stop)
        else:
            out[index] = rank_correlation(first, second, start, stop)


@kernel
def highest_nb(values: Any, length: int, out: Any) -> None:
    """The highest of the last values; looks through the window again only when the highest leaves it."""
    best = 0
    for index in range(values.shape[0]):
        if best <= index - length:
            best = index - length + 1
            for inside in range(best + 1, index + 1):
                if values[inside] >= values[best]:
                    best = inside
        elif values[index] >= values[best]:
            best = index
        out[index] = values[best] if index + 1 >= length else NAN


@kernel
def lowest_nb(values: Any, length: int, out: Any) -> None:
    """The lowest of the last values; looks through the window again only when the lowest leaves it."""
    best = 0
    for index in range(values.shape[0]):
        if best <= index - length:
            best = index - length + 1
            for inside in range(best + 1, index + 1):
                if values[inside] <= values[best]:
                    best = inside
        elif values[index] <= values[best]:
            best = index
        out[index] = values[best] if index + 1 >= length else NAN


@kernel
def variance_nb(values: Any, length: int, out: Any) -> None:
    """Population variance of the last values, from sums of distances to an anchor. The anchor and the sums are set anew whenever the window
    has been replaced once, so that rounding does not pile up; a window of equal values has variance 0 exactly."""
    anchor = 0.0
    total = 0.0
    squares = 0.0
    equal = 0
    for index in range(values.shape[0]):
        value = values[index]
        equal = equal + 1 if index > 0 and value == values[index - 1] else 1
        if (index + 1) % length == 0:
            anchor = value
            total = 0.0
            squares = 0.0
            for inside in range(index - length + 1, index + 1):
                distance = values[inside] - anchor
                total += distance
                squares += distance * distance
        elif index >= length:
            gone = values[index - length] - anchor
            come = value - anchor
            total += come - gone
            squares += come * come - gone * gone
        spread = squares - total * total / length
        if index + 1 < length:
            out[index] = NAN
        elif equal >= length or spread < 0.0:
            out[index] = 0.0
        else:
            out[index] = spread / length


@kernel
def delay_nb(values: Any, bars: int, out: Any) -> None:
    """The value of `bars` bars ago."""
    for index in range(values.shape[0]):
        out[index] = values[index - bars] if index >= bars else NAN


@kernel
def hurst(values: Any, start: int, stop: int, largest_lag: int) -> float:
    """Slope of log(standard deviation of the changes over a lag) against log(lag), lags 2 to `largest_lag`: about 0.5 for a random walk,
    below for a series that returns, above for one that trends. Lags over which nothing changes count as log deviation 0."""
    lags = 0
    sum_x = 0.0
    sum_y = 0.0
    sum_xx = 0.0
    sum_xy = 0.0
    for lag in range(2, largest_lag + 1):
        count = stop - start - lag
        total = 0.0
        squares = 0.0
        for index in range(start, stop - lag):
            change = values[index + lag] - values[index]
            total += change
            squares += change * change
        spread = 0.0
        if count > 0:
            spread = squares / count - (total / count) * (total / count)
        y = 0.5 * math.log(spread) if spread > 0.0 else 0.0
        x = math.log(lag)
        lags += 1
        sum_x += x
        sum_y += y
        sum_xx += x * x
        sum_xy += x * y
    return (lags * sum_xy - sum_x * sum_y) / (lags * sum_xx - sum_x * sum_x)


@kernel
def hurst_nb(values: Any, length: int, largest_lag: int, out: Any) -> None:
    """`hurst` at every bar."""
    for index in range(values.shape[0]):
        out[index] = hurst(values, index - length + 1, index + 1, largest_lag) if index + 1 >= length else NAN
