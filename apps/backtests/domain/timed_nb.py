"""Signals over bars by the rules of freqtrade's backtests, with the exits of an `ExitPlan`.

Before each bar, by the signals of the one before:
- held: an exit signal of the held side without an entry signal of it closes at the open; the target becomes that of the trade's age.
- the age of a trade begins with the bar at which its entry was given, also where a limit filled later.
- flat: an entry signal with neither the other side's entry nor its own exit opens at the open, or at a limit price; never on the last bar.
- a bar in which the trade was closed is gone through again for an entry of the other side, as if the trade had left before it.
- what is open after the last bar is closed at its open.
Orders, fills and books are the engine's.
"""

from __future__ import annotations

from typing import Any

from apps.backtests.domain.simulate_nb import TAG_ENTRY, TAG_SIGNAL, TAG_STOP, TAG_TARGET, TAG_TRAIL, cancel_orders
from apps.core.kernel import kernel
from apps.orders.domain.bar_nb import step_bar
from apps.orders.domain.book_nb import amend, submit
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_CASH,
    A_FILLS,
    A_NEXT_GROUP,
    A_NOW,
    A_ORDERS,
    A_WAITING,
    CHANGED,
    F_REASON,
    F_TAG,
    I_ALLOWS_SHORT,
    I_CASH_PER_PRICE_LOT,
    I_CURRENCY,
    I_MARK,
    I_POSITION,
    I_STEPPED_AT,
    NEAR_ONLY,
    NO_ROW,
    O_EXPIRES_AT,
    O_FLAGS,
    O_LIMIT,
    O_LOTS,
    O_PROFIT_PPM,
    O_STATE,
    PPM,
    REDUCE_ONLY,
)
from apps.orders.domain.guards_nb import NO_TARGET, guard, paid_price, place_guard
from apps.orders.domain.sizing_nb import BY_LOTS, sized_lots
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT

MARKET, LIMIT, STOP, TRAILING = 0, 1, 2, 4
GTC, GTD = 0, 2
OPEN = 1
OK, BOOK_FULL = 0, 1
TRAIL_TRIGGERED, TRAIL_GAPPED = 49, 50
TAG_FORCED = 6
NOTHING = -1
_MINUTE = 60_000_000
_ROOM = 16

# Entries of `plan`; pairs of minutes and profit follow it, by rising minutes.
P_STOP, P_IS_TRAILING, P_NEAR, P_NEAR_FROM, P_IS_NEAR_ONLY, P_LEVERAGE, P_HAS_SIGNAL_EXITS, P_CLOSES_AT_END, P_ENTRY_MINUTES = range(9)
P_SIZING, P_SIZE, P_TARGETS = range(9, 12)

# Entries of `state`, which goes from call to call.
S_OPENED_AT, S_TARGET, S_STEP, S_ENTRY = range(4)
STATE_COLUMNS = 4


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
    if step == state[S_STEP] or row == NO_ROW:
        return
    state[S_STEP] = step
    minutes, profit = plan[P_TARGETS + 2 * step], plan[P_TARGETS + 2 * step + 1]
    book[row, O_PROFIT_PPM] = profit
    if is_held != 0:
        place_guard(book, places, row, paid_price(book, places, row))
    is_on_bar = minutes * _MINUTE % bar_us == 0
    is_new = age_us > 0 and minutes == age_us // _MINUTE
    if is_on_bar and (is_new or profit == -PPM):
        book[row, O_FLAGS] |= CHANGED


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8, i8[::1], i8[::1], i8, i8)")
def enter_guarded(
    book: Any, active: Any, places: Any, account: Any,
    place: int, side: int, lots: int, price: int, plan: Any, state: Any, opened_at: int, bar_us: int,
) -> None:  # fmt: skip
    """An entry at the open (`price` 0) or at a limit, with its stop and its target."""
    if price == 0:
        row = submit(book, active, places, account, place, side, MARKET, GTC, 0, lots, 0, 0, 0, 0, 0, NO_ROW, 0, 0, 0, TAG_ENTRY)
    else:
        expires_at = opened_at + plan[P_ENTRY_MINUTES] * _MINUTE + 1
        row = submit(
            book, active, places, account, place, side, LIMIT, GTD, 0, lots, price, 0, 0, 0, expires_at, NO_ROW, 0, 0, 0, TAG_ENTRY
        )
    state[S_OPENED_AT], state[S_ENTRY], state[S_TARGET], state[S_STEP] = opened_at, row, NO_ROW, NOTHING
    if row == NO_ROW or book[row, O_STATE] != OPEN:
        return
    group, distance, leverage = account[A_NEXT_GROUP] + 1, plan[P_STOP], plan[P_LEVERAGE]
    if plan[P_IS_TRAILING] != 0:
        child = submit(
            book, active, places, account, place, -side, TRAILING, GTC, REDUCE_ONLY, lots, 0, 0, 0, distance, 0, row, group, 0, 0, TAG_STOP
        )
        guard(book, child, leverage, plan[P_NEAR_FROM], plan[P_NEAR], NEAR_ONLY if plan[P_IS_NEAR_ONLY] != 0 else 0)
    else:
        child = submit(
            book,
            active,
            places,
            account,
            place,
            -side,
            STOP,
            GTC,
            REDUCE_ONLY,
            lots,
            0,
            0,
            0,
            0,
            0,
            row,
            group,
            -side * distance,
            0,
            TAG_STOP,
        )
        guard(book, child, leverage, 0, 0, 0)
    if plan.shape[0] > P_TARGETS:
        child = submit(
            book, active, places, account, place, -side, LIMIT, GTC, REDUCE_ONLY, lots, 0, 0, 0, 0, 0, row, group, 0, side, TAG_TARGET
        )
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


@kernel("b1(i8[:, ::1], i8[::1], i8[::1], i8[:, ::1])", is_inlined=True)
def has_spare_room(book: Any, active: Any, account: Any, fills: Any) -> bool:
    """Whether the tables can take a bar that is gone through three times."""
    acting = account[A_ACTIVE] + account[A_WAITING] + _ROOM
    return bool(
        book.shape[0] - account[A_ORDERS] > _ROOM
        and active.shape[0] - account[A_ACTIVE] > acting
        and fills.shape[0] - account[A_FILLS] > 4 * acting
    )


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8, i8[::1], i8[::1], i8, i8)")
def prepare(
    book: Any, active: Any, places: Any, account: Any, fills: Any,
    place: int, signal: int, lots: int, price: int, moved: int, side: int, is_last: int, plan: Any, state: Any, opened_at: int, bar_us: int,
) -> None:  # fmt: skip
    """Orders for the bar that opens now."""
    position, entry = places[place, I_POSITION], state[S_ENTRY]
    if position != 0:
        set_target(book, places, plan, state, opened_at - state[S_OPENED_AT], bar_us, 1)
        if plan[P_HAS_SIGNAL_EXITS] != 0 and is_told_to_leave(signal, position):
            leave(book, active, places, account, place, TAG_SIGNAL)
        return
    if entry != NO_ROW and book[entry, O_STATE] == OPEN:
        if book[entry, O_EXPIRES_AT] > opened_at:
            if moved > 0 and moved != book[entry, O_LIMIT]:
                amend(book, active, places, account, entry, book[entry, O_LOTS], moved, 0, 0, 0)
                book[entry, O_EXPIRES_AT] = opened_at + plan[P_ENTRY_MINUTES] * _MINUTE + 1
            return
        cancel_orders(book, active, places, account, place, 0)
    if side != 0 and is_last == 0 and lots > 0:
        enter_guarded(book, active, places, account, place, side, lots, price, plan, state, opened_at, bar_us)


@kernel(
    "i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1],"
    " i1[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])"
)
def run_timed(
    book: Any, active: Any, places: Any, account: Any, fills: Any, place: int, first: int,
    opened_at: Any, closed_at: Any, open_: Any, high: Any, low: Any, close: Any, volume: Any,
    signals: Any, lots: Any, prices: Any, moves: Any, plan: Any, state: Any, equity: Any, status: Any,
) -> int:  # fmt: skip
    """Bars from `first` on: the bar at which it stopped (their number when done) with `status[0]` (BOOK_FULL: give the tables more room and go
    on from there). `lots`, `prices` (limits of entries, 0 = at the open) and `moves` (where an open entry is moved to, 0 = nowhere) have one element
    for every bar, or one for all; those of a bar act at the next one.
    """
    count, slot, per_price = close.shape[0], A_CASH + places[place, I_CURRENCY], places[place, I_CASH_PER_PRICE_LOT]
    many_lots, many_prices, many_moves = lots.shape[0] > 1, prices.shape[0] > 1, moves.shape[0] > 1
    for bar in range(first, count):
        if not has_spare_room(book, active, account, fills):
            status[0] = BOOK_FULL
            return bar
        signal, is_last, bar_us = 0, bar == count - 1, closed_at[bar] - opened_at[bar]
        held, before, passes = places[place, I_POSITION], account[A_FILLS], 0
        if bar > 0:
            signal = signals[bar - 1]
            account[A_NOW] = closed_at[bar - 1]
            places[place, I_MARK] = close[bar - 1]
            side = wanted_side(signal, places[place, I_ALLOWS_SHORT])
            amount, price = lots[bar - 1 if many_lots else 0], prices[bar - 1 if many_prices else 0]
            if plan[P_SIZING] != BY_LOTS and signal != 0:
                amount = sized_lots(places, account, place, plan[P_SIZING], plan[P_SIZE])
            moved = moves[bar - 1 if many_moves else 0]
            prepare(
                book,
                active,
                places,
                account,
                fills,
                place,
                signal,
                amount,
                price,
                moved,
                side,
                is_last,
                plan,
                state,
                opened_at[bar],
                bar_us,
            )
            while passes < 3 and account[A_ACTIVE] > 0:
                result = step_bar(
                    book, active, places, account, fills, place, opened_at[bar], closed_at[bar],
                    open_[bar], high[bar], low[bar], close[bar], volume[bar],
                )  # fmt: skip
                if result != OK:
                    status[0] = result
                    return bar
                passes += 1
                position = places[place, I_POSITION]
                is_reversed = passes == 1 and held != 0 and position == 0 and held * side < 0 and not is_last
                is_forced = is_last and position != 0 and plan[P_CLOSES_AT_END] != 0
                if not is_reversed and not is_forced:
                    break
                account[A_NOW] = closed_at[bar - 1]
                places[place, I_STEPPED_AT] = closed_at[bar - 1]
                if is_forced:
                    leave(book, active, places, account, place, TAG_FORCED)
                else:
                    enter_guarded(book, active, places, account, place, side, amount, price, plan, state, opened_at[bar], bar_us)
        for index in range(before, account[A_FILLS]):
            reason = fills[index, F_REASON]
            if reason in (TRAIL_TRIGGERED, TRAIL_GAPPED):
                fills[index, F_TAG] = TAG_TRAIL
        if is_last and places[place, I_POSITION] == 0:
            cancel_orders(book, active, places, account, place, 0)
        equity[bar] = account[slot] + places[place, I_POSITION] * per_price * close[bar]
    status[0] = OK
    return int(count)
