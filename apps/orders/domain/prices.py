"""Averages of fills."""

from __future__ import annotations

from decimal import Decimal

from apps.core.rounding import Rounding, round_to_step

_STEP = Decimal("0.0000000001")


def average_price(value: Decimal, quantity: Decimal) -> Decimal:
    """Volume-weighted price of fills worth `value` in all, to ten places (half-even), for people to read; `quantity` is positive."""
    average = round_to_step(value / quantity, _STEP, Rounding.HALF_EVEN).normalize()
    return average if average % 1 else average.quantize(Decimal(1))
