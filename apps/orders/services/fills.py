"""Storing what the broker says was traded: once each, in any order, with its booking, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from apps.core.errors import Conflict
from apps.core.ids import uuid7
from apps.core.ports import port
from apps.core.vocabulary import Side
from apps.markets.selectors import instrument_spec
from apps.orders.contracts import AmendmentStatus, FillRecord, TradeExecuted
from apps.orders.domain.states import fill_trigger
from apps.orders.models import Fill, FillCursor, Order
from apps.orders.ports import Broker, BrokerFill, FillSink
from apps.orders.services.evidence import take_working_states
from apps.orders.services.transitions import Transitions


def catch_up_fills(account_id: UUID, broker: Broker) -> int:
    """Read and store every fill after the account's cursor, in the caller's transaction. Returns how many were new."""
    cursor, _ = FillCursor.objects.select_for_update().get_or_create(account_id=account_id)
    stored = 0
    while page := broker.fills_since(cursor.sequence):
        _agree_on_amended(account_id, broker, page)
        stored += store_fills(account_id, page)
        cursor.sequence = page[-1].sequence
        cursor.save(update_fields=["sequence"])
    return stored


def _agree_on_amended(account_id: UUID, broker: Broker, page: Sequence[BrokerFill]) -> None:
    """A change whose answer is still out may have been made already: ask with what these orders work, before their fills are judged."""
    under_way = Order.objects.filter(
        account_id=account_id,
        client_order_id__in={fill.client_order_id for fill in page},
        amendments__status=AmendmentStatus.REQUESTED,
    )
    states = [broker.order_state(client_id) for client_id in under_way.values_list("client_order_id", flat=True)]
    take_working_states(account_id, [state for state in states if state is not None], at=page[0].occurred_at)


def store_fills(account_id: UUID, fills: Sequence[BrokerFill]) -> int:
    """Store the fills that are not known yet, move their orders and book them, in the caller's transaction. Returns how many were new.

    A fill of an order that is not ours, or one beyond the order's quantity, raises Conflict: nothing is stored, and the account stays shut
    until a person has looked.
    """
    client_ids = {fill.client_order_id for fill in fills}
    rows = Order.objects.select_for_update(of=("self",)).select_related("instrument")
    orders = {row.client_order_id: row for row in rows.filter(account_id=account_id, client_order_id__in=client_ids).order_by("id")}
    if unknown := client_ids - orders.keys():
        raise Conflict(
            f"The venue reports fills of orders that are not ours: {', '.join(sorted(unknown))}.",
            where="client_order_id",
            hint="Somebody trades this account by hand; nothing more is sent until it is settled.",
        )
    known = set(
        Fill.objects.filter(account_id=account_id, order__in=[row.id for row in orders.values()]).values_list(
            "order_id", "venue_order_id", "venue_trade_id"
        )
    )
    new: list[tuple[Order, BrokerFill]] = []
    for fill in fills:
        order = orders[fill.client_order_id]
        key = (order.id, fill.venue_order_id, fill.venue_trade_id)
        if key not in known:
            known.add(key)
            new.append((order, fill))
    _store_new(new)
    return len(new)


def _store_new(new: Sequence[tuple[Order, BrokerFill]]) -> None:
    transitions = Transitions()
    records = []
    for order, fill in new:
        trigger = fill_trigger(quantity=order.quantity, filled=order.filled_quantity, fill=fill.quantity)
        record = _record(order, fill)
        order.filled_quantity += fill.quantity
        order.filled_value += fill.quantity * fill.price
        order.venue_order_id = order.venue_order_id or fill.venue_order_id
        transitions.tell(_executed(record), order, at=fill.occurred_at)
        transitions.apply(order, trigger, at=fill.occurred_at, detail=f"{fill.quantity} at {fill.price} ({fill.reason})")
        records.append(record)
    Fill.objects.bulk_create([_row(record) for record in records])
    transitions.save()
    sink = port(FillSink)
    for record in records:
        sink.book_fill(record)


def _row(record: FillRecord) -> Fill:
    return Fill(
        id=record.id,
        order_id=record.order_id,
        account_id=record.account_id,
        instrument_id=record.instrument.id,
        side=record.side,
        quantity=record.quantity,
        price=record.price,
        fee=record.fee,
        fee_asset=record.fee_asset,
        liquidity=record.liquidity,
        reason=record.reason[:40],
        venue_order_id=record.venue_order_id,
        venue_trade_id=record.venue_trade_id,
        occurred_at=record.occurred_at,
    )


def _record(order: Order, fill: BrokerFill) -> FillRecord:
    return FillRecord(
        id=uuid7(),
        order_id=order.id,
        account_id=order.account_id,
        instrument=instrument_spec(order.instrument_id),
        side=Side(order.side),
        quantity=fill.quantity,
        price=fill.price,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        venue_order_id=fill.venue_order_id,
        venue_trade_id=fill.venue_trade_id,
        occurred_at=fill.occurred_at,
        liquidity=fill.liquidity,
        reason=fill.reason,
        origin_id=order.origin_id,
    )


def _executed(record: FillRecord) -> TradeExecuted:
    return TradeExecuted(
        fill_id=record.id,
        order_id=record.order_id,
        account_id=record.account_id,
        instrument_id=record.instrument.id,
        symbol=record.instrument.symbol,
        side=record.side,
        quantity=record.quantity,
        price=record.price,
        fee=record.fee,
        fee_asset=record.fee_asset,
        venue_trade_id=record.venue_trade_id,
    )
