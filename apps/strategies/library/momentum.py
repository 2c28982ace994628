"""Momentum: hold what has been rising."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from apps.core.vocabulary import Direction
from apps.strategies.domain.parameters import parameter
from apps.strategies.domain.signals import Signal
from apps.strategies.domain.strategy import Context, Strategy, strategy


@dataclass(frozen=True)
class MomentumParameters:
    fast_bars: int = parameter(20, minimum=2, maximum=200, help="Bars of the short average.")
    slow_bars: int = parameter(
        60, minimum=5, maximum=400, help="Bars of the long average. Shorter than the short one turns the signals round."
    )
    exit_band: float = parameter(
        0.002,
        minimum=0.0,
        maximum=0.1,
        help="How far the short average must fall below the long one before a position is given up (0.002 = 0.2 %).",
    )


@strategy("momentum", title="Momentum")
class Momentum(Strategy):
    """Long while the short average of closes is above the long one; out when it has fallen below it by the exit band.

    Strength is the distance between the averages in units of what chance alone would explain (the bar volatility times the root of the
    long average's length), capped at 1; confidence is 0.5 + strength / 2.
    """

    Parameters = MomentumParameters

    @property
    def warmup_bars(self) -> int:
        return max(int(self.parameters.slow_bars), int(self.parameters.fast_bars)) + 1

    def decide(self, context: Context) -> Signal:
        fast_bars, slow_bars = int(self.parameters.fast_bars), int(self.parameters.slow_bars)
        closes = context.window.close[-self.warmup_bars :].astype(np.float64)
        fast = float(closes[-fast_bars:].mean())
        slow = float(closes[-slow_bars:].mean())
        gap = fast / slow - 1.0
        volatility = float(np.diff(np.log(closes)).std())
        noise = volatility * math.sqrt(slow_bars) / 2.0
        strength = min(1.0, abs(gap) / noise) if noise > 0 else 0.0
        confidence = 0.5 + strength / 2.0
        text = f"the {fast_bars}-bar average is {abs(gap):.2%} {'above' if gap >= 0 else 'below'} the {slow_bars}-bar average"
        if gap > 0:
            return Signal(Direction.LONG, strength, confidence, f"Rising: {text}.")
        if context.position > 0 and gap > -self.parameters.exit_band:
            return Signal(
                Direction.LONG, strength, confidence, f"Still held: {text}, within the exit band of {self.parameters.exit_band:.2%}."
            )
        return Signal(Direction.FLAT, strength, confidence, f"Not rising: {text}.")
