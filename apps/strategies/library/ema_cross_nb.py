"""The signals of crossing exponential averages in one pass, without a table of averages."""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT


@kernel("void(i8[::1], i8, i8, i8, i1[::1])", is_checked=False)
def cross_signals(close: Any, fast: int, slow: int, is_both_ways: int, bits: Any) -> None:
    """Both averages start at the first close; crosses count from bar `slow` on. Both ways also sells short."""
    if bits.shape[0] < close.shape[0]:
        return
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


@kernel("i8(b1, b1, i8, i8)", is_inlined=True)
def cross_bits(is_up: bool, was_up: bool, bar: int, slow: int) -> int:
    """The long-only signal of one pair at one bar."""
    if is_up == was_up or bar < slow:
        return 0
    return ENTER_LONG if is_up else EXIT_LONG


@kernel("void(i8[::1], i8[::1], i8[::1], i1[:, ::1])", is_checked=False)
def four_cross_signals(close: Any, fast: Any, slow: Any, bits: Any) -> None:
    """The long-only signals of four pairs of averages in one pass: row k of `bits` is that of `fast[k]` and `slow[k]`.

    Each average waits for its own last value only, so eight of them take little longer than two.
    """
    if bits.shape[0] < 4 or bits.shape[1] < close.shape[0] or fast.shape[0] < 4 or slow.shape[0] < 4:
        return
    weight_0, weight_1, weight_2, weight_3 = 2.0 / (fast[0] + 1), 2.0 / (fast[1] + 1), 2.0 / (fast[2] + 1), 2.0 / (fast[3] + 1)
    heavy_0, heavy_1, heavy_2, heavy_3 = 2.0 / (slow[0] + 1), 2.0 / (slow[1] + 1), 2.0 / (slow[2] + 1), 2.0 / (slow[3] + 1)
    from_0, from_1, from_2, from_3 = slow[0], slow[1], slow[2], slow[3]
    quick_0 = quick_1 = quick_2 = quick_3 = steady_0 = steady_1 = steady_2 = steady_3 = float(close[0])
    was_0 = was_1 = was_2 = was_3 = False
    for bar in range(close.shape[0]):
        price = float(close[bar])
        quick_0 += weight_0 * (price - quick_0)
        quick_1 += weight_1 * (price - quick_1)
        quick_2 += weight_2 * (price - quick_2)
        quick_3 += weight_3 * (price - quick_3)
        steady_0 += heavy_0 * (price - steady_0)
        steady_1 += heavy_1 * (price - steady_1)
        steady_2 += heavy_2 * (price - steady_2)
        steady_3 += heavy_3 * (price - steady_3)
        is_0, is_1, is_2, is_3 = quick_0 > steady_0, quick_1 > steady_1, quick_2 > steady_2, quick_3 > steady_3
        bits[0, bar] = cross_bits(is_0, was_0, bar, from_0)
        bits[1, bar] = cross_bits(is_1, was_1, bar, from_1)
        bits[2, bar] = cross_bits(is_2, was_2, bar, from_2)
        bits[3, bar] = cross_bits(is_3, was_3, bar, from_3)
        was_0, was_1, was_2, was_3 = is_0, is_1, is_2, is_3
