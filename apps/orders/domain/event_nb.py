"""What every event of a market begins and ends with: room in the tables, volume, expiry, marks, flags and the envelope."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_FILLS,
    A_ORDERS,
    A_WAITING,
    CHANGED,
    I_MARK,
    I_VOLUME_SHARE_PPM,
    NEVER,
    O_EXPIRES_AT,
    O_FLAGS,
    O_PLACE,
    O_STATE,
    O_TIF,
    OPENED_IN_RANGE,
    OUT,
    PPM,
    SEEN,
    UNBOUNDED,
)
from apps.orders.domain.engine_numbers import CANCELLED, DAY, DAY_OVER, EXPIRED, IOC, NOT_FILLED_AT_ONCE, OPEN, TIME_OVER
from apps.orders.domain.envelope_nb import compact, refresh
from apps.orders.domain.fills_nb import end_order
from apps.orders.domain.taking_nb import NOT_SEEN, view_of


@kernel("void(i8[:, ::1], i8[::1], i8[::1], i8, i8, i8, i8)")
def expire(book: Any, active: Any, account: Any, place: int, at: int, opened_at: int, closed_at: int) -> None:
    """End orders whose time is over at `at`; at the close also those that had to fill at once and saw the bar."""
    for index in range(account[A_ACTIVE]):
        row = active[index]
        if book[row, O_PLACE] != place or book[row, O_STATE] != OPEN:
            continue
        is_new = book[row, O_FLAGS] & OPENED_IN_RANGE != 0
        if at == closed_at and book[row, O_TIF] >= IOC and not is_new and view_of(book, row, opened_at, closed_at) != NOT_SEEN:
            end_order(book, account, row, CANCELLED, NOT_FILLED_AT_ONCE)
        elif book[row, O_EXPIRES_AT] != NEVER and book[row, O_EXPIRES_AT] <= at:
            end_order(book, account, row, EXPIRED, DAY_OVER if book[row, O_TIF] == DAY else TIME_OVER)


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8)", is_inlined=True)
def finish(book: Any, active: Any, places: Any, account: Any, place: int, opened_at: int, closed_at: int, mark: int) -> None:
    """The end of an event: marks, flags, the active list, the envelope."""
    places[place, I_MARK] = mark
    if account[A_ACTIVE] > 0:
        compact(book, active, account)
    for index in range(account[A_ACTIVE]):
        row = active[index]
        if book[row, O_PLACE] == place:
            is_seen = view_of(book, row, opened_at, closed_at) != NOT_SEEN and book[row, O_FLAGS] & OPENED_IN_RANGE == 0
            book[row, O_FLAGS] &= ~(OPENED_IN_RANGE | CHANGED | OUT)
            if is_seen:
                book[row, O_FLAGS] |= SEEN
    refresh(book, active, places, account, place)


@kernel("b1(i8[:, ::1], i8[::1], i8[::1], i8[:, ::1], i8)", is_inlined=True)
def has_room(book: Any, active: Any, account: Any, fills: Any, levels: int) -> bool:
    """Whether the tables can take whatever one event may bring."""
    acting = account[A_ACTIVE] + account[A_WAITING] + 2
    return bool(
        fills.shape[0] - account[A_FILLS] > acting * (levels + 1)
        and active.shape[0] - account[A_ACTIVE] > account[A_WAITING] + 2
        and book.shape[0] - account[A_ORDERS] > 2
    )


@kernel("i8(i8[:, ::1], i8, i8)", is_inlined=True)
def volume_for(places: Any, place: int, volume: int) -> int:
    """The lots that orders may take of a volume (below 0: not known)."""
    share = places[place, I_VOLUME_SHARE_PPM]
    if share == 0 or volume < 0:
        return UNBOUNDED
    whole = volume // PPM
    return whole * share + ((volume - whole * PPM) * share) // PPM
