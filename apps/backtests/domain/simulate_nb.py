"""Signals over bars: the vector way to trade, by one written rule. Orders, fills and books are the engine's.

At each close t, after the bar has been matched:
- held and told to leave (exit bit of the held side, or entry bit of the other): every open exit order is cancelled and a reduce-only market order
  for the whole position is given; entry bit of the other side: an entry is given as well, acting after it.
- flat with nothing pending and told to enter: a market order of `lots[t]`, or of a size worked out from equity (`sizing_nb`), with its protection as reduce-only children in one group. Stop and
  target are prices (`stops[t]`, `targets[t]`; 0 = none) or millionths from the fill price; a trailing stop is in millionths of its best price.
- An exit bit beats an entry bit of the same side on the same bar.
Timing `at_close` fills market orders at this close, otherwise they meet the next bar. Entry bits while held, or while an entry is still open,
do nothing. The loop skips the step while bars stay inside the envelope.

`enter` and `run_signals` are longer than a function should be: most of their lines are arguments, and a call in the loop that passes five
arrays costs as much as the work it would move elsewhere.
"""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel, prefetch, unsigned
from apps.orders.domain.bar_nb import step_bar
from apps.orders.domain.book_nb import cancel, submit
from apps.orders.domain.close_nb import match_at_close
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_CASH,
    A_FILLS,
    A_NEXT_GROUP,
    A_NOW,
    A_ORDERS,
    A_WAITING,
    I_CASH_PER_PRICE_LOT,
    I_CURRENCY,
    I_HIGH_BOUND,
    I_LOW_BOUND,
    I_MARK,
    I_POSITION,
    I_TIME_BOUND,
    NO_ROW,
    O_FLAGS,
    O_PLACE,
    O_STATE,
    REDUCE_ONLY,
    UNBOUNDED,
)
from apps.orders.domain.engine_numbers import BAD_EVENT, BOOK_FULL, CANCELLED_BY_OWNER, LIMIT, MARKET, OK, OPEN, STOP, TRAILING
from apps.orders.domain.sizing_nb import BY_LOTS, sized_lots
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT

TAG_ENTRY, TAG_SIGNAL, TAG_STOP, TAG_TARGET, TAG_TRAIL = 1, 2, 3, 4, 5
_ROOM = 16
_NEAR, _BLOCK = 64, 64
"""Bars looked at one by one first, and then together."""

# Columns of `rules`.
R_STOP_PPM, R_TARGET_PPM, R_TRAIL_PPM, R_AT_CLOSE, R_SIZING, R_SIZE = range(6)
RULE_COLUMNS = 6


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8)")
def cancel_orders(book: Any, active: Any, places: Any, account: Any, place: int, is_only_exits: int) -> int:
    """Cancel the open orders of the instrument (or only its reduce-only ones); how many are left open."""
    index, left = 0, 0
    while index < account[A_ACTIVE]:
        row = active[index]
        if book[row, O_PLACE] != place or book[row, O_STATE] != OPEN:
            index += 1
        elif is_only_exits == 0 or book[row, O_FLAGS] & REDUCE_ONLY:
            cancel(book, active, places, account, row, CANCELLED_BY_OWNER)
        else:
            left += 1
            index += 1
    return left


@kernel("i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8, i8, i8, i8, i8)", is_inlined=True)
def enter(
    book: Any, active: Any, places: Any, account: Any,
    place: int, side: int, lots: int, stop: int, target: int, stop_ppm: int, target_ppm: int, trail_ppm: int,
) -> int:  # fmt: skip
    """A market entry with its protection; the row of the entry."""
    row = submit(book, active, places, account, place, side, MARKET, 0, 0, lots, 0, 0, 0, 0, 0, NO_ROW, 0, 0, 0, TAG_ENTRY)
    if row == NO_ROW or book[row, O_STATE] != OPEN:
        return row
    exit_side, group = -side, account[A_NEXT_GROUP] + 1
    if stop > 0 or stop_ppm > 0:
        relative = -side * stop_ppm if stop == 0 else 0
        submit(
            book, active, places, account, place, exit_side, STOP, 0, REDUCE_ONLY, lots, 0, stop, 0, 0, 0, row, group, relative, 0, TAG_STOP
        )
    if trail_ppm > 0:
        submit(
            book,
            active,
            places,
            account,
            place,
            exit_side,
            TRAILING,
            0,
            REDUCE_ONLY,
            lots,
            0,
            0,
            0,
            trail_ppm,
            0,
            row,
            group,
            0,
            0,
            TAG_TRAIL,
        )
    if target > 0 or target_ppm > 0:
        relative = side * target_ppm if target == 0 else 0
        submit(
            book,
            active,
            places,
            account,
            place,
            exit_side,
            LIMIT,
            0,
            REDUCE_ONLY,
            lots,
            target,
            0,
            0,
            0,
            0,
            row,
            group,
            0,
            relative,
            TAG_TARGET,
        )
    return row


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8, i8, i8, i8, i8, i8[::1])", is_inlined=True)
def act_on_signal(
    book: Any, active: Any, places: Any, account: Any, place: int, signal: int, lots: int, stop: int, target: int, rules: Any
) -> None:
    """The rule of this module, at one close."""
    position = places[place, I_POSITION]
    enters_long = signal & ENTER_LONG != 0 and signal & EXIT_LONG == 0
    enters_short = signal & ENTER_SHORT != 0 and signal & EXIT_SHORT == 0
    side = 1 if enters_long else (-1 if enters_short else 0)
    if position > 0 and (signal & EXIT_LONG or enters_short):
        cancel_orders(book, active, places, account, place, 0)
        submit(book, active, places, account, place, -1, MARKET, 0, REDUCE_ONLY, position, 0, 0, 0, 0, 0, NO_ROW, 0, 0, 0, TAG_SIGNAL)
        side = -1 if enters_short else 0
    elif position < 0 and (signal & EXIT_SHORT or enters_long):
        cancel_orders(book, active, places, account, place, 0)
        submit(book, active, places, account, place, 1, MARKET, 0, REDUCE_ONLY, -position, 0, 0, 0, 0, 0, NO_ROW, 0, 0, 0, TAG_SIGNAL)
        side = 1 if enters_long else 0
    elif position != 0 or (side != 0 and cancel_orders(book, active, places, account, place, 1) > 0):
        side = 0
    if side != 0 and rules[R_SIZING] != BY_LOTS:
        lots = sized_lots(places, account, place, rules[R_SIZING], rules[R_SIZE])
    if side != 0 and lots > 0:
        enter(book, active, places, account, place, side, lots, stop, target, rules[R_STOP_PPM], rules[R_TARGET_PPM], rules[R_TRAIL_PPM])


@kernel("i8(i8)", is_inlined=True)
def bits_that_matter(position: int) -> int:
    """What can bring an order: exits and the other side's entries while held, entries when flat."""
    if position > 0:
        return EXIT_LONG | ENTER_SHORT
    return EXIT_SHORT | ENTER_LONG if position < 0 else ENTER_LONG | ENTER_SHORT


@kernel("i8(i1[::1], i8, i8, i8)", is_checked=False)
def next_signal(signals: Any, bits: int, first: int, last: int) -> int:
    """The first bar from `first` on that has one of the bits; `last` if none before it has. The bounds have been looked at."""
    bar, near = first, min(first + _NEAR, last)
    while bar < near and signals[unsigned(bar)] & bits == 0:
        bar += 1
    if bar < near:
        return bar
    while bar + _BLOCK <= last:
        found = 0
        for index in range(_BLOCK):
            found |= signals[unsigned(bar) + unsigned(index)]
        if found & bits != 0:
            break
        bar += _BLOCK
    while bar < last and signals[unsigned(bar)] & bits == 0:
        bar += 1
    return bar


@kernel("i8(i1[::1], i8[::1], i8[::1], i8, i8, i8, i8, i8)", is_checked=False)
def next_touch(signals: Any, low: Any, high: Any, bits: int, first: int, last: int, low_bound: int, high_bound: int) -> int:
    """The first bar from `first` on that has one of the bits or leaves the envelope; `last` if none before it does. The bounds have been looked at."""
    if first >= last or low[unsigned(first)] <= low_bound or high[unsigned(first)] >= high_bound:
        return first
    bar = first
    while bar + _BLOCK <= last:
        found = 0
        for index in range(_BLOCK):
            at = unsigned(bar) + unsigned(index)
            found |= (signals[at] & bits) | int(low[at] <= low_bound) | int(high[at] >= high_bound)
        if found != 0:
            break
        bar += _BLOCK
    while bar < last and signals[unsigned(bar)] & bits == 0 and low[unsigned(bar)] > low_bound and high[unsigned(bar)] < high_bound:
        bar += 1
    return bar


@kernel("void(i8[::1], i8[::1], i8, i8, i8, i8)", is_checked=False)
def fill_line(equity: Any, close: Any, first: int, last: int, cash: int, worth: int) -> None:
    """Equity of bars on which nothing happens. The bounds have been looked at."""
    for bar in range(first, last):
        equity[unsigned(bar)] = cash + worth * close[unsigned(bar)]


@kernel("b1(i8[:, ::1], i8[::1], i8[::1], i8[:, ::1])", is_inlined=True)
def has_spare_room(book: Any, active: Any, account: Any, fills: Any) -> bool:
    """Whether the tables can take a bar and what a signal may add to it."""
    acting = account[A_ACTIVE] + account[A_WAITING] + _ROOM
    return bool(
        book.shape[0] - account[A_ORDERS] > _ROOM
        and active.shape[0] - account[A_ACTIVE] > acting
        and fills.shape[0] - account[A_FILLS] > 2 * acting
    )


@kernel(
    "i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1],"
    " i1[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])"
)
def run_signals(
    book: Any, active: Any, places: Any, account: Any, fills: Any, place: int, first: int, last: int,
    opened_at: Any, closed_at: Any, open_: Any, high: Any, low: Any, close: Any, volume: Any,
    signals: Any, lots: Any, stops: Any, targets: Any, rules: Any, equity: Any, status: Any,
) -> int:  # fmt: skip
    """Bars `first` to `last` (exclusive): the bar at which it stopped (`last` when done) with `status[0]` (BOOK_FULL: give the tables more room
    and go on from there). `lots`, `stops` and `targets` have one element for every bar, or one for all. Equity is in the instrument's currency.
    """
    if first < 0 or min(len(signals), len(low), len(high), len(close), len(equity)) < last:
        status[0] = BAD_EVENT
        return first
    slot = A_CASH + places[place, I_CURRENCY]
    per_price = places[place, I_CASH_PER_PRICE_LOT]
    is_at_close = rules[R_AT_CLOSE] != 0
    low_bound, high_bound, time_bound = places[place, I_LOW_BOUND], places[place, I_HIGH_BOUND], places[place, I_TIME_BOUND]
    cash, worth = account[slot], places[place, I_POSITION] * per_price
    many_lots, many_stops, many_targets = lots.shape[0] > 1, stops.shape[0] > 1, targets.shape[0] > 1
    bits = bits_that_matter(places[place, I_POSITION])
    bar, ahead = first, first  # no bar from `bar` to `ahead` (exclusive) has a signal once both have been looked for
    while bar < last:
        if time_bound == UNBOUNDED:
            begin = bar
            if low_bound < 0 and high_bound == UNBOUNDED:
                bar = max(bar, ahead)
                bar = next_signal(signals, bits, bar, last)
                ahead = next_signal(signals, -1, min(bar + 1, last), last)
                prefetch(open_, ahead + 1)
                prefetch(high, ahead + 1)
                prefetch(low, ahead + 1)
                prefetch(volume, ahead + 1)
                prefetch(opened_at, ahead + 1)
                prefetch(closed_at, ahead + 1)
                if many_stops:
                    prefetch(stops, ahead)
                if many_targets:
                    prefetch(targets, ahead)
            else:
                bar = next_touch(signals, low, high, bits, bar, last, low_bound, high_bound)
            fill_line(equity, close, begin, bar, cash, worth)
            if bar == last:
                break
        is_outside = low[bar] <= low_bound or high[bar] >= high_bound or (time_bound != UNBOUNDED and closed_at[bar] >= time_bound)
        if (is_outside or signals[bar] & bits != 0) and not has_spare_room(book, active, account, fills):
            status[0] = BOOK_FULL
            return bar
        if is_outside:
            result = step_bar(
                book,
                active,
                places,
                account,
                fills,
                place,
                opened_at[bar],
                closed_at[bar],
                open_[bar],
                high[bar],
                low[bar],
                close[bar],
                volume[bar],
            )
            if result != OK:
                status[0] = result
                return bar
            low_bound, high_bound, time_bound = places[place, I_LOW_BOUND], places[place, I_HIGH_BOUND], places[place, I_TIME_BOUND]
            cash, worth = account[slot], places[place, I_POSITION] * per_price
            bits = bits_that_matter(places[place, I_POSITION])
        if signals[bar] & bits != 0:
            account[A_NOW] = closed_at[bar]
            places[place, I_MARK] = close[bar]
            act_on_signal(
                book, active, places, account, place, signals[bar], lots[bar if many_lots else 0], stops[bar if many_stops else 0],
                targets[bar if many_targets else 0], rules,
            )  # fmt: skip
            if is_at_close:
                result = match_at_close(book, active, places, account, fills, place, close[bar], volume[bar])
                if result != OK:
                    status[0] = result
                    return bar
                cash, worth = account[slot], places[place, I_POSITION] * per_price
                bits = bits_that_matter(places[place, I_POSITION])
            low_bound, high_bound, time_bound = places[place, I_LOW_BOUND], places[place, I_HIGH_BOUND], places[place, I_TIME_BOUND]
        equity[bar] = cash + worth * close[bar]
        bar += 1
    status[0] = OK
    return last
