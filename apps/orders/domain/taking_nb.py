"""What an order sees of a bar, and how it trades as a taker or at a price of its own."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    A_NOW,
    I_MAX_PRICE,
    I_SLIPPAGE,
    I_TICK,
    I_VOLUME_LEFT,
    O_ACTIVE_AT,
    O_FLAGS,
    O_LIMIT,
    O_PLACE,
    O_REASON,
    O_SIDE,
    O_TYPE,
    OUT,
    UNBOUNDED,
)
from apps.orders.domain.engine_numbers import MARKET_ON_OPEN, OUT_OF_BOUNDS, SLIPPAGE_VOLUME_SHARE, STOP_LIMIT_TRIGGERED
from apps.orders.domain.fills_nb import allowed_lots, fill_order
from apps.orders.domain.pricing_nb import taker_price

NOT_SEEN, WHOLE_BAR, CLOSE_ONLY = range(3)


@kernel("i8(i8[:, ::1], i8, i8, i8)", is_inlined=True)
def view_of(book: Any, row: int, opened_at: int, closed_at: int) -> int:
    """What the order sees of the bar."""
    active_at = book[row, O_ACTIVE_AT]
    if active_at <= opened_at:
        return WHOLE_BAR
    if active_at < closed_at and book[row, O_TYPE] != MARKET_ON_OPEN:
        return CLOSE_ONLY
    return NOT_SEEN


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8)")
def take(
    book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, reference: int, reason: int, volume: int, is_in_range: int
) -> int:
    """Fill what can be filled as a taker at `reference`; lots traded."""
    place, side = book[row, O_PLACE], book[row, O_SIDE]
    tick = places[place, I_TICK]
    lots = 0
    if places[place, I_SLIPPAGE] >= SLIPPAGE_VOLUME_SHARE:
        lots = min(allowed_lots(book, places, row), places[place, I_VOLUME_LEFT])
    price = taker_price(places, place, reference, side, lots, volume, tick)
    if reason == STOP_LIMIT_TRIGGERED and side * (price - book[row, O_LIMIT]) > 0:
        price = book[row, O_LIMIT]
    if price < tick or price > places[place, I_MAX_PRICE]:
        book[row, O_REASON] = OUT_OF_BOUNDS
        book[row, O_FLAGS] |= OUT
        return 0
    return fill_order(book, active, places, account, fills, row, UNBOUNDED, price, reference, reason, 0, account[A_NOW], is_in_range)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8)")
def make(
    book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, price: int, reason: int, is_maker: int, is_in_range: int
) -> int:
    """Fill what can be filled at exactly this price; lots traded."""
    return fill_order(book, active, places, account, fills, row, UNBOUNDED, price, price, reason, is_maker, account[A_NOW], is_in_range)
