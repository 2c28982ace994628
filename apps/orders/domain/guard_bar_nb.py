"""The range of a bar by freqtrade's rules: entries, exits given at this bar, stops that stand where they were, targets, raised stops, exits
given before; in this order.

- A stop that lies beyond the whole bar fills at the open, another at its price.
- Trailing stops are raised by the bar's best price before they are tested against its worst, while the old stop had not been reached; raised in
  the bar of the entry they fill at the worst realistic price, and not at all where the bar does not reach it.
- A target fills within the bar at its price; at the open where it was changed at this bar and the open is better. In the bar of an entry below
  (short: above) the open it does not fill beyond a close that went against the position: when the bar traded there is not known.
- An entry at a limit better than any price of its first bar fills at the bar's end of the range; later on, also where it was moved, it waits, if it
  has guards, until a bar trades at the limit.
- An exit at a price of its own fills in its first bar at that price, or at the bar's end of the range where that is worse; guards do not act in
  that bar even if it does not fill. Later on it fills where a bar trades at its price and no guard has acted.
"""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    BUY,
    CHANGED,
    I_FEE_MAKER_PPM,
    I_TICK,
    LEAVES,
    NO_ROW,
    O_BEST,
    O_CHILDREN,
    O_FLAGS,
    O_LEVERAGE,
    O_LIMIT,
    O_NEXT,
    O_PARENT,
    O_PLACE,
    O_PROFIT_PPM,
    O_SIDE,
    O_STATE,
    O_STOP,
    O_TYPE,
    O_WAS_RAISED,
    OPENED_IN_RANGE,
    POST_ONLY,
    PPM,
    REDUCE_ONLY,
    SEEN,
    TRIGGERED,
)
from apps.orders.domain.engine_numbers import (
    CANCELLED,
    LIMIT,
    LIMIT_CROSSED,
    LIMIT_GAPPED,
    OPEN,
    STOP_GAPPED,
    STOP_LIMIT,
    STOP_LIMIT_TRIGGERED,
    STOP_TRIGGERED,
    TRAIL_GAPPED,
    TRAIL_TRIGGERED,
    TRAILING,
    WOULD_TAKE,
)
from apps.orders.domain.fills_nb import end_order, set_trailing_stop
from apps.orders.domain.guards_nb import NO_TARGET, has_more_profit, paid_price, raise_guard, worst_raised_price
from apps.orders.domain.pricing_nb import to_tick
from apps.orders.domain.taking_nb import NOT_SEEN, WHOLE_BAR, make, take, view_of

NO_PASS, ENTRIES, LEAVING, STANDING, TARGETS, RAISED, LEFT, PASSES = range(8)


@kernel("i8(i8[:, ::1], i8)")
def pass_of(book: Any, row: int) -> int:
    """In which pass over the bar the order is looked at."""
    order_type, flags = book[row, O_TYPE], book[row, O_FLAGS]
    if order_type < LIMIT or order_type > TRAILING or flags & OPENED_IN_RANGE:
        return NO_PASS
    if flags & LEAVES:
        return LEFT if flags & SEEN else LEAVING
    if order_type == LIMIT or flags & TRIGGERED:
        return TARGETS if flags & REDUCE_ONLY else ENTRIES
    return RAISED if order_type == TRAILING and book[row, O_WAS_RAISED] != 0 else STANDING


@kernel("void(i8[:, ::1], i8[:, ::1], i8, i8, i8, i8)")
def follow(book: Any, places: Any, row: int, open_: int, best: int, worst: int) -> None:
    """Raise a trailing stop by the bar, unless the bar has reached it."""
    if book[row, O_LEVERAGE] != 0:
        raise_guard(book, places, row, best, worst)
        return
    side = book[row, O_SIDE]
    if book[row, O_BEST] <= 0:
        book[row, O_BEST] = open_
        set_trailing_stop(book, places, row)
    stop = book[row, O_STOP]
    if side * (worst - stop) < 0 and side * (book[row, O_BEST] - best) > 0:
        book[row, O_BEST] = best
        set_trailing_stop(book, places, row)
        if book[row, O_STOP] != stop:
            book[row, O_WAS_RAISED] = 1


@kernel("b1(i8[:, ::1], i8)")
def is_in_entry_bar(book: Any, row: int) -> bool:
    """Whether this is the first bar of the guard and of the entry that it belongs to."""
    return bool((book[row, O_FLAGS] | book[book[row, O_PARENT], O_FLAGS]) & SEEN == 0)


@kernel("b1(i8[:, ::1], i8)")
def has_guards(book: Any, row: int) -> bool:
    """Whether guards wait for the order."""
    child = book[row, O_CHILDREN]
    while child != NO_ROW and book[child, O_LEVERAGE] == 0:
        child = book[child, O_NEXT]
    return bool(child != NO_ROW)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8)")
def try_stop(book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, open_: int, high: int, low: int, volume: int) -> int:
    """Fill a stop that the bar has reached; lots traded."""
    order_type, side, stop = book[row, O_TYPE], book[row, O_SIDE], book[row, O_STOP]
    best, worst = (low, high) if side == BUY else (high, low)
    if side * (worst - stop) < 0:
        return 0
    is_gapped = side * (best - stop) > 0
    reference = open_ if is_gapped else stop
    if order_type == STOP_LIMIT:
        book[row, O_FLAGS] |= TRIGGERED | OPENED_IN_RANGE
        if side * (book[row, O_LIMIT] - reference) < 0:
            return 0
        return take(book, active, places, account, fills, row, reference, STOP_LIMIT_TRIGGERED, volume, 1)
    if book[row, O_WAS_RAISED] == 0:
        return take(book, active, places, account, fills, row, reference, STOP_GAPPED if is_gapped else STOP_TRIGGERED, volume, 1)
    if not is_gapped and book[row, O_LEVERAGE] != 0 and is_in_entry_bar(book, row):
        reference = worst_raised_price(book, places, row, open_, best, worst)
        if side * (best - reference) > 0:
            return 0
    return take(book, active, places, account, fills, row, reference, TRAIL_GAPPED if is_gapped else TRAIL_TRIGGERED, volume, 1)


@kernel("b1(i8[:, ::1], i8[:, ::1], i8, i8, i8)")
def is_unknown_whether_after(book: Any, places: Any, row: int, open_: int, close: int) -> bool:
    """Whether a target in the bar of its entry may have traded before the entry did."""
    side = book[row, O_SIDE]
    is_against = side * (open_ - close) < 0 and side * (open_ - paid_price(book, places, row)) < 0
    return bool(is_against and is_in_entry_bar(book, row) and side * (book[row, O_LIMIT] - close) < 0)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8)")
def try_limit(
    book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, open_: int, high: int, low: int, close: int, is_entry: int
) -> int:
    """Fill a limit that the bar has reached, a target whose profit the bar has exceeded; lots traded."""
    side, limit, flags = book[row, O_SIDE], book[row, O_LIMIT], book[row, O_FLAGS]
    best = low if side == BUY else high
    is_guard = book[row, O_LEVERAGE] != 0
    if is_guard:
        if book[row, O_PROFIT_PPM] >= NO_TARGET or not has_more_profit(book, places, row, best, I_FEE_MAKER_PPM):
            return 0
        if is_unknown_whether_after(book, places, row, open_, close):
            return 0
    elif side * (limit - best) < 0 or (
        is_entry and flags & SEEN and has_guards(book, row) and side * (limit - (high if side == BUY else low)) > 0
    ):
        return 0
    if flags & POST_ONLY and flags & SEEN == 0 and side * (limit - open_) > 0:
        end_order(book, account, row, CANCELLED, WOULD_TAKE)
        return 0
    is_at_any_price = is_guard and book[row, O_PROFIT_PPM] <= -PPM
    if is_entry == 0 and flags & CHANGED and flags & POST_ONLY == 0 and (is_at_any_price or side * (limit - open_) > 0):
        price = to_tick(open_, places[book[row, O_PLACE], I_TICK], side)
        return make(book, active, places, account, fills, row, price, LIMIT_GAPPED, 0, 0)
    price = min(max(limit, low), high)
    return make(book, active, places, account, fills, row, price, LIMIT_CROSSED, 1, 1 - is_entry)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8)")
def try_leaving(book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, high: int, low: int) -> int:
    """Fill an exit at a price of its own; lots traded."""
    side, price = book[row, O_SIDE], book[row, O_LIMIT]
    if book[row, O_FLAGS] & SEEN == 0:
        price = min(price, high) if side == BUY else max(price, low)
    if price < low or price > high:
        return 0
    return make(book, active, places, account, fills, row, price, LIMIT_CROSSED, 1, 1)


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8, i8)")
def match_guards(
    book: Any, active: Any, places: Any, account: Any, fills: Any,
    place: int, opened_at: int, closed_at: int, open_: int, high: int, low: int, close: int, volume: int,
) -> None:  # fmt: skip
    """The passes over one bar."""
    is_leaving = 0
    for which in range(ENTRIES, PASSES):
        index = 0
        while index < account[A_ACTIVE]:
            row = active[index]
            index += 1
            if book[row, O_PLACE] != place or book[row, O_STATE] != OPEN:
                continue
            view = view_of(book, row, opened_at, closed_at)
            if view == NOT_SEEN:
                continue
            is_whole = view == WHOLE_BAR
            first, top, bottom = (open_, high, low) if is_whole else (close, close, close)
            if which == STANDING and book[row, O_TYPE] == TRAILING and book[row, O_FLAGS] & OPENED_IN_RANGE == 0:
                if book[row, O_SIDE] == BUY:
                    follow(book, places, row, first, bottom, top)
                else:
                    follow(book, places, row, first, top, bottom)
            if pass_of(book, row) != which or (is_leaving != 0 and book[row, O_LEVERAGE] != 0):
                continue
            if which == LEAVING or which == LEFT:
                try_leaving(book, active, places, account, fills, row, top, bottom)
                is_leaving = 1
            elif which == ENTRIES or which == TARGETS:
                try_limit(book, active, places, account, fills, row, first, top, bottom, close, which == ENTRIES)
            else:
                try_stop(book, active, places, account, fills, row, first, top, bottom, volume)
