"""Signals over bars by the rules of freqtrade's backtests, with the exits of an `ExitPlan`.

Before each bar, by the signals of the one before:
- held: an exit signal of the held side without an entry signal of it closes at the open; the target becomes that of the trade's age.
- the age of a trade begins with the bar at which its entry was given, also where a limit filled later.
- flat: an entry signal with neither the other side's entry nor its own exit opens at the open, or at a limit price; never on the last bar.
- an exit signal at a price of its own gives an order beside the guards, which do not act in that bar; one that stands asks again in vain.
- an entry that waits for its limit may fill and be told to leave in the same bar.
- a bar in which the trade was closed is gone through again for an entry of the other side, as if the trade had left before it.
- what is open after the last bar is closed at its open.
Orders, fills and books are the engine's.
"""

from __future__ import annotations

from typing import Any

from apps.backtests.domain.simulate_nb import TAG_ENTRY, TAG_SIGNAL, TAG_STOP, TAG_TARGET, TAG_TRAIL, cancel_orders
from apps.core.kernel import kernel
from apps.orders.domain.bar_nb import step_bar
from apps.orders.domain.book_nb import amend, cancel, submit
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_CASH,
    A_FILLS,
    A_NEXT_GROUP,
    A_NOW,
    A_ORDERS,
    A_WAITING,
    BUY,
    CHANGED,
    F_REASON,
    F_TAG,
    I_ALLOWS_SHORT,
    I_CASH_PER_PRICE_LOT,
    I_CURRENCY,
    I_MARK,
    I_POSITION,
    I_STEPPED_AT,
    I_TICK,
    LEAVES,
    NEAR_ONLY,
    NO_ROW,
    O_CHILDREN,
    O_EXPIRES_AT,
    O_FILLED,
    O_FLAGS,
    O_GROUP,
    O_LIMIT,
    O_LOTS,
    O_PLACE,
    O_PROFIT_PPM,
    O_SIDE,
    O_STATE,
    PPM,
    REDUCE_ONLY,
)
from apps.orders.domain.engine_numbers import (
    BOOK_FULL,
    CANCELLED_BY_OWNER,
    EXPIRED,
    GTC,
    GTD,
    LIMIT,
    MARKET,
    OK,
    OPEN,
    STOP,
    TRAIL_GAPPED,
    TRAIL_TRIGGERED,
    TRAILING,
    WAITING,
)
from apps.orders.domain.guards_nb import NO_TARGET, guard, paid_price, place_guard
from apps.orders.domain.pricing_nb import to_tick
from apps.orders.domain.sizing_nb import BY_LOTS, sized_lots
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT

TAG_FORCED = 6
NOTHING = -1
_MINUTE = 60_000_000
_ROOM = 16

# Entries of `plan`; pairs of minutes and profit follow it, by rising minutes.
P_STOP, P_IS_TRAILING, P_NEAR, P_NEAR_FROM, P_IS_NEAR_ONLY, P_LEVERAGE, P_HAS_SIGNAL_EXITS, P_CLOSES_AT_END, P_ENTRY_MINUTES = range(9)
P_EXIT_MINUTES, P_SIZING, P_SIZE, P_TARGETS = range(9, 13)

# Entries of `state`, which goes from call to call.
S_OPENED_AT, S_TARGET, S_STEP, S_ENTRY, S_LEAVING = range(5)
STATE_COLUMNS = 5


@kernel("i8(i8, i8)", is_inlined=True)
def wanted_side(signal: int, can_short: int) -> int:
    """The side that a signal enters: 1, -1 or 0."""
    is_long = signal & ENTER_LONG != 0
    is_short = can_short != 0 and signal & ENTER_SHORT != 0
    if is_long and not is_short and signal & EXIT_LONG == 0:
        return 1
    if is_short and not is_long and signal & EXIT_SHORT == 0:
        return -1
    return 0


@kernel("b1(i8, i8)", is_inlined=True)
def is_told_to_leave(signal: int, position: int) -> bool:
    """Whether a signal closes the held side."""
    if position > 0:
        return bool(signal & EXIT_LONG and not signal & ENTER_LONG)
    return bool(signal & EXIT_SHORT and not signal & ENTER_SHORT)


@kernel("i8(i8[::1], i8)")
def target_at(plan: Any, age_us: int) -> int:
    """The number of the target that a trade of this age has, NOTHING before the first."""
    found = NOTHING
    for step in range((plan.shape[0] - P_TARGETS) // 2):
        if plan[P_TARGETS + 2 * step] * _MINUTE <= age_us // _MINUTE * _MINUTE:
            found = step
    return found


@kernel("void(i8[:, ::1], i8[:, ::1], i8[::1], i8[::1], i8, i8, i8)")
def set_target(book: Any, places: Any, plan: Any, state: Any, age_us: int, bar_us: int, is_held: int) -> None:
    """Give the target order the profit of the trade's age; changed at this bar where the step begins with it."""
    step, row = target_at(plan, age_us), state[S_TARGET]
    if step == NOTHING or row == NO_ROW:
        return
    minutes, profit = plan[P_TARGETS + 2 * step], plan[P_TARGETS + 2 * step + 1]
    if step != state[S_STEP]:
        state[S_STEP] = step
        book[row, O_PROFIT_PPM] = profit
        if is_held != 0:
            place_guard(book, places, row, paid_price(book, places, row))
    is_new = age_us > 0 and minutes == age_us // _MINUTE
    if minutes * _MINUTE % bar_us == 0 and (is_new or profit == -PPM):
        book[row, O_FLAGS] |= CHANGED
    else:
        book[row, O_FLAGS] &= ~CHANGED


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8, i8, i8, i8, i8)", is_inlined=True)
def protect(
    book: Any, active: Any, places: Any, account: Any,
    entry: int, order_type: int, limit: int, trail_ppm: int, expires_at: int, stop_ppm: int, limit_ppm: int, tag: int,
) -> int:  # fmt: skip
    """A reduce-only child of the entry, in one group with its others; its row."""
    place, side, lots, other = book[entry, O_PLACE], -book[entry, O_SIDE], book[entry, O_LOTS], book[entry, O_CHILDREN]
    group = account[A_NEXT_GROUP] + 1 if other == NO_ROW else book[other, O_GROUP]
    tif = GTC if expires_at == 0 else GTD
    return int(
        submit(
            book, active, places, account, place, side, order_type, tif, REDUCE_ONLY, lots, limit, 0, 0, trail_ppm, expires_at, entry,
            group, stop_ppm, limit_ppm, tag,
        )
    )  # fmt: skip


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8, i8[::1], i8[::1], i8, i8)")
def enter_guarded(
    book: Any, active: Any, places: Any, account: Any,
    place: int, side: int, lots: int, price: int, plan: Any, state: Any, opened_at: int, bar_us: int,
) -> None:  # fmt: skip
    """An entry at the open (`price` 0) or at a limit, with its stop and its target."""
    order_type, tif, expires_at = MARKET, GTC, 0
    if price != 0:
        order_type, tif, expires_at = LIMIT, GTD, opened_at + plan[P_ENTRY_MINUTES] * _MINUTE + 1
    row = submit(
        book, active, places, account, place, side, order_type, tif, 0, lots, price, 0, 0, 0, expires_at, NO_ROW, 0, 0, 0, TAG_ENTRY
    )
    state[S_OPENED_AT], state[S_ENTRY], state[S_TARGET], state[S_STEP], state[S_LEAVING] = opened_at, row, NO_ROW, NOTHING, NO_ROW
    if row == NO_ROW or book[row, O_STATE] != OPEN:
        return
    distance, leverage = plan[P_STOP], plan[P_LEVERAGE]
    if plan[P_IS_TRAILING] != 0:
        child = protect(book, active, places, account, row, TRAILING, 0, distance, 0, 0, 0, TAG_STOP)
        guard(book, child, leverage, plan[P_NEAR_FROM], plan[P_NEAR], NEAR_ONLY if plan[P_IS_NEAR_ONLY] != 0 else 0)
    else:
        child = protect(book, active, places, account, row, STOP, 0, 0, 0, -side * distance, 0, TAG_STOP)
        guard(book, child, leverage, 0, 0, 0)
    if plan.shape[0] > P_TARGETS:
        child = protect(book, active, places, account, row, LIMIT, 0, 0, 0, 0, side, TAG_TARGET)
        guard(book, child, leverage, NO_TARGET, 0, 0)
        state[S_TARGET] = child
        set_target(book, places, plan, state, 0, bar_us, 0)


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8)")
def leave(book: Any, active: Any, places: Any, account: Any, place: int, tag: int) -> None:
    """Close the whole position at the next open."""
    position = places[place, I_POSITION]
    side = -1 if position > 0 else 1
    cancel_orders(book, active, places, account, place, 0)
    submit(book, active, places, account, place, side, MARKET, GTC, REDUCE_ONLY, abs(position), 0, 0, 0, 0, 0, NO_ROW, 0, 0, 0, tag)


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8[::1], i8[::1], i8)")
def leave_at(
    book: Any, active: Any, places: Any, account: Any, asked: int, high: int, low: int, plan: Any, state: Any, opened_at: int
) -> None:
    """Close the trade at a price of its own, on the tick and no worse than asked. The same order still standing stays as it is, unless
    the whole bar is beyond its price."""
    entry, old = state[S_ENTRY], state[S_LEAVING]
    side, tick = -book[entry, O_SIDE], places[book[entry, O_PLACE], I_TICK]
    price = to_tick(asked, tick, -side)
    if old != NO_ROW and book[old, O_STATE] == OPEN:
        is_beyond = side * (price - (high if side == BUY else low)) > 0
        if book[old, O_LIMIT] == price and book[old, O_EXPIRES_AT] > opened_at and not is_beyond:
            return
        cancel(book, active, places, account, old, CANCELLED_BY_OWNER)
    expires_at = opened_at + plan[P_EXIT_MINUTES] * _MINUTE + 1
    row = protect(book, active, places, account, entry, LIMIT, price, 0, expires_at, 0, 0, TAG_SIGNAL)
    state[S_LEAVING] = row
    if row != NO_ROW:
        book[row, O_FLAGS] |= LEAVES


@kernel("b1(i8[:, ::1], i8[::1], i8[::1], i8[:, ::1])", is_inlined=True)
def has_spare_room(book: Any, active: Any, account: Any, fills: Any) -> bool:
    """Whether the tables can take a bar that is gone through three times."""
    acting = account[A_ACTIVE] + account[A_WAITING] + _ROOM
    return bool(
        book.shape[0] - account[A_ORDERS] > _ROOM
        and active.shape[0] - account[A_ACTIVE] > acting
        and fills.shape[0] - account[A_FILLS] > 4 * acting
    )


@kernel("i8(i8[:, ::1], i8[:, ::1], i8, i8)", is_inlined=True)
def busy_side(book: Any, places: Any, place: int, entry: int) -> int:
    """The side of the trade that is held, of the entry that waits, or of one whose time was over with the last bar; 0 without any."""
    position = places[place, I_POSITION]
    if position != 0:
        return 1 if position > 0 else -1
    if entry != NO_ROW and (book[entry, O_STATE] == OPEN or book[entry, O_STATE] == EXPIRED):
        return int(book[entry, O_SIDE])
    return 0


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8, i8, i8, i8, i8, i8[::1], i8[::1], i8, i8)", is_inlined=True)
def keep_waiting(
    book: Any, active: Any, places: Any, account: Any,
    place: int, signal: int, moved: int, exit_price: int, open_: int, high: int, low: int, entry: int,
    plan: Any, state: Any, opened_at: int, bar_us: int,
) -> int:  # fmt: skip
    """What becomes of an entry at a limit that has not filled: moved, told to leave should it fill, or cancelled; 1 while it waits."""
    if entry == NO_ROW or book[entry, O_STATE] != OPEN:
        return 0
    if book[entry, O_EXPIRES_AT] <= opened_at:
        cancel_orders(book, active, places, account, place, 0)
        return 0
    if moved > 0 and moved != book[entry, O_LIMIT]:
        amend(book, active, places, account, entry, book[entry, O_LOTS], moved, 0, 0, 0)
        book[entry, O_EXPIRES_AT] = opened_at + plan[P_ENTRY_MINUTES] * _MINUTE + 1
    set_target(book, places, plan, state, opened_at - state[S_OPENED_AT], bar_us, 0)
    if plan[P_HAS_SIGNAL_EXITS] != 0 and is_told_to_leave(signal, book[entry, O_SIDE]):
        leave_at(book, active, places, account, exit_price if exit_price > 0 else open_, high, low, plan, state, opened_at)
    return 1


@kernel(
    "void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8[::1], i8[::1], i8, i8)", is_inlined=True
)
def prepare(
    book: Any, active: Any, places: Any, account: Any,
    place: int, signal: int, lots: int, price: int, moved: int, exit_price: int, open_: int, high: int, low: int, side: int, is_last: int,
    plan: Any, state: Any, opened_at: int, bar_us: int,
) -> None:  # fmt: skip
    """Orders for the bar that opens now."""
    position, entry = places[place, I_POSITION], state[S_ENTRY]
    if position != 0:
        set_target(book, places, plan, state, opened_at - state[S_OPENED_AT], bar_us, 1)
        if plan[P_HAS_SIGNAL_EXITS] != 0 and is_told_to_leave(signal, position):
            if exit_price > 0:
                leave_at(book, active, places, account, exit_price, high, low, plan, state, opened_at)
            else:
                leave(book, active, places, account, place, TAG_SIGNAL)
        return
    is_waiting = keep_waiting(
        book, active, places, account, place, signal, moved, exit_price, open_, high, low, entry, plan, state, opened_at, bar_us
    )
    if is_waiting != 0:
        return
    state[S_ENTRY] = NO_ROW
    if side != 0 and is_last == 0 and lots > 0:
        enter_guarded(book, active, places, account, place, side, lots, price, plan, state, opened_at, bar_us)


@kernel(
    "i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8[::1], i8[::1])",
    is_inlined=True,
)
def go_through(
    book: Any, active: Any, places: Any, account: Any, fills: Any,
    place: int, opened_at: int, closed_at: int, open_: int, high: int, low: int, close: int, volume: int,
    before: int, busy: int, side: int, lots: int, price: int, is_last: int, plan: Any, state: Any,
) -> int:  # fmt: skip
    """Step the bar that opens after the time `before`, again for an entry of the other side, and on the last bar to close what is held."""
    passes = 0
    while passes < 3 and account[A_ACTIVE] > 0:
        result = step_bar(book, active, places, account, fills, place, opened_at, closed_at, open_, high, low, close, volume)
        if result != OK:
            return int(result)
        passes += 1
        position, entry = places[place, I_POSITION], state[S_ENTRY]
        has_closed = position == 0 and entry != NO_ROW and book[entry, O_FILLED] > 0
        is_reversed = passes == 1 and has_closed and busy * side < 0 and not is_last
        is_forced = is_last != 0 and position != 0 and plan[P_CLOSES_AT_END] != 0
        if not is_reversed and not is_forced:
            break
        account[A_NOW] = before
        places[place, I_STEPPED_AT] = before
        if is_forced:
            leave(book, active, places, account, place, TAG_FORCED)
        else:
            enter_guarded(book, active, places, account, place, side, lots, price, plan, state, opened_at, closed_at - opened_at)
    leaving = state[S_LEAVING]
    if leaving != NO_ROW and book[leaving, O_STATE] == WAITING:
        cancel(book, active, places, account, leaving, CANCELLED_BY_OWNER)
    return OK


@kernel("void(i8[:, ::1], i8, i8)", is_inlined=True)
def name_trails(fills: Any, first: int, last: int) -> None:
    """Fills of stops that were raised are the trailing stop's."""
    for index in range(first, last):
        reason = fills[index, F_REASON]
        if reason in (TRAIL_TRIGGERED, TRAIL_GAPPED):
            fills[index, F_TAG] = TAG_TRAIL


@kernel("i8(i8[::1], i8)", is_inlined=True)
def at_bar(values: Any, bar: int) -> int:
    """The element of a bar in an array of one for every bar, or one for all."""
    return int(values[bar if values.shape[0] > 1 else 0])


@kernel(
    "i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1],"
    " i1[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])"
)
def run_timed(
    book: Any, active: Any, places: Any, account: Any, fills: Any, place: int, first: int,
    opened_at: Any, closed_at: Any, open_: Any, high: Any, low: Any, close: Any, volume: Any,
    signals: Any, lots: Any, prices: Any, moves: Any, exits: Any, plan: Any, state: Any, equity: Any, status: Any,
) -> int:  # fmt: skip
    """Bars from `first` on: the bar at which it stopped (their number when done) with `status[0]` (BOOK_FULL: give the tables more room and go
    on from there). `lots`, `prices` (limits of entries, 0 = at the open), `moves` (where an open entry is moved to, 0 = nowhere) and `exits` (what
    exit signals ask for, 0 = the open) have one element for every bar, or one for all; those of a bar act at the next one.
    """
    count, slot, per_price = close.shape[0], A_CASH + places[place, I_CURRENCY], places[place, I_CASH_PER_PRICE_LOT]
    for bar in range(first, count):
        if not has_spare_room(book, active, account, fills):
            status[0] = BOOK_FULL
            return bar
        is_last, before = bar == count - 1, account[A_FILLS]
        if bar > 0:
            signal = signals[bar - 1]
            account[A_NOW] = closed_at[bar - 1]
            places[place, I_MARK] = close[bar - 1]
            side, busy = wanted_side(signal, places[place, I_ALLOWS_SHORT]), busy_side(book, places, place, state[S_ENTRY])
            amount, price = at_bar(lots, bar - 1), at_bar(prices, bar - 1)
            if plan[P_SIZING] != BY_LOTS and signal != 0:
                amount = sized_lots(places, account, place, plan[P_SIZING], plan[P_SIZE])
            prepare(
                book, active, places, account, place, signal, amount, price, at_bar(moves, bar - 1), at_bar(exits, bar - 1), open_[bar],
                high[bar], low[bar], side, is_last, plan, state, opened_at[bar], closed_at[bar] - opened_at[bar],
            )  # fmt: skip
            status[0] = go_through(
                book, active, places, account, fills, place, opened_at[bar], closed_at[bar], open_[bar], high[bar], low[bar], close[bar],
                volume[bar], closed_at[bar - 1], busy, side, amount, price, is_last, plan, state,
            )  # fmt: skip
            if status[0] != OK:
                return bar
        name_trails(fills, before, account[A_FILLS])
        if is_last and places[place, I_POSITION] == 0:
            cancel_orders(book, active, places, account, place, 0)
        equity[bar] = account[slot] + places[place, I_POSITION] * per_price * close[bar]
    status[0] = OK
    return int(count)
