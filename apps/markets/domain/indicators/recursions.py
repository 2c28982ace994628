"""Indicators that remember, one bar at a time: a step of `recursions_nb.py` with a state of its own."""
# ruff: noqa: PLR0124  `value != value` is the cheapest test for nan

from __future__ import annotations

from collections.abc import Callable

from apps.markets.domain.indicators.windows import room

NAN = float("nan")


class Recursion:
    """`update` hands the bar's values to the step; a nan among them is answered with nan and changes nothing."""

    __slots__ = ("_parameters", "_state", "_step")

    def __init__(self, step: Callable[..., float], size: int, *parameters: float) -> None:
        self._step = step
        self._state = room(size)
        self._parameters = parameters

    def update(self, *values: float) -> float:
        for value in values:
            if value != value:
                return NAN
        return self._step(self._state, *values, *self._parameters)
