"""The fills of a whole run booked at once: round trips and double-entry rows."""

from __future__ import annotations

import numpy as np

from apps.core.errors import OutOfBounds
from apps.portfolio.domain.ledger_codes import ENTRY_COLUMNS, HOLDING_COLUMNS, TRADE_COLUMNS
from apps.portfolio.domain.ledger_nb import ENTRIES_PER_FILL, book_fills
from apps.portfolio.domain.records import Int64Array

_LEAST_FILLS = 1024


def book_tables(fills: int) -> tuple[Int64Array, Int64Array]:
    """Empty tables of trades and entries with room for that many fills."""
    room = max(fills, _LEAST_FILLS)
    return np.zeros((room, TRADE_COLUMNS), np.int64), np.zeros((room * ENTRIES_PER_FILL, ENTRY_COLUMNS), np.int64)


def book_run(
    fills: Int64Array, places: Int64Array, currencies: int, trades: Int64Array, entries: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """The rows of `trades` and `entries` that the fills have filled. Raises OutOfBounds where the tables are too small for them."""
    holdings, counters = np.zeros((len(places), HOLDING_COLUMNS), np.int64), np.zeros(2, np.int64)
    booked = book_fills(fills, 0, len(fills), places, holdings, trades, entries, counters, currencies)
    if booked != len(fills):
        raise OutOfBounds(
            f"Only {booked} of {len(fills)} fills could be booked.", where="fills", hint="Give book_tables the number of fills."
        )
    return trades[: counters[0]], entries[: counters[1]]
