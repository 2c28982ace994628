"""The signals of crossing exponential averages in one pass, without a table of averages."""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT


@kernel("void(i8[::1], i8, i8, i8, i1[::1])")
def cross_signals(close: Any, fast: int, slow: int, is_both_ways: int, bits: Any) -> None:
    """Both averages start at the first close; crosses count from bar `slow` on. Both ways also sells short."""
    up_bits = ENTER_LONG | EXIT_SHORT if is_both_ways else ENTER_LONG
    down_bits = EXIT_LONG | ENTER_SHORT if is_both_ways else EXIT_LONG
    fast_weight, slow_weight = 2.0 / (fast + 1), 2.0 / (slow + 1)
    quick = steady = float(close[0])
    was_up = False
    for bar in range(close.shape[0]):
        price = float(close[bar])
        quick += fast_weight * (price - quick)
        steady += slow_weight * (price - steady)
        is_up = quick > steady
        bits[bar] = 0
        if bar >= slow and is_up != was_up:
            bits[bar] = up_bits if is_up else down_bits
        was_up = is_up


@kernel("void(i8[::1], i8[::1], i8[::1], f8[:, ::1], i1[:, ::1])")
def many_cross_signals(close: Any, fast: Any, slow: Any, averages: Any, bits: Any) -> None:
    """The long-only signals of several pairs of averages in one pass: row k of `bits` is that of `fast[k]` and `slow[k]`. `averages` is room of
    four rows, one column a pair. The chains do not wait for each other, so eight pairs take little longer than one."""
    for pair in range(fast.shape[0]):
        averages[0, pair] = 2.0 / (fast[pair] + 1)
        averages[1, pair] = 2.0 / (slow[pair] + 1)
        averages[2, pair] = float(close[0])
        averages[3, pair] = float(close[0])
    for bar in range(close.shape[0]):
        price = float(close[bar])
        for pair in range(fast.shape[0]):
            was_up = averages[2, pair] > averages[3, pair]
            averages[2, pair] += averages[0, pair] * (price - averages[2, pair])
            averages[3, pair] += averages[1, pair] * (price - averages[3, pair])
            is_up = averages[2, pair] > averages[3, pair]
            has_crossed = bar >= slow[pair] and is_up != was_up
            bits[pair, bar] = (ENTER_LONG if is_up else EXIT_LONG) if has_crossed else 0
