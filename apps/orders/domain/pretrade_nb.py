"""Limits looked at before an order enters the book, fast enough for every quote. 0 switches a limit off; what only reduces is never refused."""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.book_nb import submit
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_NOW,
    I_ASK,
    I_BID,
    I_CASH_PER_PRICE_LOT,
    I_MARK,
    I_POSITION,
    NO_ROW,
    O_FLAGS,
    O_LOTS,
    O_REASON,
    O_STATE,
    PPM,
    REDUCE_ONLY,
)
from apps.orders.domain.engine_numbers import (
    ACCEPTED,
    OUTSIDE_COLLAR,
    OVER_ORDER_SIZE,
    OVER_ORDER_VALUE,
    OVER_POSITION,
    REFUSED,
    TOO_MANY_OPEN,
    TOO_MANY_ORDERS,
)

# Columns of `limits`: most lots and value of an order, most lots held, how far from the last price in millionths, most open orders, most
# orders in a window, the window in microseconds, then the window's beginning and how many orders it has seen.
(
    P_ORDER_LOTS,
    P_ORDER_VALUE,
    P_POSITION_LOTS,
    P_COLLAR_PPM,
    P_OPEN_ORDERS,
    P_ORDERS,
    P_WINDOW_US,
    P_WINDOW_BEGAN,
    P_WINDOW_ORDERS,
) = range(9)
LIMIT_COLUMNS = 9


@kernel("i8(i8[:, ::1], i8[::1], i8[::1], i8, i8, i8, i8)")
def limit_refusal(places: Any, account: Any, limits: Any, place: int, side: int, lots: int, price: int) -> int:
    """The first limit that an order would pass, in the order of the columns; ACCEPTED if none. `price` is its own, or 0."""
    mark = places[place, I_MARK]
    quoted = places[place, I_ASK] if side > 0 else places[place, I_BID]
    expected = price if price > 0 else (quoted if quoted > 0 else mark)
    if limits[P_ORDER_LOTS] > 0 and lots > limits[P_ORDER_LOTS]:
        return OVER_ORDER_SIZE
    if limits[P_ORDER_VALUE] > 0 and lots * expected * places[place, I_CASH_PER_PRICE_LOT] > limits[P_ORDER_VALUE]:
        return OVER_ORDER_VALUE
    if limits[P_POSITION_LOTS] > 0 and abs(places[place, I_POSITION] + side * lots) > limits[P_POSITION_LOTS]:
        return OVER_POSITION
    if (
        limits[P_COLLAR_PPM] > 0
        and mark > 0
        and abs(expected - mark) > mark // PPM * limits[P_COLLAR_PPM] + mark % PPM * limits[P_COLLAR_PPM] // PPM
    ):
        return OUTSIDE_COLLAR
    if limits[P_OPEN_ORDERS] > 0 and account[A_ACTIVE] >= limits[P_OPEN_ORDERS]:
        return TOO_MANY_OPEN
    if limits[P_ORDERS] > 0:
        now = account[A_NOW]
        if now - limits[P_WINDOW_BEGAN] >= limits[P_WINDOW_US]:
            limits[P_WINDOW_BEGAN] = now
            limits[P_WINDOW_ORDERS] = 0
        if limits[P_WINDOW_ORDERS] >= limits[P_ORDERS]:
            return TOO_MANY_ORDERS
        limits[P_WINDOW_ORDERS] += 1
    return ACCEPTED


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[::1], i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8)")
def submit_within(
    book: Any, active: Any, places: Any, account: Any, limits: Any,
    place: int, side: int, order_type: int, tif: int, flags: int, lots: int, limit: int, stop: int, trail: int, trail_ppm: int,
    expires_at: int, parent: int, group: int, stop_ppm: int, limit_ppm: int, tag: int,
) -> int:  # fmt: skip
    """`submit` behind the limits: an order that passes one is recorded as refused."""
    reason = ACCEPTED
    if flags & REDUCE_ONLY == 0:
        reason = limit_refusal(places, account, limits, place, side, lots, limit if limit > 0 else stop)
    asked = lots if reason == ACCEPTED else 0
    row = submit(
        book, active, places, account, place, side, order_type, tif, flags, asked, limit, stop, trail, trail_ppm,
        expires_at, parent, group, stop_ppm, limit_ppm, tag,
    )  # fmt: skip
    if reason != ACCEPTED and row != NO_ROW:
        book[row, O_LOTS], book[row, O_STATE], book[row, O_REASON], book[row, O_FLAGS] = lots, REFUSED, reason, flags
    return row
