"""The order table: what may become an order, and how its owner changes it. `submit` is long because it writes a row of thirty columns.

Rules: `trading_system/decisions/0010-the-engine.md`. The arrays are the caller's; nothing is allocated.
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_LATENCY_US,
    A_NEXT_GROUP,
    A_NOW,
    A_ORDERS,
    A_WAITING,
    BUY,
    CHANGED,
    I_ALLOWS_SHORT,
    I_CASH_PER_PRICE_LOT,
    I_LOW_BOUND,
    I_MARK,
    I_MAX_LOTS,
    I_MAX_PRICE,
    I_MIN_LOTS,
    I_MIN_NOTIONAL,
    I_POSITION,
    I_TICK,
    NO_ROW,
    O_ACTIVE_AT,
    O_BEST,
    O_CHILDREN,
    O_ENDED_AT,
    O_EXPIRES_AT,
    O_FEE,
    O_FILLED,
    O_FLAGS,
    O_GROUP,
    O_LEVERAGE,
    O_LIMIT,
    O_LIMIT_PPM,
    O_LOTS,
    O_NEAR_PPM,
    O_NEXT,
    O_PARENT,
    O_PLACE,
    O_PROFIT_PPM,
    O_QUEUE,
    O_REASON,
    O_SIDE,
    O_STATE,
    O_STOP,
    O_STOP_PPM,
    O_SUBMITTED_AT,
    O_TAG,
    O_TIF,
    O_TRAIL,
    O_TRAIL_PPM,
    O_TYPE,
    O_VALUE,
    O_WAS_RAISED,
    POST_ONLY,
    REDUCE_ONLY,
    UNBOUNDED,
)
from apps.orders.domain.engine_numbers import (
    ACCEPTED,
    BAD_COMBINATION,
    BAD_PRICE,
    BAD_QUANTITY,
    CANCELLED,
    FOK,
    INSUFFICIENT_CASH,
    IOC,
    LIMIT,
    MARKET,
    NO_SHORT,
    NOT_OPEN,
    OPEN,
    PARENT_ENDED,
    REFUSED,
    STOP,
    STOP_LIMIT,
    TOO_SMALL,
    TRAILING,
    UNKNOWN_ORDER,
    WAITING,
    WOULD_TAKE,
)
from apps.orders.domain.envelope_nb import compact, refresh
from apps.orders.domain.fills_nb import end_order, open_child, open_order, set_trailing_stop
from apps.orders.domain.money_nb import cash_left


@kernel("b1(i8)", is_inlined=True)
def has_limit(order_type: int) -> bool:
    """Whether the type needs a limit price."""
    return order_type in (LIMIT, STOP_LIMIT)


@kernel("b1(i8)", is_inlined=True)
def has_stop(order_type: int) -> bool:
    """Whether the type needs a stop price."""
    return order_type in (STOP, STOP_LIMIT)


@kernel("b1(i8[:, ::1], i8, i8)", is_inlined=True)
def is_good_price(places: Any, place: int, price: int) -> bool:
    """Whether the price is on the tick and within [tick, max_price]."""
    tick = places[place, I_TICK]
    return tick <= price <= places[place, I_MAX_PRICE] and price % tick == 0


@kernel("i8(i8[:, ::1], i8[:, ::1], i8)", is_inlined=True)
def price_refusal(book: Any, places: Any, row: int) -> int:
    """BAD_PRICE where a price is missing, off the grid or not wanted; prices relative to a parent come later."""
    place, order_type = book[row, O_PLACE], book[row, O_TYPE]
    is_relative = book[row, O_PARENT] != NO_ROW
    for column, ppm_column, is_wanted in ((O_LIMIT, O_LIMIT_PPM, has_limit(order_type)), (O_STOP, O_STOP_PPM, has_stop(order_type))):
        price, ppm = book[row, column], book[row, ppm_column]
        if not is_wanted:
            is_own = column == O_STOP and order_type == TRAILING and book[row, O_BEST] > 0
            if ppm != 0 or (price != 0 and not is_own):
                return BAD_PRICE
        elif ppm != 0 and price == 0:
            if not is_relative or ppm <= -1_000_000 or ppm > 1_000_000_000:
                return BAD_PRICE
        elif (ppm != 0 and book[row, O_STATE] == WAITING) or not is_good_price(places, place, price):
            return BAD_PRICE
    trail, trail_ppm = book[row, O_TRAIL], book[row, O_TRAIL_PPM]
    if order_type == TRAILING:
        is_amount, is_share = 0 < trail <= places[place, I_MAX_PRICE], 0 < trail_ppm < 1_000_000
        if is_amount == is_share or trail < 0 or trail_ppm < 0:
            return BAD_PRICE
    elif trail != 0 or trail_ppm != 0:
        return BAD_PRICE
    return ACCEPTED


@kernel("b1(i8, i8, i8)", is_inlined=True)
def is_good_combination(order_type: int, tif: int, flags: int) -> bool:
    """Post-only goes with limit orders that may rest; FOK and IOC with market and limit orders."""
    is_at_once = tif in (IOC, FOK)
    if flags & POST_ONLY and (order_type != LIMIT or is_at_once):
        return False
    return not is_at_once or order_type in (MARKET, LIMIT)


@kernel("i8(i8[:, ::1], i8[:, ::1], i8)", is_inlined=True)
def own_price(book: Any, places: Any, row: int) -> int:
    """The price to value an order at: its limit, else its stop, else the last price."""
    order_type = book[row, O_TYPE]
    if has_limit(order_type) and book[row, O_LIMIT] > 0:
        return book[row, O_LIMIT]
    if has_stop(order_type) and book[row, O_STOP] > 0:
        return book[row, O_STOP]
    return places[book[row, O_PLACE], I_MARK]


@kernel("i8(i8[:, ::1], i8[::1], i8[::1], i8)")
def open_sells(book: Any, active: Any, account: Any, row: int) -> int:
    """Lots of open sells of the instrument that are not reduce-only, leaving out the order itself and its group."""
    total = 0
    for index in range(account[A_ACTIVE]):
        other = active[index]
        if other == row or book[other, O_STATE] != OPEN or book[other, O_PLACE] != book[row, O_PLACE] or book[other, O_SIDE] == BUY:
            continue
        is_same_group = book[row, O_GROUP] != 0 and book[other, O_GROUP] == book[row, O_GROUP]
        if not is_same_group and book[other, O_FLAGS] & REDUCE_ONLY == 0:
            total += book[other, O_LOTS] - book[other, O_FILLED]
    return total


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8)", is_inlined=True)
def refusal(book: Any, active: Any, places: Any, account: Any, row: int) -> int:
    """Why the order in this row cannot be taken; ACCEPTED if it can."""
    place, side, flags = book[row, O_PLACE], book[row, O_SIDE], book[row, O_FLAGS]
    lots = book[row, O_LOTS] - book[row, O_FILLED]
    if book[row, O_LOTS] < max(places[place, I_MIN_LOTS], 1) or book[row, O_LOTS] > places[place, I_MAX_LOTS] or lots <= 0:
        return BAD_QUANTITY
    if book[row, O_TYPE] != MARKET or book[row, O_LIMIT] | book[row, O_STOP] | book[row, O_TRAIL] | book[row, O_TRAIL_PPM] != 0:
        reason = price_refusal(book, places, row)
        if reason != ACCEPTED:
            return reason
    elif book[row, O_LIMIT_PPM] | book[row, O_STOP_PPM] != 0:
        return BAD_PRICE
    if (book[row, O_TIF] >= IOC or flags & POST_ONLY) and not is_good_combination(book[row, O_TYPE], book[row, O_TIF], flags):
        return BAD_COMBINATION
    if book[row, O_PARENT] != NO_ROW and book[book[row, O_PARENT], O_PLACE] != place:
        return BAD_COMBINATION
    price = own_price(book, places, row)
    is_reducing = flags & REDUCE_ONLY != 0
    if not is_reducing and price > 0 and book[row, O_LOTS] * price * places[place, I_CASH_PER_PRICE_LOT] < places[place, I_MIN_NOTIONAL]:
        return TOO_SMALL
    if book[row, O_STATE] == WAITING:
        return ACCEPTED
    position, mark = places[place, I_POSITION], places[place, I_MARK]
    if side != BUY and not is_reducing and places[place, I_ALLOWS_SHORT] == 0 and position - open_sells(book, active, account, row) < lots:
        return NO_SHORT
    if flags & POST_ONLY and mark > 0 and book[row, O_LIMIT] > 0 and side * (book[row, O_LIMIT] - mark) >= 0:
        return WOULD_TAKE
    if is_reducing or price <= 0 or (position * side < 0 and lots <= abs(position)):
        return ACCEPTED
    if cash_left(places, account, place, side, lots, price, 0) < 0:
        return INSUFFICIENT_CASH
    return ACCEPTED


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8)", is_checked=False)
def submit(
    book: Any, active: Any, places: Any, account: Any,
    place: int, side: int, order_type: int, tif: int, flags: int, lots: int, limit: int, stop: int, trail: int, trail_ppm: int,
    expires_at: int, parent: int, group: int, stop_ppm: int, limit_ppm: int, tag: int,
) -> int:  # fmt: skip
    """The row of the new order, whose state says whether it was taken; NO_ROW where the table is full or parent or instrument are unknown.

    Its indices are looked at once, here at the top."""
    row = account[A_ORDERS]
    if row >= book.shape[0] or account[A_ACTIVE] >= active.shape[0] or parent >= row or parent < NO_ROW or not 0 <= place < places.shape[0]:
        return NO_ROW
    account[A_ORDERS] = row + 1
    book[row, O_PLACE] = place
    book[row, O_SIDE] = side
    book[row, O_TYPE] = order_type
    book[row, O_TIF] = tif
    book[row, O_FLAGS] = flags & (POST_ONLY | REDUCE_ONLY)
    book[row, O_LOTS] = lots
    book[row, O_LIMIT] = limit
    book[row, O_STOP] = stop
    book[row, O_TRAIL] = trail
    book[row, O_TRAIL_PPM] = trail_ppm
    book[row, O_SUBMITTED_AT] = account[A_NOW]
    book[row, O_ACTIVE_AT] = account[A_NOW] + account[A_LATENCY_US]
    book[row, O_EXPIRES_AT] = expires_at
    book[row, O_PARENT] = parent
    book[row, O_GROUP] = group
    book[row, O_STOP_PPM] = stop_ppm
    book[row, O_LIMIT_PPM] = limit_ppm
    book[row, O_TAG] = tag
    book[row, O_QUEUE] = -1
    book[row, O_CHILDREN] = NO_ROW
    book[row, O_NEXT] = NO_ROW
    book[row, O_FILLED] = 0
    book[row, O_BEST] = 0
    book[row, O_REASON] = 0
    book[row, O_VALUE] = 0
    book[row, O_FEE] = 0
    book[row, O_ENDED_AT] = 0
    book[row, O_WAS_RAISED] = 0
    book[row, O_LEVERAGE] = 0
    book[row, O_PROFIT_PPM] = 0
    book[row, O_NEAR_PPM] = 0
    is_waiting = parent != NO_ROW and book[parent, O_FILLED] == 0
    book[row, O_STATE] = WAITING if is_waiting else OPEN
    reason = refusal(book, active, places, account, row)
    if reason == ACCEPTED and is_waiting and book[parent, O_STATE] > OPEN:
        reason = PARENT_ENDED
    if reason != ACCEPTED:
        book[row, O_STATE] = REFUSED
        book[row, O_REASON] = reason
        book[row, O_ENDED_AT] = account[A_NOW]
        return row
    account[A_NEXT_GROUP] = max(account[A_NEXT_GROUP], group + 1)
    if parent != NO_ROW:
        book[row, O_NEXT] = book[parent, O_CHILDREN]
        book[parent, O_CHILDREN] = row
    if is_waiting:
        account[A_WAITING] += 1
    elif parent != NO_ROW:
        lots_value = book[parent, O_FILLED] * places[book[parent, O_PLACE], I_CASH_PER_PRICE_LOT]
        open_child(book, active, places, account, parent, row, book[parent, O_VALUE] // lots_value)
    else:
        open_order(book, active, places, account, row, places[place, I_MARK])
    if not is_waiting:
        places[place, I_LOW_BOUND] = UNBOUNDED
    return row


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8)")
def cancel(book: Any, active: Any, places: Any, account: Any, row: int, reason: int) -> int:
    """Cancel an order that waits or is open; ACCEPTED, UNKNOWN_ORDER or NOT_OPEN."""
    if row < 0 or row >= account[A_ORDERS]:
        return UNKNOWN_ORDER
    if book[row, O_STATE] > OPEN:
        return NOT_OPEN
    end_order(book, account, row, CANCELLED, reason)
    compact(book, active, account)
    refresh(book, active, places, account, book[row, O_PLACE])
    return ACCEPTED


@kernel("void(i8[:, ::1], i8, i8, i8, i8, i8, i8)")
def write_terms(book: Any, row: int, lots: int, limit: int, stop: int, trail: int, trail_ppm: int) -> None:
    """What an amendment may change."""
    book[row, O_LOTS] = lots
    book[row, O_LIMIT] = limit
    book[row, O_STOP] = stop
    book[row, O_TRAIL] = trail
    book[row, O_TRAIL_PPM] = trail_ppm


@kernel("void(i8[::1], i8[::1], i8)")
def to_back(active: Any, account: Any, row: int) -> None:
    """Move the order to the end of the acceptance order."""
    last = account[A_ACTIVE] - 1
    index = 0
    while index < last and active[index] != row:
        index += 1
    while index < last:
        active[index] = active[index + 1]
        index += 1
    active[last] = row


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8, i8, i8)")
def amend(book: Any, active: Any, places: Any, account: Any, row: int, lots: int, limit: int, stop: int, trail: int, trail_ppm: int) -> int:
    """Give an order other lots and prices (all of them, changed or not); ACCEPTED or why not, and then nothing has changed."""
    if row < 0 or row >= account[A_ORDERS]:
        return UNKNOWN_ORDER
    if book[row, O_STATE] > OPEN:
        return NOT_OPEN
    if lots <= book[row, O_FILLED]:
        return BAD_QUANTITY
    if book[row, O_TYPE] == TRAILING and stop != book[row, O_STOP]:
        return BAD_PRICE
    old_lots, old_limit, old_stop = book[row, O_LOTS], book[row, O_LIMIT], book[row, O_STOP]
    old_trail, old_trail_ppm = book[row, O_TRAIL], book[row, O_TRAIL_PPM]
    write_terms(book, row, lots, limit, stop, trail, trail_ppm)
    reason = refusal(book, active, places, account, row)
    if reason != ACCEPTED:
        write_terms(book, row, old_lots, old_limit, old_stop, old_trail, old_trail_ppm)
        return reason
    is_new_price = limit != old_limit or stop != old_stop or trail != old_trail or trail_ppm != old_trail_ppm
    if is_new_price:
        book[row, O_FLAGS] |= CHANGED
        book[row, O_QUEUE] = -1
    if book[row, O_STATE] == OPEN and (is_new_price or lots > old_lots):
        to_back(active, account, row)
        if book[row, O_TYPE] == TRAILING:
            set_trailing_stop(book, places, row)
    refresh(book, active, places, account, book[row, O_PLACE])
    return ACCEPTED
