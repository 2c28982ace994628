"""Margin calls written from the specification alone: fractions, one close after the other, fills read from their rows."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any


def level(leverage: Fraction, maintenance: Fraction, own: Fraction | None) -> Fraction:
    """Midway between the initial and the maintenance margin, or its own level, which is not below maintenance; in whole millionths, up."""
    initial = 1 / leverage
    closes = min(maintenance, initial)
    exact = (initial + closes) / 2 if own is None else max(own, closes)
    return Fraction(-((-exact * 1_000_000).__floor__()), 1_000_000)


def begun(
    closes: Sequence[tuple[int, Fraction]], fills: Sequence[tuple[int, int, Fraction, Fraction]], *, cash: Fraction, called_below: Fraction
) -> list[tuple[int, int | None]]:
    """(begin, end) of every call; closes are (time, price), fills (time, signed lots, price, fee), prices per lot."""
    found: list[list[Any]] = []
    held, waiting = Fraction(0), list(fills)
    for at, price in closes:
        while waiting and waiting[0][0] <= at:
            _, lots, paid, fee = waiting.pop(0)
            held, cash = held + lots, cash - lots * paid - fee
        equity, exposure = cash + held * price, abs(held) * price
        is_open = bool(found) and found[-1][1] is None
        if equity < exposure * called_below and not is_open:
            found.append([at, None])
        elif equity >= exposure * called_below and is_open:
            found[-1][1] = at
    return [(begin, end) for begin, end in found]
