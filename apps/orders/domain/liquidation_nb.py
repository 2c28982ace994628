"""Closing a position that equity no longer carries: at what price, and by what order."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.book_nb import submit
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_STATUS,
    I_MARK,
    I_MIN_LOTS,
    I_POSITION,
    I_TICK,
    I_VOLUME_LEFT,
    NO_ROW,
    O_FLAGS,
    O_LOTS,
    O_PLACE,
    O_STATE,
    REDUCE_ONLY,
    UNBOUNDED,
)
from apps.orders.domain.engine_numbers import BOOK_FULL, CANCELLED, CLOSED_BY_LIQUIDATION, GTC, MARKET, OPEN
from apps.orders.domain.fills_nb import end_order
from apps.orders.domain.money_nb import is_below_maintenance
from apps.orders.domain.taking_nb import take


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8)")
def liquidate(book: Any, active: Any, places: Any, account: Any, fills: Any, place: int, price: int, reason: int, volume: int) -> None:
    """Close the instrument's position at this price by an order of the venue's own; what could open it again is cancelled."""
    for index in range(account[A_ACTIVE]):
        row = active[index]
        if book[row, O_PLACE] == place and book[row, O_STATE] == OPEN and book[row, O_FLAGS] & REDUCE_ONLY == 0:
            end_order(book, account, row, CANCELLED, CLOSED_BY_LIQUIDATION)
    position, volume_left = places[place, I_POSITION], places[place, I_VOLUME_LEFT]
    places[place, I_VOLUME_LEFT] = UNBOUNDED
    side = -1 if position > 0 else 1
    lots = max(abs(position), places[place, I_MIN_LOTS])
    row = submit(book, active, places, account, place, side, MARKET, GTC, REDUCE_ONLY, lots, 0, 0, 0, 0, 0, NO_ROW, 0, 0, 0, 0)
    if row == NO_ROW:
        account[A_STATUS] = BOOK_FULL
        return
    book[row, O_LOTS] = abs(position)
    if book[row, O_STATE] == OPEN:
        take(book, active, places, account, fills, row, price, reason, volume, 1)
    places[place, I_VOLUME_LEFT] = volume_left


@kernel("i8(i8[:, ::1], i8[::1], i8, i8, i8)")
def liquidation_price(places: Any, account: Any, place: int, open_: int, worst: int) -> int:
    """The first price on the way from the open to the worst one at which equity is below maintenance; 0 if there is none."""
    mark = places[place, I_MARK]
    tick = places[place, I_TICK]
    places[place, I_MARK] = worst
    found = 0
    if is_below_maintenance(places, account):
        found, good = worst, open_
        places[place, I_MARK] = open_
        if is_below_maintenance(places, account):
            found = open_
        while abs(good - found) > tick:
            steps = max(abs(good - found) // 2 // tick, 1)
            middle = found + steps * tick if good > found else found - steps * tick
            places[place, I_MARK] = middle
            if is_below_maintenance(places, account):
                found = middle
            else:
                good = middle
    places[place, I_MARK] = mark
    return found
