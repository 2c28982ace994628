"""Colours of heat maps as class names: the stylesheet has five strengths of two colours that colour-blind readers can tell apart."""

from __future__ import annotations

STRENGTHS = 5


def heat_class(value: float | None, strongest: float) -> str:
    """`heat-up-1` to `heat-up-5` for gains, `heat-down-…` for losses; empty for nothing."""
    if value is None or value == 0 or strongest <= 0:
        return ""
    strength = min(STRENGTHS, 1 + int(abs(value) / strongest * STRENGTHS))
    return f"heat-{'up' if value > 0 else 'down'}-{strength}"


def rank_class(value: float | None, lowest: float, highest: float) -> str:
    """`heat-1` (lowest) to `heat-9` (highest) for values of which larger is better; empty where there is none."""
    if value is None:
        return ""
    share = (value - lowest) / (highest - lowest) if highest > lowest else 0.5
    return f"heat-{1 + round(max(0.0, min(1.0, share)) * 8)}"
