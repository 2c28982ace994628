"""Codes and columns of the compiled books; `trading_system/decisions/0010-the-engine.md` says what they mean."""

from __future__ import annotations

from enum import IntEnum


class LedgerColumn(IntEnum):
    """Where an amount is booked; the numbers of `journal.LedgerAccount`."""

    CASH = 0
    HOLDINGS = 1
    MARKET = 2
    FEES = 3
    CAPITAL = 4


# Columns of a row of `entries`: an asset is a currency's number, or the number of currencies + the instrument's place.
(L_FILL, L_COLUMN, L_ASSET, L_AMOUNT) = range(4)
ENTRY_COLUMNS = 4

# Columns of a row of `trades`: one round trip from flat to flat, or to the other side.
(
    T_PLACE,
    T_SIDE,
    T_LOTS,
    T_OPENED_AT,
    T_CLOSED_AT,
    T_ENTRY_VALUE,
    T_EXIT_VALUE,
    T_REALISED,
    T_FEES,
    T_ENTRY_REASON,
    T_EXIT_REASON,
    T_ENTRY_TAG,
    T_EXIT_TAG,
    T_FIRST_FILL,
    T_LAST_FILL,
) = range(15)
TRADE_COLUMNS = 15
"""T_LOTS are the lots that the trip entered, T_REALISED is before fees."""

# Columns of a row of `holdings`, one per instrument.
(
    H_LOTS,
    H_COST,
    H_REALISED,
    H_FEES,
    H_TRIP_LOTS,
    H_TRIP_REALISED,
    H_TRIP_FEES,
    H_TRIP_ENTRY_VALUE,
    H_TRIP_EXIT_VALUE,
    H_TRIP_OPENED_AT,
    H_TRIP_ENTRY_REASON,
    H_TRIP_ENTRY_TAG,
    H_TRIP_FIRST_FILL,
) = range(13)
HOLDING_COLUMNS = 13
