"""Quotes and trades against the book. Rules: "Quotes, trades, depth" in `trading_system/decisions/0010-the-engine.md`."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.bar_nb import raise_stop
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_IS_CASH_ONLY,
    A_NOW,
    A_STATUS,
    BUY,
    I_ASK,
    I_ASK_LEFT,
    I_ASK_SHOWN,
    I_BID,
    I_BID_LEFT,
    I_BID_SHOWN,
    I_LIMIT_RULE,
    I_MARK,
    I_MAX_PRICE,
    I_POSITION,
    I_QUOTED_ASK,
    I_QUOTED_AT,
    I_QUOTED_BID,
    I_STEPPED_AT,
    I_TICK,
    I_VOLUME_LEFT,
    NEVER,
    O_ACTIVE_AT,
    O_EXPIRES_AT,
    O_FLAGS,
    O_LIMIT,
    O_PLACE,
    O_QUEUE,
    O_SIDE,
    O_STATE,
    O_STOP,
    O_TIF,
    O_TYPE,
    POST_ONLY,
    SEEN,
    TRIGGERED,
    UNBOUNDED,
)
from apps.orders.domain.engine_numbers import (
    BAD_EVENT,
    BOOK_FULL,
    CANCELLED,
    IOC,
    LIMIT,
    LIMIT_CROSSED,
    LIMIT_MARKETABLE,
    LIQUIDATED,
    MARKET,
    MARKET_AT_QUOTE,
    OPEN,
    STOP,
    STOP_LIMIT,
    STOP_TRIGGERED,
    TOUCH,
    TRAIL_TRIGGERED,
    TRAILING,
    WOULD_TAKE,
)
from apps.orders.domain.event_nb import expire, finish, has_room, volume_for
from apps.orders.domain.fills_nb import end_order
from apps.orders.domain.liquidation_nb import liquidate
from apps.orders.domain.money_nb import is_below_maintenance
from apps.orders.domain.pricing_nb import QUOTED, to_tick
from apps.orders.domain.taking_nb import make, take


@kernel("b1(i8[:, ::1], i8[::1], i8, i8)", is_inlined=True)
def acts(book: Any, account: Any, row: int, place: int) -> bool:
    """Whether the order sees an event of now."""
    return bool(book[row, O_PLACE] == place and book[row, O_STATE] == OPEN and book[row, O_ACTIVE_AT] <= account[A_NOW])


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8)")
def act_as_resting(book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, other_side: int) -> int:
    """A limit against the other side's price: marketable in its first event (post-only leaves then), at its limit later; lots traded."""
    place, side, limit = book[row, O_PLACE], book[row, O_SIDE], book[row, O_LIMIT]
    if side * (limit - other_side) < 0:
        return 0
    if book[row, O_FLAGS] & SEEN == 0 and book[row, O_FLAGS] & POST_ONLY:
        end_order(book, account, row, CANCELLED, WOULD_TAKE)
        return 0
    if book[row, O_FLAGS] & SEEN:
        return make(book, active, places, account, fills, row, limit, LIMIT_CROSSED, 1, 0)
    return make(book, active, places, account, fills, row, to_tick(other_side, places[place, I_TICK], side), LIMIT_MARKETABLE, 0, 0)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8)")
def act_on_quote(book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, bid: int, ask: int) -> int:
    """One order against a quote; lots traded."""
    order_type, side = book[row, O_TYPE], book[row, O_SIDE]
    other_side = ask if side == BUY else bid
    if order_type == MARKET:
        return take(book, active, places, account, fills, row, other_side, MARKET_AT_QUOTE, QUOTED, 0)
    if order_type > TRAILING:
        return 0
    if order_type == LIMIT or book[row, O_FLAGS] & TRIGGERED:
        return act_as_resting(book, active, places, account, fills, row, other_side)
    if order_type == TRAILING:
        raise_stop(book, places, row, ask if side == BUY else bid)
    if side * (other_side - book[row, O_STOP]) < 0:
        return 0
    if order_type == STOP_LIMIT:
        # The limit begins its life with this event.
        book[row, O_FLAGS] = (book[row, O_FLAGS] | TRIGGERED) & ~SEEN
        return act_as_resting(book, active, places, account, fills, row, other_side)
    reason = TRAIL_TRIGGERED if order_type == TRAILING else STOP_TRIGGERED
    return take(book, active, places, account, fills, row, other_side, reason, QUOTED, 0)


@kernel("void(i8[:, ::1], i8[::1], i8[::1], i8)")
def expire_now(book: Any, active: Any, account: Any, place: int) -> None:
    """End orders whose time is over at this moment."""
    now = account[A_NOW]
    for index in range(account[A_ACTIVE]):
        row = active[index]
        if book[row, O_PLACE] == place and book[row, O_EXPIRES_AT] != NEVER and book[row, O_EXPIRES_AT] <= now:
            expire(book, active, account, place, now, now - 1, now + 1)
            return


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8)")
def end_event(book: Any, active: Any, places: Any, account: Any, place: int, mark: int) -> None:
    """What had to fill at once leaves; marks, flags and the envelope."""
    now = account[A_NOW]
    expire(book, active, account, place, now, now, now)
    finish(book, active, places, account, place, now, now + 1, mark)


@kernel("void(i8[:, ::1], i8, i8, i8, i8, i8, i8)", is_inlined=True)
def show_quote(places: Any, place: int, at: int, bid: int, ask: int, bid_lots: int, ask_lots: int) -> None:
    """What orders may take of the quote's sizes; of a quote that is stepped again at its own moment only what they have left."""
    is_same = (
        places[place, I_QUOTED_AT] == at
        and places[place, I_QUOTED_BID] == bid
        and places[place, I_QUOTED_ASK] == ask
        and places[place, I_BID_SHOWN] == bid_lots
        and places[place, I_ASK_SHOWN] == ask_lots
    )
    if not is_same:
        places[place, I_QUOTED_AT], places[place, I_QUOTED_BID], places[place, I_QUOTED_ASK] = at, bid, ask
        places[place, I_BID_SHOWN], places[place, I_ASK_SHOWN] = bid_lots, ask_lots
        places[place, I_BID_LEFT], places[place, I_ASK_LEFT] = volume_for(places, place, bid_lots), volume_for(places, place, ask_lots)


@kernel("i8(i8[:, ::1], i8)", is_inlined=True)
def best_mark(places: Any, place: int) -> int:
    """What closing the position would bring at the best prices; between them, rounded down, where there is none."""
    bid, ask = places[place, I_BID], places[place, I_ASK]
    return bid if places[place, I_POSITION] > 0 else (ask if places[place, I_POSITION] < 0 else (bid + ask) // 2)


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8)")
def end_quoted(book: Any, active: Any, places: Any, account: Any, fills: Any, place: int) -> None:
    """After the orders have acted on the best prices: the mark, liquidation at it, and the end of the event."""
    mark = best_mark(places, place)
    if account[A_IS_CASH_ONLY] == 0 and places[place, I_POSITION] != 0:
        places[place, I_MARK] = mark
        if is_below_maintenance(places, account):
            liquidate(book, active, places, account, fills, place, mark, LIQUIDATED, QUOTED)
            mark = best_mark(places, place)
    end_event(book, active, places, account, place, mark)


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8)")
def step_quote(
    book: Any, active: Any, places: Any, account: Any, fills: Any, place: int, at: int, bid: int, ask: int, bid_lots: int, ask_lots: int
) -> int:
    """A new best bid and ask with their sizes (below 0: not known). Sizes cap fills where a volume share is set, once for each quote."""
    if not (0 < bid <= ask <= places[place, I_MAX_PRICE]) or at < max(account[A_NOW], places[place, I_STEPPED_AT]):
        return BAD_EVENT
    if not has_room(book, active, account, fills, 0):
        return BOOK_FULL
    account[A_NOW] = at
    places[place, I_BID], places[place, I_ASK], places[place, I_STEPPED_AT] = bid, ask, at
    places[place, I_MARK] = best_mark(places, place)
    expire_now(book, active, account, place)
    show_quote(places, place, at, bid, ask, bid_lots, ask_lots)
    index = 0
    while index < account[A_ACTIVE]:
        row = active[index]
        index += 1
        if acts(book, account, row, place):
            column = I_ASK_LEFT if book[row, O_SIDE] == BUY else I_BID_LEFT
            left = places[place, column]
            places[place, I_VOLUME_LEFT] = left
            traded = act_on_quote(book, active, places, account, fills, row, bid, ask)
            if left != UNBOUNDED:
                places[place, column] = left - traded
    end_quoted(book, active, places, account, fills, place)
    return account[A_STATUS]


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8)")
def trade_at_limit(book: Any, active: Any, places: Any, account: Any, fills: Any, row: int, lots: int) -> int:
    """A trade at an order's limit: the queue ahead first, then the order; lots of the trade that are left.

    Without a known queue (no depth seen) the order fills only where the profile lets a touch fill.
    """
    place, queue = book[row, O_PLACE], book[row, O_QUEUE]
    if queue < 0:
        if places[place, I_LIMIT_RULE] != TOUCH:
            return lots
        queue = 0
    eaten = min(queue, lots)
    book[row, O_QUEUE] = queue - eaten
    rest = lots - eaten
    if rest <= 0:
        return 0
    places[place, I_VOLUME_LEFT] = rest
    traded = make(book, active, places, account, fills, row, book[row, O_LIMIT], LIMIT_CROSSED, 1, 0)
    places[place, I_VOLUME_LEFT] = UNBOUNDED
    return rest - traded


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8)")
def step_trade(book: Any, active: Any, places: Any, account: Any, fills: Any, place: int, at: int, price: int, lots: int) -> int:
    """A trade of others: resting limits that it goes through fill; at the limit it eats the queue ahead first; stops trigger."""
    if not (0 < price <= places[place, I_MAX_PRICE]) or lots <= 0 or at < max(account[A_NOW], places[place, I_STEPPED_AT]):
        return BAD_EVENT
    if not has_room(book, active, account, fills, 0):
        return BOOK_FULL
    account[A_NOW] = at
    places[place, I_MARK], places[place, I_STEPPED_AT] = price, at
    expire_now(book, active, account, place)
    left = lots
    index = 0
    while index < account[A_ACTIVE]:
        row = active[index]
        index += 1
        if not acts(book, account, row, place):
            continue
        order_type, side = book[row, O_TYPE], book[row, O_SIDE]
        places[place, I_VOLUME_LEFT] = UNBOUNDED
        if book[row, O_TIF] >= IOC:
            continue
        if order_type == LIMIT or (order_type == STOP_LIMIT and book[row, O_FLAGS] & TRIGGERED):
            beyond = side * (book[row, O_LIMIT] - price)
            if beyond > 0:
                make(book, active, places, account, fills, row, book[row, O_LIMIT], LIMIT_CROSSED, 1, 0)
            elif beyond == 0 and left > 0:
                left = trade_at_limit(book, active, places, account, fills, row, left)
        elif order_type in (STOP, STOP_LIMIT, TRAILING):
            if order_type == TRAILING:
                raise_stop(book, places, row, price)
            if side * (price - book[row, O_STOP]) >= 0:
                if order_type == STOP_LIMIT:
                    book[row, O_FLAGS] |= TRIGGERED
                else:
                    reason = TRAIL_TRIGGERED if order_type == TRAILING else STOP_TRIGGERED
                    take(book, active, places, account, fills, row, price, reason, -1, 0)
    if account[A_IS_CASH_ONLY] == 0 and places[place, I_POSITION] != 0 and is_below_maintenance(places, account):
        liquidate(book, active, places, account, fills, place, price, LIQUIDATED, -1)
    expire_now(book, active, account, place)
    finish(book, active, places, account, place, at, at + 1, price)
    return account[A_STATUS]
