"""Guards: stops and targets that are measured in profit on the stake, as freqtrade does. Scalars and rows in, prices out, exact in int64.

A guard is a waiting reduce-only child (STOP, TRAILING or LIMIT) with a leverage: its distances are millionths of the stake, that is of the price
divided by the leverage, and its target is net of the fees of both sides. Its prices are fixed by its parent's fill. The rules of a bar are in
`guard_bar_nb.py`, what they mean in `trading_system/decisions/0010-the-engine.md`.
"""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    BUY,
    I_CASH_PER_PRICE_LOT,
    I_FEE_MAKER_PPM,
    I_FEE_TAKER_PPM,
    I_TICK,
    NEAR_ONLY,
    O_FILLED,
    O_FLAGS,
    O_LEVERAGE,
    O_LIMIT,
    O_NEAR_PPM,
    O_PARENT,
    O_PLACE,
    O_PROFIT_PPM,
    O_SIDE,
    O_STOP,
    O_STOP_PPM,
    O_TRAIL_PPM,
    O_TYPE,
    O_VALUE,
    O_WAS_RAISED,
    PPM,
)
from apps.orders.domain.engine_numbers import LIMIT, STOP
from apps.orders.domain.pricing_nb import to_tick

LEVERAGE_ONE = 1000
NO_TARGET = 1_000_000_000
"""A profit that no bar is asked for: the target is off."""


@kernel("i8(i8, i8, i8, i8)")
def scaled(price: int, numerator: int, denominator: int, is_up: int) -> int:
    """`price` x numerator / denominator rounded down or up; exact for terms below 10^15. 0 where the numerator is not positive."""
    if numerator <= 0:
        return 0
    whole = price // denominator
    rest = price - whole * denominator
    result, left, unit = 0, 0, 1_000_000_000_000_000
    while unit > 0:
        digits = numerator // unit % 1000
        left = left * 1000 + rest * digits
        carry = left // denominator
        left -= carry * denominator
        result = result * 1000 + whole * digits + carry
        unit //= 1000
    return result + 1 if is_up != 0 and left > 0 else result


@kernel("i8(i8, i8, i8, i8)")
def stop_price(exit_side: int, price: int, distance_ppm: int, leverage: int) -> int:
    """The price at which `distance_ppm` of the stake is lost from `price`, on the side of the market."""
    whole = PPM * leverage
    loss = distance_ppm * LEVERAGE_ONE
    if exit_side == BUY:
        return scaled(price, whole + loss, whole, 0)
    return scaled(price, whole - loss, whole, 1)


@kernel("i8(i8, i8, i8, i8, i8, i8, i8)")
def profit_price(exit_side: int, paid: int, profit_ppm: int, leverage: int, open_fee: int, close_fee: int, is_up: int) -> int:
    """The price at which a position opened at `paid` has exactly this profit on its stake after fees in ppm."""
    whole, profit = LEVERAGE_ONE * leverage, profit_ppm
    if exit_side == BUY:
        return scaled(paid, (PPM - open_fee) * (whole - profit), (PPM + close_fee) * whole, is_up)
    return scaled(paid, (PPM + open_fee) * (whole + profit), (PPM - close_fee) * whole, is_up)


@kernel("i8(i8[:, ::1], i8[:, ::1], i8)")
def paid_price(book: Any, places: Any, row: int) -> int:
    """What the guard's parent paid for a lot."""
    parent = book[row, O_PARENT]
    return int(book[parent, O_VALUE] // (book[parent, O_FILLED] * places[book[row, O_PLACE], I_CASH_PER_PRICE_LOT]))


@kernel("b1(i8[:, ::1], i8[:, ::1], i8, i8, i8)")
def has_more_profit(book: Any, places: Any, row: int, price: int, close_fee_column: int) -> bool:
    """Whether the position's profit at `price` is above the guard's profit, fees included."""
    side, place = book[row, O_SIDE], book[row, O_PLACE]
    is_buy = side == BUY
    bound = profit_price(
        side, paid_price(book, places, row), book[row, O_PROFIT_PPM], book[row, O_LEVERAGE],
        places[place, I_FEE_TAKER_PPM], places[place, close_fee_column], is_buy,
    )  # fmt: skip
    return bool(price < bound if is_buy else price > bound)


@kernel("b1(i8[:, ::1], i8[:, ::1], i8, i8, i8)")
def has_less_profit(book: Any, places: Any, row: int, price: int, close_fee_column: int) -> bool:
    """Whether the position's profit at `price` is below the guard's profit, fees included."""
    side, place = book[row, O_SIDE], book[row, O_PLACE]
    is_buy = side == BUY
    bound = profit_price(
        side, paid_price(book, places, row), book[row, O_PROFIT_PPM], book[row, O_LEVERAGE],
        places[place, I_FEE_TAKER_PPM], places[place, close_fee_column], not is_buy,
    )  # fmt: skip
    return bool(price > bound if is_buy else price < bound)


@kernel("i8(i8[:, ::1], i8[:, ::1], i8, i8)")
def target_price(book: Any, places: Any, row: int, paid: int) -> int:
    """Where the target is to fill: the wanted part of what was paid and both fees, to the tick against the trader; 0 where no price gives it."""
    side, place, leverage = book[row, O_SIDE], book[row, O_PLACE], book[row, O_LEVERAGE]
    whole = LEVERAGE_ONE * leverage
    open_fee, close_fee = places[place, I_FEE_TAKER_PPM], places[place, I_FEE_MAKER_PPM]
    if side == BUY:
        price = scaled(paid, (PPM - open_fee) * whole - book[row, O_PROFIT_PPM] * PPM, (PPM + close_fee) * whole, 1)
    else:
        price = scaled(paid, (PPM + open_fee) * whole + book[row, O_PROFIT_PPM] * PPM, (PPM - close_fee) * whole, 0)
    return to_tick(price, places[place, I_TICK], side)


@kernel("void(i8[:, ::1], i8[:, ::1], i8, i8)")
def place_guard(book: Any, places: Any, row: int, paid: int) -> None:
    """Fix the guard's price, now that its parent has paid `paid`."""
    side, order_type, tick = book[row, O_SIDE], book[row, O_TYPE], places[book[row, O_PLACE], I_TICK]
    if order_type == LIMIT:
        book[row, O_LIMIT] = target_price(book, places, row, paid)
    else:
        distance = abs(book[row, O_STOP_PPM]) if order_type == STOP else book[row, O_TRAIL_PPM]
        book[row, O_STOP] = max(to_tick(stop_price(side, paid, distance, book[row, O_LEVERAGE]), tick, -side), tick)


@kernel("i8(i8[:, ::1], i8[:, ::1], i8, i8)")
def trail_distance(book: Any, places: Any, row: int, best: int) -> int:
    """The distance in ppm of the stake at which the stop follows a best price; 0 where it does not move at all."""
    if book[row, O_FLAGS] & NEAR_ONLY and has_less_profit(book, places, row, best, I_FEE_TAKER_PPM):
        return 0
    if book[row, O_NEAR_PPM] > 0 and has_more_profit(book, places, row, best, I_FEE_TAKER_PPM):
        return int(book[row, O_NEAR_PPM])
    return int(book[row, O_TRAIL_PPM])


@kernel("void(i8[:, ::1], i8[:, ::1], i8, i8, i8)")
def raise_guard(book: Any, places: Any, row: int, best: int, worst: int) -> None:
    """Let the stop follow the bar's best price, while it has not been reached by the worst one."""
    side, stop, tick = book[row, O_SIDE], book[row, O_STOP], places[book[row, O_PLACE], I_TICK]
    if side * (worst - stop) >= 0:
        return
    distance = trail_distance(book, places, row, best)
    if distance == 0:
        return
    raised = max(to_tick(stop_price(side, best, distance, book[row, O_LEVERAGE]), tick, -side), tick)
    if side * (stop - raised) > 0:
        book[row, O_STOP] = raised
        book[row, O_WAS_RAISED] = 1


@kernel("i8(i8[:, ::1], i8[:, ::1], i8, i8, i8, i8)")
def worst_raised_price(book: Any, places: Any, row: int, open_: int, best: int, worst: int) -> int:
    """What a stop that was raised in the bar of its entry pays: the market moved just far enough to raise it and turned, but stayed in the bar."""
    side, leverage, tick = book[row, O_SIDE], book[row, O_LEVERAGE], places[book[row, O_PLACE], I_TICK]
    whole = PPM * leverage
    if book[row, O_FLAGS] & NEAR_ONLY and book[row, O_NEAR_PPM] > 0:
        gain = book[row, O_PROFIT_PPM] * leverage - book[row, O_NEAR_PPM] * LEVERAGE_ONE
    else:
        gain = -trail_distance(book, places, row, best) * LEVERAGE_ONE
    if side == BUY:
        return min(worst, to_tick(scaled(open_, whole - gain, whole, 1), tick, side))
    return max(worst, to_tick(scaled(open_, whole + gain, whole, 0), tick, side))


@kernel("void(i8[:, ::1], i8, i8, i8, i8, i8)")
def guard(book: Any, row: int, leverage: int, profit_ppm: int, near_ppm: int, flags: int) -> None:
    """Measure a child that waits in profit on the stake, by a leverage in thousandths."""
    book[row, O_LEVERAGE] = leverage
    book[row, O_PROFIT_PPM] = profit_ppm
    book[row, O_NEAR_PPM] = near_ppm
    book[row, O_FLAGS] |= flags
