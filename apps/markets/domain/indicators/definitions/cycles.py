"""Ehlers' filters and the Hilbert transform of the close."""

from __future__ import annotations

import math

from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import change, decayed_sum, delay, known, two_pole
from apps.markets.domain.indicators.registry import Number, Whole, indicator

KIND = "cycle"
_IN_PHASE = 0.635
_QUADRATURE = 0.338


@indicator(
    "hilbert",
    KIND,
    "Hilbert transform of the change over `length` bars: the in-phase and the quadrature part of the cycle.",
    length=Whole(7),
)
def _hilbert(bars: Bars, length: int) -> dict[str, Node]:
    move = change(bars.close, length)
    before, earlier = delay(move, 1), delay(move, 3)
    return {
        "in_phase": decayed_sum((earlier - before * _IN_PHASE) * 1.25, _IN_PHASE, 3),
        "quadrature": decayed_sum(known(before, move * 0.0) - move * _QUADRATURE, _QUADRATURE, 2),
    }


def _pole(length: int) -> float:
    """The pace of a two-pole filter that passes half the power of a cycle of `length` bars."""
    beta = 2.415 * (1.0 - math.cos(2.0 * math.pi / length))
    return -beta + math.sqrt(beta * beta + 2.0 * beta)


def _two_pole(bars: Bars, gain: float, b1: float, b2: float, pace: float) -> Node:
    rest = 1.0 - pace
    return two_pole(bars.close, gain, 1.0, b1, b2, 2.0 * rest, -rest * rest)


@indicator(
    "gauss",
    KIND,
    "Two-pole Gaussian filter of the close: cycles shorter than `length` bars are smoothed away. Starts from 0.",
    length=Whole(20, least=5),
)
def _gauss(bars: Bars, length: int) -> Node:
    pace = _pole(length)
    return _two_pole(bars, pace * pace, 0.0, 0.0, pace)


@indicator(
    "butterworth",
    KIND,
    "Two-pole Butterworth filter of the close: cycles shorter than `length` bars are smoothed away. Starts from 0.",
    length=Whole(20, least=5),
)
def _butterworth(bars: Bars, length: int) -> Node:
    pace = _pole(length)
    return _two_pole(bars, pace * pace / 4.0, 2.0, 1.0, pace)


@indicator(
    "high_pass",
    KIND,
    "One-pole high-pass filter of the close: what moves slower than a cycle of `length` bars is taken out. Scaled as LEAN scales it.",
    length=Whole(20, least=5),
)
def _high_pass(bars: Bars, length: int) -> Node:
    angle = 2.0 * math.pi / length
    pace = (math.cos(angle) + math.sin(angle) - 1.0) / math.cos(angle)
    return two_pole(bars.close, (1.0 + pace) / 2.0, 1.0, -1.0, 0.0, 1.0 - pace, 0.0)


@indicator(
    "two_pole_high_pass",
    KIND,
    "Two-pole high-pass filter of the close: what moves slower than a cycle of `length` bars is taken out. Scaled as LEAN scales it.",
    length=Whole(20, least=5),
)
def _two_pole_high_pass(bars: Bars, length: int) -> Node:
    pace = _pole(length)
    return _two_pole(bars, (1.0 + pace) * (1.0 + pace) / 4.0, -2.0, 1.0, pace)


@indicator(
    "band_stop",
    KIND,
    "Band-stop filter of the close: cycles of about `length` bars, `width` of it to either side, are taken out. Starts from 0.",
    length=Whole(20, least=5),
    width=Number(0.1, 0.01, 0.5),
)
def _band_stop(bars: Bars, length: int, width: float) -> Node:
    gamma = 1.0 / math.cos(4.0 * math.pi * width / length)
    pace = gamma - math.sqrt(gamma * gamma - 1.0)
    beta = math.cos(2.0 * math.pi / length)
    return two_pole(bars.close, (1.0 + pace) / 2.0, 1.0, -2.0 * beta, 1.0, beta * (1.0 + pace), -pace)
