"""The engine's second pair of hands: plain Python, written from `trading_system/decisions/0010-the-engine.md` alone, clear and slow.

Nothing here is imported from the kernels; the two must agree on every fill of random order streams (`streams.py`).
"""

from __future__ import annotations

from tests.unit.backtests.oracle.bars import Bar
from tests.unit.backtests.oracle.ledger import Entry, OracleLedger, RoundTrip
from tests.unit.backtests.oracle.model import Amendment, Depth, Fill, Instrument, Level, Order, Quote, Request, Tier, Trade
from tests.unit.backtests.oracle.venue import OracleVenue

__all__ = [
    "Amendment",
    "Bar",
    "Depth",
    "Entry",
    "Fill",
    "Instrument",
    "Level",
    "OracleLedger",
    "OracleVenue",
    "Order",
    "Quote",
    "Request",
    "RoundTrip",
    "Tier",
    "Trade",
]
