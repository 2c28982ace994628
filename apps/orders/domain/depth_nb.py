"""Depth snapshots against the book. Rules: "Quotes, trades, depth" in `trading_system/decisions/0010-the-engine.md`.

`shown` is a snapshot, `levels` what the instrument's last one was and what orders have left of it; columns in `engine_codes`.
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.bar_nb import raise_stop
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_CASH,
    A_NOW,
    A_STATUS,
    A_TRADED_VALUE,
    BUY,
    I_ASK,
    I_BID,
    I_CASH_PER_PRICE_LOT,
    I_CURRENCY,
    I_DEPTH_AT,
    I_MARK,
    I_MAX_PRICE,
    I_POSITION,
    I_STEPPED_AT,
    I_TICK,
    I_VOLUME_LEFT,
    INT64_SAFE,
    L_ASK,
    L_ASK_LEFT,
    L_ASK_LOTS,
    L_BID,
    L_BID_LEFT,
    L_BID_LOTS,
    O_FILLED,
    O_FLAGS,
    O_LIMIT,
    O_LOTS,
    O_QUEUE,
    O_SIDE,
    O_STATE,
    O_STOP,
    O_TIF,
    O_TYPE,
    POST_ONLY,
    SEEN,
    SHOWN_COLUMNS,
    TRIGGERED,
    UNBOUNDED,
)
from apps.orders.domain.engine_numbers import (
    BAD_EVENT,
    BOOK_FULL,
    CANCELLED,
    DEPTH_LEVEL,
    FOK,
    IOC,
    LIMIT,
    LIMIT_CROSSED,
    MARKET,
    OPEN,
    STOP_LIMIT,
    STOP_TRIGGERED,
    TRAIL_TRIGGERED,
    TRAILING,
    WOULD_TAKE,
)
from apps.orders.domain.event_nb import has_room
from apps.orders.domain.fills_nb import allowed_lots, end_order
from apps.orders.domain.money_nb import affordable_lots, in_account_currency
from apps.orders.domain.pricing_nb import QUOTED, fee, taker_price, to_tick
from apps.orders.domain.quote_nb import acts, best_mark, end_quoted, expire_now
from apps.orders.domain.taking_nb import make, take

AT_MARKET, AT_LEVEL, AT_LIMIT = range(3)
"""How a level is traded: at its price and with slippage, at its price, or at the resting order's own limit."""


@kernel("b1(i8[:, ::1], i8, i8, i8)")
def is_good_side(shown: Any, column: int, direction: int, max_price: int) -> bool:
    """Whether the levels of a side get strictly worse, with lots that are not negative and nothing behind the end."""
    last, has_ended = 0, False
    for index in range(shown.shape[0]):
        price = shown[index, column]
        if price == 0:
            has_ended = True
        elif has_ended or price < 0 or price > max_price or shown[index, column + 1] < 0 or (last != 0 and direction * (price - last) <= 0):
            return False
        else:
            last = price
    return last != 0


@kernel("void(i8[:, ::1], i8[:, ::1], i8[:, ::1], i8, i8)")
def show_depth(levels: Any, shown: Any, places: Any, place: int, at: int) -> None:
    """Take the snapshot over; of one that is stepped again at its own moment only what orders have left is offered."""
    is_same = places[place, I_DEPTH_AT] == at
    for index in range(levels.shape[0]):
        for column in range(SHOWN_COLUMNS):
            value = shown[index, column] if index < shown.shape[0] else 0
            if levels[index, column] != value:
                is_same = False
                levels[index, column] = value
    places[place, I_DEPTH_AT] = at
    if not is_same:
        for index in range(levels.shape[0]):
            levels[index, L_BID_LEFT], levels[index, L_ASK_LEFT] = levels[index, L_BID_LOTS], levels[index, L_ASK_LOTS]


@kernel("i8(i8[:, ::1], i8[:, ::1], i8, i8, i8)")
def price_at(book: Any, places: Any, place: int, row: int, level: int) -> int:
    """What an order that takes a level pays: a limit the price on the tick, all else slippage as well."""
    side, tick = book[row, O_SIDE], places[place, I_TICK]
    if book[row, O_TYPE] == LIMIT:
        return to_tick(level, tick, side)
    return taker_price(places, place, level, side, 0, QUOTED, tick)


@kernel("b1(i8[:, ::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8)")
def carries_all(book: Any, places: Any, account: Any, levels: Any, place: int, row: int, how: int) -> bool:
    """Whether the levels within its limit, the position and the money carry all of an order. Nothing is changed."""
    side, wanted = book[row, O_SIDE], book[row, O_LOTS] - book[row, O_FILLED]
    if allowed_lots(book, places, row) < wanted:
        return False
    price_column, left_column = (L_ASK, L_ASK_LEFT) if side == BUY else (L_BID, L_BID_LEFT)
    slot = A_CASH + places[place, I_CURRENCY]
    cash, position, traded, status = account[slot], places[place, I_POSITION], account[A_TRADED_VALUE], account[A_STATUS]
    is_maker = 1 if how == AT_LIMIT else 0
    for index in range(levels.shape[0]):
        level = levels[index, price_column]
        if wanted == 0 or level == 0 or (how != AT_MARKET and side * (book[row, O_LIMIT] - level) < 0):
            break
        lots = min(wanted, levels[index, left_column])
        price = book[row, O_LIMIT] if how == AT_LIMIT else price_at(book, places, place, row, level)
        is_in_bounds = places[place, I_TICK] <= price <= places[place, I_MAX_PRICE]
        if lots > 0 and is_in_bounds and affordable_lots(places, account, place, side, lots, price, is_maker) == lots:
            value = lots * price * places[place, I_CASH_PER_PRICE_LOT]
            account[slot] -= side * value + fee(places, place, value, lots, is_maker, account[A_TRADED_VALUE])
            places[place, I_POSITION] += side * lots
            converted = in_account_currency(account, value, places[place, I_CURRENCY])
            account[A_TRADED_VALUE] = min(account[A_TRADED_VALUE] + converted, INT64_SAFE)
            wanted -= lots
        elif lots > 0:
            break
    account[slot], places[place, I_POSITION], account[A_TRADED_VALUE], account[A_STATUS] = cash, position, traded, status
    return wanted == 0


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8[:, ::1], i8, i8, i8, i8)")
def walk(book: Any, active: Any, places: Any, account: Any, fills: Any, levels: Any, place: int, row: int, how: int, reason: int) -> None:
    """A fill per level until the order, the levels within its limit, or the money end. FOK: all of it or nothing."""
    is_all_or_none = book[row, O_TIF] == FOK
    if is_all_or_none and not carries_all(book, places, account, levels, place, row, how):
        return
    if is_all_or_none:
        # It is known to fill, in parts; none of them is all of it.
        book[row, O_TIF] = IOC
    side = book[row, O_SIDE]
    price_column, left_column = (L_ASK, L_ASK_LEFT) if side == BUY else (L_BID, L_BID_LEFT)
    for index in range(levels.shape[0]):
        level = levels[index, price_column]
        if book[row, O_STATE] != OPEN or level == 0 or (how != AT_MARKET and side * (book[row, O_LIMIT] - level) < 0):
            break
        if levels[index, left_column] == 0:
            continue
        places[place, I_VOLUME_LEFT] = levels[index, left_column]
        if how == AT_MARKET:
            traded = take(book, active, places, account, fills, row, level, reason, QUOTED, 0)
        elif how == AT_LEVEL:
            traded = make(book, active, places, account, fills, row, to_tick(level, places[place, I_TICK], side), reason, 0, 0)
        else:
            traded = make(book, active, places, account, fills, row, book[row, O_LIMIT], LIMIT_CROSSED, 1, 0)
        levels[index, left_column] -= traded
    places[place, I_VOLUME_LEFT] = UNBOUNDED
    if is_all_or_none:
        book[row, O_TIF] = FOK


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8[:, ::1], i8, i8, i8)")
def act_on_depth(book: Any, active: Any, places: Any, account: Any, fills: Any, levels: Any, place: int, row: int, best: int) -> None:
    """One order against the other side, whose best price is `best`."""
    order_type, side = book[row, O_TYPE], book[row, O_SIDE]
    if order_type > TRAILING:
        return
    if order_type == MARKET:
        walk(book, active, places, account, fills, levels, place, row, AT_MARKET, DEPTH_LEVEL)
        return
    if order_type != LIMIT and book[row, O_FLAGS] & TRIGGERED == 0:
        if order_type == TRAILING:
            raise_stop(book, places, row, best)
        if side * (best - book[row, O_STOP]) < 0:
            return
        if order_type != STOP_LIMIT:
            reason = TRAIL_TRIGGERED if order_type == TRAILING else STOP_TRIGGERED
            walk(book, active, places, account, fills, levels, place, row, AT_MARKET, reason)
            return
        # The limit begins its life with this event.
        book[row, O_FLAGS] = (book[row, O_FLAGS] | TRIGGERED) & ~SEEN
    if side * (book[row, O_LIMIT] - best) < 0:
        return
    if book[row, O_FLAGS] & SEEN:
        walk(book, active, places, account, fills, levels, place, row, AT_LIMIT, LIMIT_CROSSED)
    elif book[row, O_FLAGS] & POST_ONLY:
        end_order(book, account, row, CANCELLED, WOULD_TAKE)
    else:
        walk(book, active, places, account, fills, levels, place, row, AT_LEVEL, DEPTH_LEVEL)


@kernel("void(i8[:, ::1], i8[:, ::1], i8)")
def queue_up(book: Any, levels: Any, row: int) -> None:
    """A limit that joins a level has its lots ahead, later snapshots can only lower that. Behind the last level nothing is known."""
    if book[row, O_STATE] != OPEN or (book[row, O_TYPE] != LIMIT and book[row, O_FLAGS] & TRIGGERED == 0):
        return
    side, limit = book[row, O_SIDE], book[row, O_LIMIT]
    column = L_BID if side == BUY else L_ASK
    displayed, last = 0, 0
    for index in range(levels.shape[0]):
        if levels[index, column] != 0:
            last = levels[index, column]
            if last == limit:
                displayed = levels[index, column + 1]
    if side * (limit - last) >= 0:
        book[row, O_QUEUE] = displayed if book[row, O_QUEUE] < 0 else min(book[row, O_QUEUE], displayed)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8[:, ::1], i8, i8, i8[:, ::1])")
def step_depth(book: Any, active: Any, places: Any, account: Any, fills: Any, levels: Any, place: int, at: int, shown: Any) -> int:
    """A new snapshot of both sides; `levels` has at least its rows."""
    max_price = places[place, I_MAX_PRICE]
    if (
        at < max(account[A_NOW], places[place, I_STEPPED_AT])
        or not is_good_side(shown, L_BID, -1, max_price)
        or not is_good_side(shown, L_ASK, 1, max_price)
    ):
        return BAD_EVENT
    bid, ask = shown[0, L_BID], shown[0, L_ASK]
    if bid > ask:
        return BAD_EVENT
    if levels.shape[0] < shown.shape[0] or not has_room(book, active, account, fills, shown.shape[0]):
        return BOOK_FULL
    account[A_NOW] = at
    places[place, I_BID], places[place, I_ASK], places[place, I_STEPPED_AT] = bid, ask, at
    places[place, I_MARK] = best_mark(places, place)
    expire_now(book, active, account, place)
    show_depth(levels, shown, places, place, at)
    index = 0
    while index < account[A_ACTIVE]:
        row = active[index]
        index += 1
        if acts(book, account, row, place):
            places[place, I_VOLUME_LEFT] = UNBOUNDED
            act_on_depth(book, active, places, account, fills, levels, place, row, ask if book[row, O_SIDE] == BUY else bid)
            queue_up(book, levels, row)
    end_quoted(book, active, places, account, fills, place)
    return account[A_STATUS]
