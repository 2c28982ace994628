"""Indicators that remember, one bar at a time: the plain form of a step of `recursions_nb.py` with a state of its own."""
# ruff: noqa: PLR0124  `value != value` is the cheapest test for nan

from __future__ import annotations

from collections.abc import Callable

from apps.markets.domain.indicators.windows import plain

NAN = float("nan")


class Recursion:
    """`update` hands the bar's values to the step; a nan among them is answered with nan and changes nothing."""

    __slots__ = ("_parameters", "_state", "_step")

    def __init__(self, step: Callable[..., float], size: int, *parameters: float) -> None:
        self._step = plain(step)
        self._state = [0.0] * size
        self._parameters = parameters

    def update(self, *values: float) -> float:
        for value in values:
            if value != value:
                return NAN
        return self._step(self._state, *values, *self._parameters)
