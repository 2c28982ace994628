"""Signals over quotes: a market order in, one out, behind the pre-trade limits; orders and books are the engine's."""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_CASH,
    A_FILLS,
    A_NOW,
    A_ORDERS,
    A_WAITING,
    I_ASK,
    I_BID,
    I_CASH_PER_PRICE_LOT,
    I_CURRENCY,
    I_HIGH_BOUND,
    I_LOW_BOUND,
    I_MARK,
    I_POSITION,
    I_TIME_BOUND,
    NO_ROW,
    REDUCE_ONLY,
)
from apps.orders.domain.engine_numbers import BOOK_FULL, MARKET, OK
from apps.orders.domain.pretrade_nb import submit_within
from apps.orders.domain.quote_nb import step_quote
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT

TAG_ENTRY, TAG_SIGNAL = 1, 2
_ROOM = 16


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[::1], i8, i8, i8)")
def act(book: Any, active: Any, places: Any, account: Any, limits: Any, place: int, signal: int, lots: int) -> None:
    """Leave what is held when told to, enter when flat; one order of the strategy at a time."""
    if account[A_ACTIVE] > 0:
        return
    position = places[place, I_POSITION]
    side, flags, wanted, tag = 0, 0, lots, TAG_ENTRY
    if position > 0 and signal & (EXIT_LONG | ENTER_SHORT):
        side, flags, wanted, tag = -1, REDUCE_ONLY, position, TAG_SIGNAL
    elif position < 0 and signal & (EXIT_SHORT | ENTER_LONG):
        side, flags, wanted, tag = 1, REDUCE_ONLY, -position, TAG_SIGNAL
    elif position == 0 and signal & (ENTER_LONG | ENTER_SHORT):
        side = 1 if signal & ENTER_LONG else -1
    if side != 0:
        submit_within(book, active, places, account, limits, place, side, MARKET, 0, flags, wanted, 0, 0, 0, 0, 0, NO_ROW, 0, 0, 0, tag)


@kernel(
    "i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1],"
    " i1[::1], i8, i8[::1], i8[::1])"
)
def run_quote_signals(
    book: Any, active: Any, places: Any, account: Any, fills: Any, limits: Any, place: int, first: int, last: int,
    at: Any, bid: Any, ask: Any, bid_lots: Any, ask_lots: Any, signals: Any, lots: int, equity: Any, status: Any,
) -> int:  # fmt: skip
    """Quotes `first` to `last` (exclusive): where it stopped, with `status[0]`. A market order meets the quote on which it is given, or with
    latency the first one after it. Equity at every quote is at the bid."""
    status[0] = OK
    slot = A_CASH + places[place, I_CURRENCY]
    per_price = places[place, I_CASH_PER_PRICE_LOT]
    low_bound, high_bound, time_bound = places[place, I_LOW_BOUND], places[place, I_HIGH_BOUND], places[place, I_TIME_BOUND]
    cash, worth = account[slot], places[place, I_POSITION] * per_price
    for index in range(first, last):
        has_signal = signals[index] != 0
        is_outside = bid[index] <= low_bound or ask[index] >= high_bound or at[index] >= time_bound
        if has_signal or is_outside:
            room = account[A_ACTIVE] + account[A_WAITING] + _ROOM
            if (
                book.shape[0] - account[A_ORDERS] < _ROOM
                or active.shape[0] < account[A_ACTIVE] + room
                or fills.shape[0] - account[A_FILLS] < 2 * room
            ):
                status[0] = BOOK_FULL
                return index
            if is_outside:
                status[0] = step_quote(
                    book, active, places, account, fills, place, at[index], bid[index], ask[index], bid_lots[index], ask_lots[index]
                )
            if status[0] == OK and has_signal:
                account[A_NOW] = at[index]
                places[place, I_BID], places[place, I_ASK], places[place, I_MARK] = bid[index], ask[index], (bid[index] + ask[index]) // 2
                act(book, active, places, account, limits, place, signals[index], lots)
                status[0] = step_quote(
                    book, active, places, account, fills, place, at[index], bid[index], ask[index], bid_lots[index], ask_lots[index]
                )
            if status[0] != OK:
                return index
            low_bound, high_bound, time_bound = places[place, I_LOW_BOUND], places[place, I_HIGH_BOUND], places[place, I_TIME_BOUND]
            cash, worth = account[slot], places[place, I_POSITION] * per_price
        equity[index] = cash + worth * bid[index]
    status[0] = OK
    return last
