"""What opens, ends and fills an order: its group, its children, cash and position.

Rules: `trading_system/decisions/0010-the-engine.md`. The arrays are the caller's; nothing is allocated.
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_CASH,
    A_FILLS,
    A_NOW,
    A_STATUS,
    A_TRADED_VALUE,
    A_WAITING,
    BUY,
    F_AT,
    F_FEE,
    F_IS_MAKER,
    F_LOTS,
    F_ORDER,
    F_PLACE,
    F_PRICE,
    F_REASON,
    F_REFERENCE,
    F_SIDE,
    F_TAG,
    F_VALUE,
    I_ALLOWS_SHORT,
    I_CASH_PER_PRICE_LOT,
    I_CURRENCY,
    I_LOW_BOUND,
    I_MAX_LOTS,
    I_POSITION,
    I_TICK,
    I_VOLUME_LEFT,
    INT64_SAFE,
    NO_ROW,
    O_BEST,
    O_CHILDREN,
    O_ENDED_AT,
    O_FEE,
    O_FILLED,
    O_FLAGS,
    O_GROUP,
    O_LEVERAGE,
    O_LIMIT,
    O_LIMIT_PPM,
    O_LOTS,
    O_NEXT,
    O_PARENT,
    O_PLACE,
    O_REASON,
    O_SIDE,
    O_STATE,
    O_STOP,
    O_STOP_PPM,
    O_TAG,
    O_TIF,
    O_TRAIL,
    O_TRAIL_PPM,
    O_TYPE,
    O_VALUE,
    OPENED_IN_RANGE,
    REDUCE_ONLY,
    UNBOUNDED,
)
from apps.orders.domain.engine_numbers import (
    CANCELLED,
    FILLED,
    FOK,
    GROUP_FILLED,
    INSUFFICIENT_CASH,
    NO_SHORT,
    NOT_FILLED_AT_ONCE,
    NOTHING_TO_REDUCE,
    OPEN,
    OVERFLOW,
    PARENT_ENDED,
    PROTECTION_FILLED,
    TRAILING,
    WAITING,
)
from apps.orders.domain.envelope_nb import widen_others
from apps.orders.domain.guards_nb import place_guard
from apps.orders.domain.money_nb import affordable_lots, in_account_currency
from apps.orders.domain.pricing_nb import fee, relative_price, share_up, to_tick


@kernel("void(i8[:, ::1], i8[:, ::1], i8)")
def set_trailing_stop(book: Any, places: Any, row: int) -> None:
    """Move the stop behind the best price; it never loosens. A guard moves by its own rule."""
    best, tick, side = book[row, O_BEST], places[book[row, O_PLACE], I_TICK], book[row, O_SIDE]
    if best <= 0 or book[row, O_LEVERAGE] != 0:
        return
    distance = book[row, O_TRAIL] if book[row, O_TRAIL] > 0 else share_up(best, book[row, O_TRAIL_PPM])
    stop = max(to_tick(best + side * distance, tick, side), tick)
    old = book[row, O_STOP]
    if old == 0 or side * (old - stop) > 0:
        book[row, O_STOP] = stop


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8)", is_inlined=True)
def open_order(book: Any, active: Any, places: Any, account: Any, row: int, price: int) -> None:
    """Put the order among those that may act; a trailing stop starts from `price`."""
    book[row, O_STATE] = OPEN
    places[book[row, O_PLACE], I_LOW_BOUND] = UNBOUNDED
    active[account[A_ACTIVE]] = row
    account[A_ACTIVE] += 1
    if book[row, O_TYPE] == TRAILING:
        book[row, O_BEST] = price
        set_trailing_stop(book, places, row)


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8)")
def open_child(book: Any, active: Any, places: Any, account: Any, parent: int, row: int, price: int) -> None:
    """The parent has filled (first at `price`): fix relative prices, take the lots that it has filled."""
    place = book[row, O_PLACE]
    tick = places[place, I_TICK]
    if book[row, O_LEVERAGE] != 0:
        place_guard(book, places, row, price)
    elif book[row, O_STOP_PPM] != 0 and book[row, O_STOP] == 0:
        book[row, O_STOP] = max(relative_price(price, book[row, O_STOP_PPM], tick), tick)
    if book[row, O_LEVERAGE] == 0 and book[row, O_LIMIT_PPM] != 0 and book[row, O_LIMIT] == 0:
        book[row, O_LIMIT] = max(relative_price(price, book[row, O_LIMIT_PPM], tick), tick)
    book[row, O_LOTS] = book[parent, O_FILLED]
    open_order(book, active, places, account, row, price)


@kernel("void(i8[:, ::1], i8[::1], i8, i8, i8)", is_inlined=True)
def end_order(book: Any, account: Any, row: int, state: int, reason: int) -> None:
    """The order ends; children of an order that never filled end with it, and theirs."""
    if book[row, O_STATE] == WAITING:
        account[A_WAITING] -= 1
    book[row, O_STATE] = state
    book[row, O_REASON] = reason
    book[row, O_ENDED_AT] = account[A_NOW]
    if book[row, O_FILLED] > 0:
        return
    child = book[row, O_CHILDREN]
    while child != NO_ROW:
        if book[child, O_STATE] == WAITING:
            book[child, O_STATE] = CANCELLED
            book[child, O_REASON] = PARENT_ENDED
            book[child, O_ENDED_AT] = account[A_NOW]
            account[A_WAITING] -= 1
            if book[child, O_CHILDREN] != NO_ROW:
                child = book[child, O_CHILDREN]
                continue
        while child != row and book[child, O_NEXT] == NO_ROW:
            child = book[child, O_PARENT]
        child = NO_ROW if child == row else book[child, O_NEXT]


@kernel("i8(i8[:, ::1], i8[:, ::1], i8)", is_inlined=True)
def allowed_lots(book: Any, places: Any, row: int) -> int:
    """What the position lets the order trade: an exit no more than is held, a sell no more where shorts are not allowed."""
    place, side = book[row, O_PLACE], book[row, O_SIDE]
    lots = book[row, O_LOTS] - book[row, O_FILLED]
    if book[row, O_FLAGS] & REDUCE_ONLY or (side != BUY and places[place, I_ALLOWS_SHORT] == 0):
        return min(lots, max(-side * places[place, I_POSITION], 0))
    return lots


@kernel("void(i8[:, ::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8)", is_inlined=True, is_checked=False)
def record_fill(
    book: Any, places: Any, account: Any, fills: Any, row: int, lots: int, price: int, reference: int, reason: int, is_maker: int, at: int
) -> None:
    """Write the fill and move cash and position. Its indices are looked at once; the step has made sure of room."""
    if not (0 <= row < book.shape[0] and account[A_FILLS] < fills.shape[0]):
        account[A_STATUS] = OVERFLOW
        return
    place, side = book[row, O_PLACE], book[row, O_SIDE]
    value = lots * price * places[place, I_CASH_PER_PRICE_LOT]
    cost = fee(places, place, value, lots, is_maker, account[A_TRADED_VALUE])
    index = account[A_FILLS]
    account[A_FILLS] = index + 1
    fills[index, F_ORDER] = row
    fills[index, F_PLACE] = place
    fills[index, F_AT] = at
    fills[index, F_SIDE] = side
    fills[index, F_LOTS] = lots
    fills[index, F_PRICE] = price
    fills[index, F_VALUE] = value
    fills[index, F_FEE] = cost
    fills[index, F_REASON] = reason
    fills[index, F_IS_MAKER] = is_maker
    fills[index, F_REFERENCE] = reference
    fills[index, F_TAG] = book[row, O_TAG]
    book[row, O_FILLED] += lots
    book[row, O_VALUE] += value
    book[row, O_FEE] += cost
    book[row, O_REASON] = reason
    traded = in_account_currency(account, value, places[place, I_CURRENCY])
    account[A_TRADED_VALUE] = min(account[A_TRADED_VALUE] + traded, INT64_SAFE)
    slot = A_CASH + places[place, I_CURRENCY]
    account[slot] -= side * value + cost
    places[place, I_POSITION] += side * lots
    places[place, I_VOLUME_LEFT] -= lots
    if abs(account[slot]) > INT64_SAFE or abs(places[place, I_POSITION]) > places[place, I_MAX_LOTS]:
        account[A_STATUS] = OVERFLOW
    if places.shape[0] > 1:
        widen_others(places, account, place)


@kernel("void(i8[:, ::1], i8[::1], i8[::1], i8, i8)")
def shrink_group(book: Any, active: Any, account: Any, row: int, lots: int) -> None:
    """One cancels other: what one member has traded the others no longer may."""
    for index in range(account[A_ACTIVE]):
        other = active[index]
        if other != row and book[other, O_STATE] == OPEN and book[other, O_GROUP] == book[row, O_GROUP]:
            book[other, O_LOTS] = max(book[other, O_LOTS] - lots, book[other, O_FILLED])
            if book[other, O_LOTS] == book[other, O_FILLED]:
                end_order(book, account, other, CANCELLED, GROUP_FILLED)


@kernel("void(i8[:, ::1], i8[::1], i8)", is_inlined=True)
def end_protected(book: Any, account: Any, row: int) -> None:
    """A reduce-only child has traded: what is left of its parent would be unprotected, and ends."""
    parent = book[row, O_PARENT]
    if parent != NO_ROW and book[row, O_FLAGS] & REDUCE_ONLY and book[parent, O_STATE] == OPEN:
        end_order(book, account, parent, CANCELLED, PROTECTION_FILLED)


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8, i8)")
def feed_children(
    book: Any, active: Any, places: Any, account: Any, row: int, lots: int, price: int, is_first: int, is_in_range: int
) -> None:
    """One triggers other: open the children at the first fill, in the order of their submission, and let them grow with later ones."""
    last = NO_ROW
    while True:
        child, found = book[row, O_CHILDREN], NO_ROW
        while child != NO_ROW and child != last:
            found = child
            child = book[child, O_NEXT]
        if found == NO_ROW:
            return
        last = found
        if book[found, O_STATE] == WAITING and is_first:
            account[A_WAITING] -= 1
            open_child(book, active, places, account, row, found, price)
            if is_in_range:
                book[found, O_FLAGS] |= OPENED_IN_RANGE
        elif book[found, O_STATE] == OPEN and not is_first:
            book[found, O_LOTS] += lots


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8)")
def end_idle_exits(book: Any, active: Any, places: Any, account: Any, place: int) -> None:
    """After a fill, open reduce-only orders that oppose no position any more are cancelled."""
    position = places[place, I_POSITION]
    for index in range(account[A_ACTIVE]):
        row = active[index]
        if (
            book[row, O_STATE] == OPEN
            and book[row, O_PLACE] == place
            and book[row, O_FLAGS] & REDUCE_ONLY
            and book[row, O_SIDE] * position >= 0
        ):
            end_order(book, account, row, CANCELLED, NOTHING_TO_REDUCE)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8, i8)")
def fill_order(
    book: Any, active: Any, places: Any, account: Any, fills: Any,
    row: int, most: int, price: int, reference: int, reason: int, is_maker: int, at: int, is_in_range: int,
) -> int:  # fmt: skip
    """Trade up to `most` lots of the order at `price`: cash, position, record, group, children. Returns the lots traded."""
    place, side = book[row, O_PLACE], book[row, O_SIDE]
    allowed = allowed_lots(book, places, row)
    if allowed == 0:
        end_order(book, account, row, CANCELLED, NOTHING_TO_REDUCE if book[row, O_FLAGS] & REDUCE_ONLY else NO_SHORT)
        return 0
    possible = min(allowed, most, places[place, I_VOLUME_LEFT])
    if possible <= 0:
        return 0
    lots = affordable_lots(places, account, place, side, possible, price, is_maker)
    if book[row, O_TIF] == FOK and lots < book[row, O_LOTS] - book[row, O_FILLED]:
        end_order(book, account, row, CANCELLED, NOT_FILLED_AT_ONCE)
        return 0
    if lots <= 0:
        end_order(book, account, row, CANCELLED, INSUFFICIENT_CASH)
        return 0
    is_first = book[row, O_FILLED] == 0
    record_fill(book, places, account, fills, row, lots, price, reference, reason, is_maker, at)
    if book[row, O_FILLED] == book[row, O_LOTS]:
        end_order(book, account, row, FILLED, reason)
    elif lots < possible:
        end_order(book, account, row, CANCELLED, INSUFFICIENT_CASH)
    end_protected(book, account, row)
    if book[row, O_GROUP] != 0:
        shrink_group(book, active, account, row, lots)
    if book[row, O_CHILDREN] != NO_ROW:
        feed_children(book, active, places, account, row, lots, price, is_first, is_in_range)
    if account[A_ACTIVE] > 1 or book[row, O_STATE] == OPEN:
        end_idle_exits(book, active, places, account, place)
    return lots
