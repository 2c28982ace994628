"""What must hold of the engine's records at any moment: the list under "The books" of the engine's note, and what an order may never do.

Records are plain, so that a simulation, a stored run and an oracle can all be checked. Every function returns what is broken, in words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.orders.domain.engine_codes import BUY, NO_ROW, PPM, EngineOrderState, EngineOrderType
from apps.portfolio.domain.ledger_codes import LedgerColumn


@dataclass(frozen=True)
class PlaceRecord:
    """An instrument, its position and its last price."""

    tick: int
    max_price: int
    cash_per_price_lot: int
    currency: int
    allows_short: bool
    initial_ppm: int
    position: int
    mark: int


@dataclass(frozen=True)
class OrderRecord:
    row: int
    place: int
    side: int
    type: int
    state: int
    reduce_only: bool
    lots: int
    filled: int
    limit: int
    value: int
    fee: int


@dataclass(frozen=True)
class FillRecord:
    order: int
    place: int
    at: int
    side: int
    lots: int
    price: int
    value: int
    fee: int


@dataclass(frozen=True)
class HoldingRecord:
    """What the ledger keeps of an instrument."""

    lots: int
    cost: int
    realised: int
    fees: int


@dataclass(frozen=True)
class EntryRecord:
    """An amount in a column; assets are the currencies, then the instruments."""

    fill: int
    column: int
    asset: int
    amount: int


@dataclass(frozen=True)
class Records:
    """Everything that one account left."""

    places: Sequence[PlaceRecord]
    rates: Sequence[int]
    opening: Sequence[int]
    cash: Sequence[int]
    orders: Sequence[OrderRecord]
    fills: Sequence[FillRecord]
    holdings: Sequence[HoldingRecord]
    entries: Sequence[EntryRecord]
    new_from: int = 0
    """The first fill since the orders were last changed: only these are judged by the limits that the orders have now."""


def check_records(records: Records) -> list[str]:
    """Every broken invariant in words; an empty list where all hold."""
    return [
        *_rows_sum_to_zero(records),
        *_cash_is_opening_plus_rows(records),
        *_positions_are_fills_and_rows(records),
        *_profit_explains_equity(records),
        *_fills_are_exact(records),
        *_orders_are_their_fills(records),
        *_new_fills_respect_limits(records),
        *_fills_respect_positions(records),
        *_cash_is_never_overdrawn(records),
    ]


def _rows_sum_to_zero(records: Records) -> Iterable[str]:
    totals: Counter[tuple[int, int]] = Counter()
    for row in records.entries:
        totals[row.fill, row.asset] += row.amount
    return [f"the rows of fill {fill} sum to {total} of asset {asset}" for (fill, asset), total in totals.items() if total]


def _cash_is_opening_plus_rows(records: Records) -> Iterable[str]:
    booked: Counter[int] = Counter()
    for row in records.entries:
        if row.column == LedgerColumn.CASH:
            booked[row.asset] += row.amount
    for currency, (opening, cash) in enumerate(zip(records.opening, records.cash, strict=True)):
        if opening + booked[currency] != cash:
            yield f"cash {currency} is {cash}, its rows say {opening + booked[currency]}"


def _positions_are_fills_and_rows(records: Records) -> Iterable[str]:
    filled: Counter[int] = Counter()
    booked: Counter[int] = Counter()
    for fill in records.fills:
        filled[fill.place] += fill.side * fill.lots
    for row in records.entries:
        if row.column == LedgerColumn.HOLDINGS:
            booked[row.asset - len(records.cash)] += row.amount
    for number, (place, holding) in enumerate(zip(records.places, records.holdings, strict=True)):
        if not place.position == filled[number] == booked[number] == holding.lots:
            yield f"position {number}: {place.position}, fills {filled[number]}, rows {booked[number]}, ledger {holding.lots}"


def _profit_explains_equity(records: Records) -> Iterable[str]:
    """realised + open profit - fees = equity - opening, in each currency."""
    profit: Counter[int] = Counter()
    value: Counter[int] = Counter()
    for place, holding in zip(records.places, records.holdings, strict=True):
        worth = place.position * place.mark * place.cash_per_price_lot
        value[place.currency] += worth
        profit[place.currency] += holding.realised + worth - holding.cost - holding.fees
    for currency, (opening, cash) in enumerate(zip(records.opening, records.cash, strict=True)):
        if profit[currency] != cash + value[currency] - opening:
            yield f"profit in currency {currency} is {profit[currency]}, equity rose by {cash + value[currency] - opening}"


def _fills_are_exact(records: Records) -> Iterable[str]:
    for number, fill in enumerate(records.fills):
        place = records.places[fill.place]
        if fill.lots <= 0 or fill.fee < 0:
            yield f"fill {number} has {fill.lots} lots and a fee of {fill.fee}"
        if fill.value != fill.lots * fill.price * place.cash_per_price_lot:
            yield f"fill {number} is worth {fill.value}"
        if fill.price % place.tick or not place.tick <= fill.price <= place.max_price:
            yield f"fill {number} is at {fill.price}, off the tick or out of bounds"
        if number and fill.at < records.fills[number - 1].at and fill.place == records.fills[number - 1].place:
            yield f"fill {number} is before the one it follows"


def _orders_are_their_fills(records: Records) -> Iterable[str]:
    by_order: dict[int, list[FillRecord]] = defaultdict(list)
    for fill in records.fills:
        by_order[fill.order].append(fill)
    for order in records.orders:
        fills = by_order.get(order.row, [])
        sums = (
            (sum(fill.lots for fill in fills), sum(fill.value for fill in fills), sum(fill.fee for fill in fills)) if fills else (0, 0, 0)
        )
        if sums != (order.filled, order.value, order.fee):
            yield f"order {order.row} says {(order.filled, order.value, order.fee)}, its fills {sums}"
        if (order.state == EngineOrderState.FILLED and order.filled != order.lots) or order.filled > max(order.lots, 0):
            yield f"order {order.row} filled {order.filled} of {order.lots} in state {order.state}"
        if order.state in {EngineOrderState.WAITING, EngineOrderState.REFUSED} and fills:
            yield f"order {order.row} filled in state {order.state}"
        if any(fill.side != order.side or fill.place != order.place for fill in fills):
            yield f"order {order.row} filled on another side or instrument"


def _new_fills_respect_limits(records: Records) -> Iterable[str]:
    orders = {order.row: order for order in records.orders if order.type in {EngineOrderType.LIMIT, EngineOrderType.STOP_LIMIT}}
    for number, fill in enumerate(records.fills[records.new_from :], records.new_from):
        order = orders.get(fill.order)
        if order is not None and order.side * (fill.price - order.limit) > 0:
            yield f"fill {number} is at {fill.price}, beyond the limit {order.limit} of order {order.row}"


def _fills_respect_positions(records: Records) -> Iterable[str]:
    """Reduce-only exits never exceed the position, and nobody is short where it is not allowed."""
    position: Counter[int] = Counter()
    reduces = {order.row for order in records.orders if order.reduce_only} | {NO_ROW}
    for number, fill in enumerate(records.fills):
        held = position[fill.place]
        if fill.order in reduces and (held * fill.side >= 0 or fill.lots > abs(held)):
            yield f"fill {number} reduces {held} lots by {fill.side * fill.lots}"
        position[fill.place] += fill.side * fill.lots
        if position[fill.place] < 0 and not records.places[fill.place].allows_short:
            yield f"fill {number} leaves {position[fill.place]} lots where shorts are not allowed"


def _cash_is_never_overdrawn(records: Records) -> Iterable[str]:
    """Where everything is paid in full in one currency, free cash is cash: a purchase never leaves it negative."""
    if len(records.cash) > 1 or any(place.initial_ppm != PPM or place.allows_short for place in records.places):
        return
    cash = records.opening[0]
    for number, fill in enumerate(records.fills):
        cash -= fill.side * fill.value + fill.fee
        if fill.side == BUY and cash < 0:
            yield f"fill {number} leaves {cash} of cash"
