"""Booking a trade into a position: average cost, exact integers (lots and cash units), long, short and through zero."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


@dataclass(frozen=True)
class Holding:
    """A position in lots and cash units. `cost` is signed like the lots; a trip runs from flat to flat (or through zero)."""

    lots: int = 0
    cost: int = 0
    realised: int = 0
    fees: int = 0
    trip_lots: int = 0
    """Lots that the current trip has entered, signed."""
    trip_realised: int = 0
    trip_fees: int = 0
    trip_entry_value: int = 0
    """What the lots of the current trip were entered at, positive."""


@dataclass(frozen=True)
class Trade:
    """Lots bought (positive) or sold, the cash units that one lot is worth at the trade's price, and the fee in cash units."""

    lots: int
    value_per_lot: int
    fee: int


@dataclass(frozen=True)
class RoundTrip:
    """A closed trade: lots that were entered (signed), realised P&L before fees, fees, and the value at entry (positive), in cash units.

    The value at exit is entry_value + realised for a long trip, entry_value - realised for a short one.
    """

    lots: int
    realised: int
    fees: int
    entry_value: int


class Change(StrEnum):
    """What a trade did to the position."""

    OPENED = "OPENED"
    CHANGED = "CHANGED"
    CLOSED = "CLOSED"
    FLIPPED = "FLIPPED"


@dataclass(frozen=True)
class Booking:
    """The position after a trade, what changed, and the round trip that it closed, if it did."""

    holding: Holding
    change: Change
    closed: RoundTrip | None


def book_trade(holding: Holding, trade: Trade) -> Booking:
    """Apply a trade of a non-zero number of lots.

    Adding adds to the cost. Closing part takes cost in proportion, rounded toward zero to the cash unit, so that what rounding leaves stays in
    the cost and the last close takes all of it: cost - realised is always exactly what was paid.
    """
    if holding.lots * trade.lots >= 0:
        change = Change.CHANGED if holding.lots else Change.OPENED
        return Booking(_extend(holding, trade), change, None)
    closing = min(abs(holding.lots), abs(trade.lots))
    fee = trade.fee * closing // abs(trade.lots)
    after = _reduce(holding, closing=closing, value_per_lot=trade.value_per_lot, fee=fee)
    if after.lots:
        return Booking(after, Change.CHANGED, None)
    closed = RoundTrip(after.trip_lots, after.trip_realised, after.trip_fees, after.trip_entry_value)
    flat = replace(after, trip_lots=0, trip_realised=0, trip_fees=0, trip_entry_value=0)
    rest = abs(trade.lots) - closing
    if not rest:
        return Booking(flat, Change.CLOSED, closed)
    remainder = Trade(_sign(trade.lots) * rest, trade.value_per_lot, trade.fee - fee)
    return Booking(_extend(flat, remainder), Change.FLIPPED, closed)


def _extend(holding: Holding, trade: Trade) -> Holding:
    return replace(
        holding,
        lots=holding.lots + trade.lots,
        cost=holding.cost + trade.lots * trade.value_per_lot,
        fees=holding.fees + trade.fee,
        trip_lots=holding.trip_lots + trade.lots,
        trip_entry_value=holding.trip_entry_value + abs(trade.lots) * trade.value_per_lot,
        trip_fees=holding.trip_fees + trade.fee,
    )


def _reduce(holding: Holding, *, closing: int, value_per_lot: int, fee: int) -> Holding:
    direction = _sign(holding.lots)
    released = _sign(holding.cost) * (abs(holding.cost) * closing // abs(holding.lots))
    realised = direction * closing * value_per_lot - released
    return replace(
        holding,
        lots=holding.lots - direction * closing,
        cost=holding.cost - released,
        realised=holding.realised + realised,
        fees=holding.fees + fee,
        trip_realised=holding.trip_realised + realised,
        trip_fees=holding.trip_fees + fee,
    )


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
