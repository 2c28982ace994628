"""The averages that strategies call at every bar, one value at a time, written out for speed.

`update` answers the average, nan until warm; a nan given in is answered with nan and changes nothing. `value` is the last average. The
kernels in `averages_nb.py` give the same bits over arrays.
"""
# ruff: noqa: PLR0124  `value != value` is the cheapest test for nan in a call that must cost a tenth of a microsecond

from __future__ import annotations

NAN = float("nan")


class Ema:
    """Exponential average, seeded with the first value, then moving 2 / (length + 1) of the distance. Warm at once."""

    __slots__ = ("_weight", "value", "warmup")

    def __init__(self, length: int) -> None:
        self._weight = 2.0 / (length + 1)
        self.warmup = 1
        self.value = NAN

    @property
    def is_ready(self) -> bool:
        return self.value == self.value

    def update(self, value: float) -> float:
        average = self.value
        if average == average:
            if value != value:
                return NAN
            average += self._weight * (value - average)
            self.value = average
            return average
        self.value = value
        return value


class Sma:
    """Mean of the last `length` values. Its running sum is rebuilt whenever the window has been replaced once."""

    __slots__ = ("_length", "_position", "_total", "_window", "value", "warmup")

    def __init__(self, length: int) -> None:
        self._length = length
        self._window: list[float] = []
        self._position = 0
        self._total = 0.0
        self.warmup = length
        self.value = NAN

    @property
    def is_ready(self) -> bool:
        return self.value == self.value

    def update(self, value: float) -> float:
        if value != value:
            return NAN
        window = self._window
        length = self._length
        position = self._position
        total = self._total + value
        if len(window) < length:
            window.append(value)
        else:
            total -= window[position]
            window[position] = value
        position += 1
        if position == length:
            position = 0
            total = 0.0
            for inside in window:
                total += inside
        self._position = position
        self._total = total
        if len(window) == length:
            self.value = total / length
        return self.value


class SeededAverage:
    """Mean of the first `length` values, then moving `weight` of the distance to each further one."""

    __slots__ = ("_count", "_length", "_total", "_weight", "value", "warmup")

    def __init__(self, length: int, weight: float) -> None:
        self._length = length
        self._weight = weight
        self._count = 0
        self._total = 0.0
        self.warmup = length
        self.value = NAN

    @property
    def is_ready(self) -> bool:
        return self.value == self.value

    def update(self, value: float) -> float:
        if value != value:
            return NAN
        average = self.value
        if average == average:
            average += self._weight * (value - average)
            self.value = average
            return average
        self._total += value
        self._count += 1
        if self._count == self._length:
            self.value = self._total / self._length
        return self.value


class Wilder(SeededAverage):
    """Wilder's average (rma): seeded with the mean of the first `length` values, then moving 1 / length of the distance."""

    __slots__ = ()

    def __init__(self, length: int) -> None:
        super().__init__(length, 1.0 / length)


class MeanSeededEma(SeededAverage):
    """Exponential average seeded with the mean of the first `length` values, then moving 2 / (length + 1) of the distance."""

    __slots__ = ()

    def __init__(self, length: int) -> None:
        super().__init__(length, 2.0 / (length + 1))
