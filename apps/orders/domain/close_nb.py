"""What fills at the close of a bar: orders meant for it, and market orders given on it where the timing is `at close`."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_NOW,
    A_STATUS,
    I_STEPPED_AT,
    I_VOLUME_LEFT,
    O_ACTIVE_AT,
    O_PLACE,
    O_STATE,
    O_SUBMITTED_AT,
    O_TIF,
    O_TYPE,
)
from apps.orders.domain.engine_numbers import BOOK_FULL, CANCELLED, IOC, MARKET, MARKET_AT_CLOSE, MARKET_ON_CLOSE, NOT_FILLED_AT_ONCE, OPEN
from apps.orders.domain.envelope_nb import compact, refresh
from apps.orders.domain.event_nb import has_room, volume_for
from apps.orders.domain.fills_nb import end_order
from apps.orders.domain.taking_nb import NOT_SEEN, take, view_of


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8)")
def fill_at_close(
    book: Any, active: Any, places: Any, account: Any, fills: Any, place: int, opened_at: int, closed_at: int, close: int, volume: int
) -> None:
    """Market-on-close orders that saw the bar."""
    for index in range(account[A_ACTIVE]):
        row = active[index]
        is_meant = book[row, O_PLACE] == place and book[row, O_STATE] == OPEN and book[row, O_TYPE] == MARKET_ON_CLOSE
        if is_meant and view_of(book, row, opened_at, closed_at) != NOT_SEEN:
            take(book, active, places, account, fills, row, close, MARKET_AT_CLOSE, volume, 1)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8)")
def match_at_close(book: Any, active: Any, places: Any, account: Any, fills: Any, place: int, close: int, volume: int) -> int:
    """Fill market orders that were given on this bar's close at that close (the `at close` timing)."""
    if not has_room(book, active, account, fills, 0):
        return BOOK_FULL
    at = account[A_NOW]
    if places[place, I_STEPPED_AT] != at:
        places[place, I_VOLUME_LEFT] = volume_for(places, place, volume)
        places[place, I_STEPPED_AT] = at
    for index in range(account[A_ACTIVE]):
        row = active[index]
        is_meant = book[row, O_PLACE] == place and book[row, O_STATE] == OPEN and book[row, O_TYPE] == MARKET
        if is_meant and book[row, O_SUBMITTED_AT] == at and book[row, O_ACTIVE_AT] <= at:
            take(book, active, places, account, fills, row, close, MARKET_AT_CLOSE, volume, 0)
            if book[row, O_STATE] == OPEN and book[row, O_TIF] >= IOC:
                end_order(book, account, row, CANCELLED, NOT_FILLED_AT_ONCE)
    compact(book, active, account)
    refresh(book, active, places, account, place)
    return account[A_STATUS]
