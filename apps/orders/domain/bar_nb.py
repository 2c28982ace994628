"""One bar against the book: (state, bar) -> (fills, state). The phases are those of `trading_system/decisions/0010-the-engine.md`."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.close_nb import fill_at_close
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_IS_CASH_ONLY,
    A_NOW,
    A_STATUS,
    BUY,
    CHANGED,
    I_CASH_PER_PRICE_LOT,
    I_LIMIT_GAP,
    I_LIMIT_RULE,
    I_MARK,
    I_MAX_PRICE,
    I_POSITION,
    I_RANGE_ORDER,
    I_STEPPED_AT,
    I_STOP_GAP,
    I_TICK,
    I_TRAIL_RULE,
    I_VOLUME_LEFT,
    NEVER,
    O_BEST,
    O_EXPIRES_AT,
    O_FILLED,
    O_FLAGS,
    O_LIMIT,
    O_PARENT,
    O_PLACE,
    O_SIDE,
    O_STATE,
    O_STOP,
    O_TIF,
    O_TYPE,
    O_VALUE,
    O_WAS_RAISED,
    OPENED_IN_RANGE,
    OUT,
    POST_ONLY,
    SEEN,
    TRIGGERED,
)
from apps.orders.domain.engine_numbers import (
    ACCEPTANCE,
    BAD_EVENT,
    BOOK_FULL,
    CANCELLED,
    CLAMPED,
    FREQTRADE,
    IOC,
    LIMIT,
    LIMIT_CROSSED,
    LIMIT_GAPPED,
    LIQUIDATED,
    LIQUIDATED_AT_OPEN,
    MARKET,
    MARKET_AT_OPEN,
    MARKET_ON_CLOSE,
    MARKET_ON_OPEN,
    OPEN,
    OUTSIDE_BAR,
    RAISE_TEST,
    STOP,
    STOP_GAPPED,
    STOP_LIMIT,
    STOP_LIMIT_TRIGGERED,
    STOP_TRIGGERED,
    TEST_RAISE,
    TEST_RAISE_TEST_CLOSE,
    TOUCH,
    TRAIL_GAPPED,
    TRAIL_TRIGGERED,
    TRAILING,
    TRAILING_LAST,
    WOULD_TAKE,
)
from apps.orders.domain.event_nb import expire, finish, has_room, volume_for
from apps.orders.domain.fills_nb import end_order, set_trailing_stop
from apps.orders.domain.guard_bar_nb import match_guards
from apps.orders.domain.liquidation_nb import liquidate, liquidation_price
from apps.orders.domain.money_nb import is_below_maintenance
from apps.orders.domain.pricing_nb import to_tick
from apps.orders.domain.taking_nb import CLOSE_ONLY, NOT_SEEN, WHOLE_BAR, make, take, view_of

ALL_ORDERS, STOPS, LIMITS, FIXED_STOPS, RAISED_STOPS = range(5)
HAS_STOP, HAS_LIMIT, HAS_TRAIL, HAS_CLOSE, HAS_END, HAS_ANY = 1, 2, 4, 8, 16, 32


@kernel("i8(i8[:, ::1], i8[::1], i8[::1], i8, i8, i8)", is_inlined=True)
def kinds_of(book: Any, active: Any, account: Any, place: int, opened_at: int, closed_at: int) -> int:
    """Bits of what the instrument's open orders may do in this bar, so that phases which concern none are left out."""
    kinds = 0
    for index in range(account[A_ACTIVE]):
        row = active[index]
        if book[row, O_PLACE] == place and book[row, O_STATE] == OPEN:
            order_type = book[row, O_TYPE]
            if order_type == TRAILING:
                kinds |= HAS_TRAIL | HAS_STOP
            elif order_type == MARKET_ON_CLOSE:
                kinds |= HAS_CLOSE
            elif order_type == LIMIT:
                kinds |= HAS_LIMIT
            elif order_type == STOP_LIMIT:
                kinds |= HAS_LIMIT | HAS_STOP
            elif order_type == STOP:
                kinds |= HAS_STOP
            if book[row, O_TIF] >= IOC or (book[row, O_EXPIRES_AT] != NEVER and book[row, O_EXPIRES_AT] <= closed_at):
                kinds |= HAS_END
            if order_type != MARKET_ON_CLOSE:
                kinds |= HAS_ANY
    return kinds


@kernel("void(i8[:, ::1], i8[:, ::1], i8, i8)")
def raise_stop(book: Any, places: Any, row: int, extreme: int) -> None:
    """Let a trailing stop follow the market."""
    best, side = book[row, O_BEST], book[row, O_SIDE]
    if best == 0 or side * (best - extreme) > 0:
        book[row, O_BEST] = extreme
        set_trailing_stop(book, places, row)
        book[row, O_WAS_RAISED] = 1


@kernel("b1(i8[:, ::1], i8[:, ::1], i8, i8, i8, i8)", is_inlined=True)
def has_gapped(book: Any, places: Any, row: int, open_: int, high: int, low: int) -> bool:
    """Whether the open has reached or passed the stop, by the profile's rule."""
    side, stop = book[row, O_SIDE], book[row, O_STOP]
    if places[book[row, O_PLACE], I_STOP_GAP] == OUTSIDE_BAR:
        return bool(stop < low if side == BUY else stop > high)
    return bool(side * (open_ - stop) >= 0)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8)", is_inlined=True)
def act_at_open(
    book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, open_: int, high: int, low: int, volume: int
) -> int:
    """The open phase for one order; lots traded."""
    order_type, side = book[row, O_TYPE], book[row, O_SIDE]
    if order_type == MARKET or order_type == MARKET_ON_OPEN:
        return take(book, active, places, account, fills, row, open_, MARKET_AT_OPEN, volume, 0)
    if order_type == MARKET_ON_CLOSE or places[book[row, O_PLACE], I_TRAIL_RULE] == FREQTRADE:
        return 0
    is_limit = order_type == LIMIT or book[row, O_FLAGS] & TRIGGERED != 0
    if not is_limit:
        if order_type == TRAILING and book[row, O_BEST] <= 0:
            raise_stop(book, places, row, open_)
        if not has_gapped(book, places, row, open_, high, low):
            return 0
        if order_type != STOP_LIMIT:
            reason = TRAIL_GAPPED if order_type == TRAILING else STOP_GAPPED
            return take(book, active, places, account, fills, row, open_, reason, volume, 0)
        book[row, O_FLAGS] |= TRIGGERED
    place, limit = book[row, O_PLACE], book[row, O_LIMIT]
    if side * (limit - open_) <= 0:
        return 0
    if book[row, O_FLAGS] & POST_ONLY:
        if book[row, O_FLAGS] & SEEN == 0:
            end_order(book, account, row, CANCELLED, WOULD_TAKE)
            return 0
        return make(book, active, places, account, fills, row, limit, LIMIT_CROSSED, 1, 0)
    if places[place, I_LIMIT_GAP] == CLAMPED and book[row, O_FLAGS] & CHANGED == 0:
        return 0
    return make(book, active, places, account, fills, row, to_tick(open_, places[place, I_TICK], side), LIMIT_GAPPED, 0, 0)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8)")
def act_as_limit(book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, high: int, low: int, volume: int) -> int:
    """The range phase for a limit; lots traded."""
    place, side, limit = book[row, O_PLACE], book[row, O_SIDE], book[row, O_LIMIT]
    beyond = limit - low if side == BUY else high - limit
    if beyond < 0 or (beyond == 0 and places[place, I_LIMIT_RULE] != TOUCH):
        return 0
    if places[place, I_LIMIT_GAP] == CLAMPED:
        limit = min(max(limit, low), high)
    return make(book, active, places, account, fills, row, limit, LIMIT_CROSSED, 1, 1)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8)")
def act_as_stop(book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, high: int, low: int, volume: int) -> int:
    """The range phase for a stop; lots traded."""
    order_type, side, stop = book[row, O_TYPE], book[row, O_SIDE], book[row, O_STOP]
    if (high < stop) if side == BUY else (low > stop):
        return 0
    reference = max(stop, low) if side == BUY else min(stop, high)
    if order_type == STOP_LIMIT:
        # What it does not fill at once rests until the next bar.
        book[row, O_FLAGS] |= TRIGGERED | OPENED_IN_RANGE
        if side * (book[row, O_LIMIT] - stop) < 0:
            return 0
        return take(book, active, places, account, fills, row, reference, STOP_LIMIT_TRIGGERED, volume, 1)
    reason = TRAIL_TRIGGERED if order_type == TRAILING else STOP_TRIGGERED
    return take(book, active, places, account, fills, row, reference, reason, volume, 1)


@kernel("b1(i8[:, ::1], i8, i8)")
def is_in_pass(book: Any, row: int, which: int) -> bool:
    """Whether the order is looked at in this pass over the range."""
    order_type, flags = book[row, O_TYPE], book[row, O_FLAGS]
    if order_type == MARKET or order_type >= MARKET_ON_OPEN:
        return False
    is_limit = order_type == LIMIT or flags & TRIGGERED != 0
    if is_limit:
        return bool((which == LIMITS or which == ALL_ORDERS) and flags & OPENED_IN_RANGE == 0)
    if flags & OUT:
        return False
    is_raised = order_type == TRAILING and book[row, O_WAS_RAISED] != 0
    if which == FIXED_STOPS:
        return not is_raised
    if which == RAISED_STOPS:
        return bool(is_raised)
    return which != LIMITS


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8, i8)")
def pass_range(
    book: Any, active: Any, places: Any, account: Any, fills: Any,
    place: int, which: int, opened_at: int, closed_at: int, high: int, low: int, close: int, volume: int,
) -> None:  # fmt: skip
    """One pass over the range phase. Stops that a fill opens are tested at once."""
    index = 0
    while index < account[A_ACTIVE]:
        row = active[index]
        index += 1
        has_acted = book[row, O_FLAGS] & OPENED_IN_RANGE != 0
        if has_acted or book[row, O_PLACE] != place or book[row, O_STATE] != OPEN or not is_in_pass(book, row, which):
            continue
        view = view_of(book, row, opened_at, closed_at)
        if view == NOT_SEEN:
            continue
        top = high if view == WHOLE_BAR else close
        bottom = low if view == WHOLE_BAR else close
        newest = account[A_ACTIVE]
        if book[row, O_TYPE] == LIMIT or book[row, O_FLAGS] & TRIGGERED:
            act_as_limit(book, active, places, account, fills, row, top, bottom, volume)
        else:
            act_as_stop(book, active, places, account, fills, row, top, bottom, volume)
        while newest < account[A_ACTIVE]:
            child = active[newest]
            newest += 1
            seen = view_of(book, child, opened_at, closed_at)
            if seen != NOT_SEEN and book[child, O_STATE] == OPEN and is_in_pass(book, child, STOPS):
                top = high if seen == WHOLE_BAR else close
                bottom = low if seen == WHOLE_BAR else close
                # A stop that the market is already beyond when the parent fills trades no better than the parent did.
                parent = book[child, O_PARENT]
                paid = book[parent, O_VALUE] // (book[parent, O_FILLED] * places[place, I_CASH_PER_PRICE_LOT])
                if book[child, O_SIDE] == BUY:
                    bottom = max(bottom, paid)
                else:
                    top = min(top, paid)
                act_as_stop(book, active, places, account, fills, child, top, bottom, volume)


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8)")
def trail(
    book: Any, active: Any, places: Any, account: Any, fills: Any,
    place: int, opened_at: int, closed_at: int, high: int, low: int, close: int, volume: int,
) -> None:  # fmt: skip
    """After the range: raise trailing stops by the bar, and fill those that the close has then certainly crossed."""
    for index in range(account[A_ACTIVE]):
        row = active[index]
        if book[row, O_PLACE] != place or book[row, O_STATE] != OPEN or book[row, O_TYPE] != TRAILING:
            continue
        view = view_of(book, row, opened_at, closed_at)
        if view == NOT_SEEN:
            continue
        side = book[row, O_SIDE]
        is_whole = view == WHOLE_BAR and book[row, O_FLAGS] & OPENED_IN_RANGE == 0
        raise_stop(book, places, row, (low if side == BUY else high) if is_whole else close)
        is_tested = places[place, I_TRAIL_RULE] == TEST_RAISE_TEST_CLOSE and book[row, O_FLAGS] & OUT == 0
        if is_tested and side * (close - book[row, O_STOP]) >= 0:
            take(book, active, places, account, fills, row, book[row, O_STOP], TRAIL_TRIGGERED, volume, 1)


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8, i8)")
def match_range(
    book: Any, active: Any, places: Any, account: Any, fills: Any,
    place: int, kinds: int, opened_at: int, closed_at: int, high: int, low: int, close: int, volume: int,
) -> None:  # fmt: skip
    """The range phase in the profile's order, and the trailing that belongs to it."""
    rule, order = places[place, I_TRAIL_RULE], places[place, I_RANGE_ORDER]
    before = account[A_ACTIVE]
    if kinds & HAS_TRAIL and rule == RAISE_TEST:
        for index in range(account[A_ACTIVE]):
            row = active[index]
            if book[row, O_PLACE] == place and book[row, O_STATE] == OPEN and book[row, O_TYPE] == TRAILING:
                view = view_of(book, row, opened_at, closed_at)
                if view == WHOLE_BAR:
                    raise_stop(book, places, row, low if book[row, O_SIDE] == BUY else high)
                elif view == CLOSE_ONLY:
                    raise_stop(book, places, row, close)
    if order == ACCEPTANCE:
        pass_range(book, active, places, account, fills, place, ALL_ORDERS, opened_at, closed_at, high, low, close, volume)
    elif order == TRAILING_LAST:
        pass_range(book, active, places, account, fills, place, FIXED_STOPS, opened_at, closed_at, high, low, close, volume)
        pass_range(book, active, places, account, fills, place, LIMITS, opened_at, closed_at, high, low, close, volume)
        pass_range(book, active, places, account, fills, place, RAISED_STOPS, opened_at, closed_at, high, low, close, volume)
    else:
        if kinds & HAS_STOP:
            pass_range(book, active, places, account, fills, place, STOPS, opened_at, closed_at, high, low, close, volume)
        if kinds & HAS_LIMIT:
            pass_range(book, active, places, account, fills, place, LIMITS, opened_at, closed_at, high, low, close, volume)
    if (kinds & HAS_TRAIL or account[A_ACTIVE] > before) and (rule == TEST_RAISE_TEST_CLOSE or rule == TEST_RAISE):
        trail(book, active, places, account, fills, place, opened_at, closed_at, high, low, close, volume)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8, i8)")
def step_bar(
    book: Any, active: Any, places: Any, account: Any, fills: Any,
    place: int, opened_at: int, closed_at: int, open_: int, high: int, low: int, close: int, volume: int,
) -> int:  # fmt: skip
    """One bar of one instrument; OK, or what is wrong, and then nothing has changed (OVERFLOW: the state is not to be used any more)."""
    if not (0 < low <= open_ <= high <= places[place, I_MAX_PRICE] and low <= close <= high and opened_at < closed_at):
        return BAD_EVENT
    if opened_at < places[place, I_STEPPED_AT]:
        return BAD_EVENT
    if not has_room(book, active, account, fills, 0):
        return BOOK_FULL
    account[A_NOW] = closed_at
    places[place, I_VOLUME_LEFT] = volume_for(places, place, volume)
    places[place, I_STEPPED_AT] = closed_at
    places[place, I_MARK] = open_
    kinds = kinds_of(book, active, account, place, opened_at, closed_at)
    if kinds & HAS_END:
        expire(book, active, account, place, opened_at, opened_at, closed_at)
    is_margined = account[A_IS_CASH_ONLY] == 0
    if is_margined and places[place, I_POSITION] != 0 and is_below_maintenance(places, account):
        liquidate(book, active, places, account, fills, place, open_, LIQUIDATED_AT_OPEN, volume)
    index, before = 0, account[A_ACTIVE]
    while index < account[A_ACTIVE]:
        row = active[index]
        index += 1
        if book[row, O_PLACE] == place and book[row, O_STATE] == OPEN:
            view = view_of(book, row, opened_at, closed_at)
            if view != NOT_SEEN:
                is_whole = view == WHOLE_BAR
                first, top, bottom = (open_, high, low) if is_whole else (close, close, close)
                act_at_open(book, active, places, account, fills, row, first, top, bottom, volume)
    if account[A_ACTIVE] > before:
        kinds = kinds_of(book, active, account, place, opened_at, closed_at)
    if kinds & (HAS_STOP | HAS_LIMIT) and places[place, I_TRAIL_RULE] == FREQTRADE:
        match_guards(book, active, places, account, fills, place, opened_at, closed_at, open_, high, low, close, volume)
    elif kinds & (HAS_STOP | HAS_LIMIT):
        match_range(book, active, places, account, fills, place, kinds, opened_at, closed_at, high, low, close, volume)
    if is_margined and places[place, I_POSITION] != 0:
        price = liquidation_price(places, account, place, open_, low if places[place, I_POSITION] > 0 else high)
        if price > 0:
            liquidate(book, active, places, account, fills, place, price, LIQUIDATED, volume)
    if account[A_ACTIVE] > before:
        kinds = kinds_of(book, active, account, place, opened_at, closed_at)
    if kinds & HAS_CLOSE:
        fill_at_close(book, active, places, account, fills, place, opened_at, closed_at, close, volume)
        kinds = kinds_of(book, active, account, place, opened_at, closed_at)
    if kinds & HAS_END:
        expire(book, active, account, place, closed_at, opened_at, closed_at)
    finish(book, active, places, account, place, opened_at, closed_at, close)
    return account[A_STATUS]
