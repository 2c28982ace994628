"""Fills to positions, round trips and double-entry rows, exactly. Columns: `ledger_codes`; rules: `trading_system/decisions/0010-the-engine.md`."""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    F_AT,
    F_FEE,
    F_LOTS,
    F_PLACE,
    F_PRICE,
    F_REASON,
    F_SIDE,
    F_TAG,
    F_VALUE,
    I_CASH_PER_PRICE_LOT,
    I_CURRENCY,
    INT64_SAFE,
)
from apps.portfolio.domain.ledger_codes import (
    H_COST,
    H_FEES,
    H_LOTS,
    H_REALISED,
    H_TRIP_ENTRY_REASON,
    H_TRIP_ENTRY_TAG,
    H_TRIP_ENTRY_VALUE,
    H_TRIP_EXIT_VALUE,
    H_TRIP_FEES,
    H_TRIP_FIRST_FILL,
    H_TRIP_LOTS,
    H_TRIP_OPENED_AT,
    H_TRIP_REALISED,
    L_AMOUNT,
    L_ASSET,
    L_COLUMN,
    L_FILL,
    T_CLOSED_AT,
    T_ENTRY_REASON,
    T_ENTRY_TAG,
    T_ENTRY_VALUE,
    T_EXIT_REASON,
    T_EXIT_TAG,
    T_EXIT_VALUE,
    T_FEES,
    T_FIRST_FILL,
    T_LAST_FILL,
    T_LOTS,
    T_OPENED_AT,
    T_PLACE,
    T_REALISED,
    T_SIDE,
)

CASH, HOLDINGS, MARKET, FEES = range(4)
ENTRIES_PER_FILL = 6
"""At the most: cash and holdings against the market, and the fee."""
_DIRECT = 3_000_000_000
"""Factors below this multiply without leaving an int64."""


@kernel("i8(i8, i8, i8)")
def share_of(amount: int, part: int, whole: int) -> int:
    """`amount` x `part` / `whole` rounded down, exactly, for 0 <= part <= whole and a non-negative amount."""
    quotient = amount // whole
    rest = amount - quotient * whole
    result = quotient * part
    if rest < _DIRECT and part < _DIRECT:
        return result + rest * part // whole
    found, left, bit = 0, 0, 1 << 61
    while bit > 0:
        left *= 2
        found *= 2
        if part & bit:
            left += rest
        while left >= whole:
            left -= whole
            found += 1
        bit >>= 1
    return result + found


@kernel("i8(i8[:, ::1], i8, i8, i8, i8, i8)", is_inlined=True, is_checked=False)
def write_entry(entries: Any, row: int, fill: int, column: int, asset: int, amount: int) -> int:
    """One amount; the next free row."""
    entries[row, L_FILL] = fill
    entries[row, L_COLUMN] = column
    entries[row, L_ASSET] = asset
    entries[row, L_AMOUNT] = amount
    return row + 1


@kernel("i8(i8[:, ::1], i8, i8[:, ::1], i8, i8, i8)", is_checked=False)
def write_entries(fills: Any, fill: int, entries: Any, row: int, currency: int, asset: int) -> int:
    """The rows of a fill: cash against the market, holdings against the market, the fee out of cash. Returns the next free row."""
    paid = fills[fill, F_SIDE] * fills[fill, F_VALUE]
    bought = fills[fill, F_SIDE] * fills[fill, F_LOTS]
    row = write_entry(entries, row, fill, CASH, currency, -paid)
    row = write_entry(entries, row, fill, MARKET, currency, paid)
    row = write_entry(entries, row, fill, HOLDINGS, asset, bought)
    row = write_entry(entries, row, fill, MARKET, asset, -bought)
    if fills[fill, F_FEE] != 0:
        row = write_entry(entries, row, fill, CASH, currency, -fills[fill, F_FEE])
        row = write_entry(entries, row, fill, FEES, currency, fills[fill, F_FEE])
    return row


@kernel("void(i8[:, ::1], i8, i8, i8)", is_inlined=True, is_checked=False)
def add_to(holdings: Any, place: int, column: int, amount: int) -> None:
    """Add to a sum that an endless trip lets grow without end: it stops at 2^61 instead of wrapping."""
    holdings[place, column] = min(max(holdings[place, column] + amount, -INT64_SAFE), INT64_SAFE)


@kernel("void(i8[:, ::1], i8, i8[:, ::1], i8, i8, i8, i8)", is_checked=False)
def extend(fills: Any, fill: int, holdings: Any, place: int, lots: int, value: int, cost: int) -> None:
    """Open or add to the position: `lots` unsigned, `value` and fee `cost` of that part."""
    side = fills[fill, F_SIDE]
    if holdings[place, H_LOTS] == 0:
        holdings[place, H_TRIP_OPENED_AT] = fills[fill, F_AT]
        holdings[place, H_TRIP_ENTRY_REASON] = fills[fill, F_REASON]
        holdings[place, H_TRIP_ENTRY_TAG] = fills[fill, F_TAG]
        holdings[place, H_TRIP_FIRST_FILL] = fill
    holdings[place, H_LOTS] += side * lots
    holdings[place, H_COST] += side * value
    add_to(holdings, place, H_FEES, cost)
    add_to(holdings, place, H_TRIP_LOTS, lots)
    add_to(holdings, place, H_TRIP_ENTRY_VALUE, value)
    add_to(holdings, place, H_TRIP_FEES, cost)


@kernel("void(i8[:, ::1], i8, i8[:, ::1], i8, i8, i8, i8)", is_checked=False)
def reduce(fills: Any, fill: int, holdings: Any, place: int, lots: int, value: int, cost: int) -> None:
    """Close part of the position: cost leaves in proportion, rounded toward zero; the last close takes what is left."""
    held = holdings[place, H_LOTS]
    direction = 1 if held > 0 else -1
    total = holdings[place, H_COST]
    released = share_of(abs(total), lots, abs(held))
    if total < 0:
        released = -released
    realised = direction * value - released
    holdings[place, H_LOTS] = held - direction * lots
    holdings[place, H_COST] = total - released
    add_to(holdings, place, H_REALISED, realised)
    add_to(holdings, place, H_FEES, cost)
    add_to(holdings, place, H_TRIP_REALISED, realised)
    add_to(holdings, place, H_TRIP_EXIT_VALUE, value)
    add_to(holdings, place, H_TRIP_FEES, cost)


@kernel("i8(i8[:, ::1], i8, i8[:, ::1], i8, i8[:, ::1], i8)", is_checked=False)
def close_trip(fills: Any, fill: int, holdings: Any, place: int, trades: Any, row: int) -> int:
    """Write the round trip that ended and start anew; the next free row."""
    trades[row, T_PLACE] = place
    trades[row, T_SIDE] = -fills[fill, F_SIDE]
    trades[row, T_LOTS] = holdings[place, H_TRIP_LOTS]
    trades[row, T_OPENED_AT] = holdings[place, H_TRIP_OPENED_AT]
    trades[row, T_CLOSED_AT] = fills[fill, F_AT]
    trades[row, T_ENTRY_VALUE] = holdings[place, H_TRIP_ENTRY_VALUE]
    trades[row, T_EXIT_VALUE] = holdings[place, H_TRIP_EXIT_VALUE]
    trades[row, T_REALISED] = holdings[place, H_TRIP_REALISED]
    trades[row, T_FEES] = holdings[place, H_TRIP_FEES]
    trades[row, T_ENTRY_REASON] = holdings[place, H_TRIP_ENTRY_REASON]
    trades[row, T_EXIT_REASON] = fills[fill, F_REASON]
    trades[row, T_ENTRY_TAG] = holdings[place, H_TRIP_ENTRY_TAG]
    trades[row, T_EXIT_TAG] = fills[fill, F_TAG]
    trades[row, T_FIRST_FILL] = holdings[place, H_TRIP_FIRST_FILL]
    trades[row, T_LAST_FILL] = fill
    for column in (H_TRIP_LOTS, H_TRIP_REALISED, H_TRIP_FEES, H_TRIP_ENTRY_VALUE, H_TRIP_EXIT_VALUE):
        holdings[place, column] = 0
    return row + 1


@kernel("i8(i8[:, ::1], i8, i8[:, ::1], i8[:, ::1], i8[:, ::1], i8)", is_checked=False)
def book_fill(fills: Any, fill: int, places: Any, holdings: Any, trades: Any, row: int) -> int:
    """Book one fill into its position; the next free row of `trades`."""
    place, lots, cost = fills[fill, F_PLACE], fills[fill, F_LOTS], fills[fill, F_FEE]
    held = holdings[place, H_LOTS]
    if held * fills[fill, F_SIDE] >= 0:
        extend(fills, fill, holdings, place, lots, fills[fill, F_VALUE], cost)
        return row
    closing = min(abs(held), lots)
    value = closing * fills[fill, F_PRICE] * places[place, I_CASH_PER_PRICE_LOT]
    closing_cost = share_of(cost, closing, lots)
    reduce(fills, fill, holdings, place, closing, value, closing_cost)
    if holdings[place, H_LOTS] == 0:
        row = close_trip(fills, fill, holdings, place, trades, row)
        if lots > closing:
            extend(fills, fill, holdings, place, lots - closing, fills[fill, F_VALUE] - value, cost - closing_cost)
    return row


@kernel("i8(i8[:, ::1], i8, i8, i8[:, ::1], i8[:, ::1], i8[:, ::1], i8[:, ::1], i8[::1], i8)")
def book_fills(
    fills: Any, first: int, last: int, places: Any, holdings: Any, trades: Any, entries: Any, counters: Any, currencies: int
) -> int:
    """Book fills `first` to `last` (exclusive); how many were. `counters` are the rows used in trades and in entries.

    The caller provides room: a trade and ENTRIES_PER_FILL entries a fill, a row of holdings for each place. Without it nothing is booked.
    These are the looks at indices of everything above, which has none of its own.
    """
    count = last - first
    has_room = first >= 0 and last <= fills.shape[0] and counters[0] >= 0 and counters[1] >= 0
    has_room = has_room and counters[0] + count <= trades.shape[0] and counters[1] + ENTRIES_PER_FILL * count <= entries.shape[0]
    if not has_room:
        return 0
    for fill in range(first, last):
        place = fills[fill, F_PLACE]
        if not 0 <= place < min(places.shape[0], holdings.shape[0]):
            return fill - first
        counters[0] = book_fill(fills, fill, places, holdings, trades, counters[0])
        counters[1] = write_entries(fills, fill, entries, counters[1], places[place, I_CURRENCY], currencies + place)
    return count
