"""What the last values say, one value at a time. `update` answers nan until the window is full; a nan given in is answered with nan and
changes nothing. The kernels in `windows_nb.py` give the same bits over arrays."""
# ruff: noqa: PLR0124  `value != value` is the cheapest test for nan

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

NAN = float("nan")
_KEEP = 4
"""A list of recent values is cut back to one window when it has grown to this many."""


def plain(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The Python function behind a kernel, for lists and single values."""
    function: Callable[..., Any] = getattr(kernel, "py_func", kernel)
    return function


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
    """Any measure of the last `length` values: `measure(values, start, stop, *parameters)` is the plain form of a kernel function."""

    __slots__ = ("_length", "_measure", "_parameters", "_values")

    def __init__(self, measure: Callable[..., float], length: int, *parameters: float) -> None:
        self._measure = plain(measure)
        self._length = length
        self._parameters = parameters
        self._values: list[float] = []

    def update(self, value: float) -> float:
        if value != value:
            return NAN
        values, length = self._values, self._length
        values.append(value)
        if len(values) > _KEEP * length:
            del values[:-length]
        stop = len(values)
        return self._measure(values, stop - length, stop, *self._parameters) if stop >= length else NAN


class WindowedPair:
    """Any measure of the last `length` values of two series."""

    __slots__ = ("_first", "_length", "_measure", "_parameters", "_second")

    def __init__(self, measure: Callable[..., float], length: int, *parameters: float) -> None:
        self._measure = plain(measure)
        self._length = length
        self._parameters = parameters
        self._first: list[float] = []
        self._second: list[float] = []

    def update(self, first: float, second: float) -> float:
        if first != first or second != second:
            return NAN
        length = self._length
        self._first.append(first)
        self._second.append(second)
        if len(self._first) > _KEEP * length:
            del self._first[:-length], self._second[:-length]
        stop = len(self._first)
        return self._measure(self._first, self._second, stop - length, stop, *self._parameters) if stop >= length else NAN
