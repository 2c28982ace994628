"""Moving averages over whole arrays, in kernel form. Values are finite (the callers drop what is not); `out` has the length of `values`
and is nan until the average is warm. Each kernel repeats, operation by operation, what its class in `averages.py` does: same bits.

Running sums are rebuilt from the window each time the window has been replaced once (`position == 0`), so that the rounding of a value
never outlives it by more than one window.
"""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel

NAN = float("nan")


@kernel
def ema_nb(values: Any, length: int, out: Any) -> None:
    """Exponential average, seeded with the first value: out[0] = values[0], then + 2 / (length + 1) of the distance. Warm at once."""
    if values.shape[0] == 0:
        return
    weight = 2.0 / (length + 1)
    average = values[0]
    out[0] = average
    for index in range(1, values.shape[0]):
        average += weight * (values[index] - average)
        out[index] = average


@kernel
def sma_nb(values: Any, length: int, out: Any) -> None:
    """Mean of the last `length` values; nan for the first `length - 1`."""
    total = 0.0
    for index in range(values.shape[0]):
        total += values[index]
        if index >= length:
            total -= values[index - length]
        if (index + 1) % length == 0:
            total = 0.0
            for inside in range(index - length + 1, index + 1):
                total += values[inside]
        out[index] = total / length if index + 1 >= length else NAN


@kernel
def seeded_average_nb(values: Any, length: int, weight: float, out: Any) -> None:
    """Mean of the first `length` values, then moving `weight` of the distance to each further one; nan for the first `length - 1`."""
    total = 0.0
    average = NAN
    for index in range(values.shape[0]):
        if index < length:
            total += values[index]
            if index == length - 1:
                average = total / length
        else:
            average += weight * (values[index] - average)
        out[index] = average


@kernel
def weighted_nb(values: Any, weights: Any, out: Any) -> None:
    """Sum of the last values, each times its weight (oldest first); nan until there are as many values as weights."""
    length = weights.shape[0]
    for index in range(values.shape[0]):
        total = NAN
        if index + 1 >= length:
            total = 0.0
            for inside in range(length):
                total += values[index - length + 1 + inside] * weights[inside]
        out[index] = total
