"""What the last values say, one value at a time. `update` answers nan until the window is full; a nan given in is answered with nan and
changes nothing. The kernels in `windows_nb.py` give the same bits over arrays."""
# ruff: noqa: PLR0124  `value != value` is the cheapest test for nan

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from apps.core.kernel import is_compiling

NAN = float("nan")
_KEEP = 4
"""How many windows of recent values are kept before the last one is moved to the front."""


def room(size: int) -> Any:
    """Zeros for a kernel function to look at: an array where it is compiled, a list (quicker for plain Python) where it is not."""
    return np.zeros(size) if is_compiling() else [0.0] * size


class Highest:
    """The highest of the last `length` values."""

    __slots__ = ("_choose", "_length", "_window")

    def __init__(self, length: int) -> None:
        self._length = length
        self._window: deque[float] = deque(maxlen=length)
        self._choose: Callable[[deque[float]], float] = max

    def update(self, value: float) -> float:
        if value != value:
            return NAN
        window = self._window
        window.append(value)
        return self._choose(window) if len(window) == self._length else NAN


class Lowest(Highest):
    """The lowest of the last `length` values."""

    __slots__ = ()

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self._choose = min


class Delay:
    """The value of `bars` bars ago."""

    __slots__ = ("_length", "_window")

    def __init__(self, bars: int) -> None:
        self._length = bars + 1
        self._window: deque[float] = deque(maxlen=bars + 1)

    def update(self, value: float) -> float:
        if value != value:
            return NAN
        window = self._window
        window.append(value)
        return window[0] if len(window) == self._length else NAN


class Variance:
    """Population variance of the last `length` values, as `variance_nb` works it out."""

    __slots__ = ("_anchor", "_equal", "_last", "_length", "_position", "_squares", "_total", "_window")

    def __init__(self, length: int) -> None:
        self._length = length
        self._window: list[float] = []
        self._position = 0
        self._anchor = self._total = self._squares = 0.0
        self._last = NAN
        self._equal = 0

    def update(self, value: float) -> float:
        if value != value:
            return NAN
        length, window, position = self._length, self._window, self._position
        self._equal = self._equal + 1 if value == self._last else 1
        self._last = value
        if len(window) < length:
            window.append(value)
        else:
            anchor = self._anchor
            gone, come = window[position] - anchor, value - anchor
            window[position] = value
            self._total += come - gone
            self._squares += come * come - gone * gone
        self._position = position + 1
        if self._position == length:
            self._position = 0
            self._gather(value)
        return self._answer() if len(window) == length else NAN

    def _gather(self, anchor: float) -> None:
        total = squares = 0.0
        for inside in self._window:
            distance = inside - anchor
            total += distance
            squares += distance * distance
        self._anchor, self._total, self._squares = anchor, total, squares

    def _answer(self) -> float:
        spread = self._squares - self._total * self._total / self._length
        return 0.0 if self._equal >= self._length or spread < 0.0 else spread / self._length


class Weighted:
    """The sum of the last values, each times its weight (oldest first)."""

    __slots__ = ("_weights", "_window")

    def __init__(self, weights: tuple[float, ...]) -> None:
        self._weights = weights
        self._window: deque[float] = deque(maxlen=len(weights))

    def update(self, value: float) -> float:
        if value != value:
            return NAN
        window = self._window
        window.append(value)
        if len(window) < len(self._weights):
            return NAN
        total = 0.0
        for inside, weight in zip(window, self._weights, strict=True):
            total += inside * weight
        return total


class Windowed:
    """Any measure of the last `length` values: `measure(values, start, stop, *parameters)` is a kernel function."""

    __slots__ = ("_length", "_measure", "_parameters", "_stop", "_values")

    def __init__(self, measure: Callable[..., float], length: int, *parameters: float) -> None:
        self._measure = measure
        self._length = length
        self._parameters = parameters
        self._values = room(_KEEP * length)
        self._stop = 0

    def update(self, value: float) -> float:
        if value != value:
            return NAN
        values, length = self._values, self._length
        if self._stop == _KEEP * length:
            values[:length] = values[-length:]
            self._stop = length
        values[self._stop] = value
        self._stop = stop = self._stop + 1
        return self._measure(values, stop - length, stop, *self._parameters) if stop >= length else NAN


class WindowedPair:
    """Any measure of the last `length` values of two series."""

    __slots__ = ("_first", "_length", "_measure", "_parameters", "_second", "_stop")

    def __init__(self, measure: Callable[..., float], length: int, *parameters: float) -> None:
        self._measure = measure
        self._length = length
        self._parameters = parameters
        self._first = room(_KEEP * length)
        self._second = room(_KEEP * length)
        self._stop = 0

    def update(self, first: float, second: float) -> float:
        if first != first or second != second:
            return NAN
        length = self._length
        if self._stop == _KEEP * length:
            self._first[:length] = self._first[-length:]
            self._second[:length] = self._second[-length:]
            self._stop = length
        self._first[self._stop] = first
        self._second[self._stop] = second
        self._stop = stop = self._stop + 1
        return self._measure(self._first, self._second, stop - length, stop, *self._parameters) if stop >= length else NAN
