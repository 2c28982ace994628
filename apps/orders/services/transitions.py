"""The only place that changes the status of an order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from apps.core.errors import NotFound
from apps.core.events import Event
from apps.events.services import record_event
from apps.orders.contracts import (
    OrderAcknowledged,
    OrderCancelled,
    OrderCancelRequested,
    OrderExecuted,
    OrderExpired,
    OrderRejected,
    OrderSent,
    OrderStatus,
    OrderUnknown,
)
from apps.orders.domain.prices import average_price
from apps.orders.domain.states import Trigger, next_status
from apps.orders.models import Order, OrderEvent
from apps.risk.services import end_reservation, update_reservation

SAVED_FIELDS = (
    "status", "status_reason", "history_length", "venue_order_id", "filled_quantity", "filled_value", "cancel_requested_by", "updated_at",
)  # fmt: skip


def locked_order(order_id: UUID) -> Order:
    """The order with its row locked until the end of the transaction."""
    order = Order.objects.select_for_update(of=("self",)).select_related("instrument").filter(pk=order_id).first()
    if order is None:
        raise NotFound(f"There is no order {order_id}.", where="order_id")
    return order


def apply_trigger(order: Order, trigger: Trigger, *, at: datetime, actor: str = "executor", detail: str = "") -> OrderStatus:
    """Move a locked order through the transition table, with its history row, its event and what it reserves.

    The caller holds the row lock in a transaction and may have set the venue order id, the filled amounts or who asked for the cancel:
    they are saved here together. `at` is the venue's time. An illegal trigger raises Conflict and changes nothing.
    """
    before = OrderStatus(order.status)
    after = next_status(before, trigger)
    order.status = after
    order.status_reason = detail[:300]
    append_history(order, trigger, before=before, detail=detail)
    order.save(update_fields=SAVED_FIELDS)
    event = _EVENTS[trigger](order, detail, after)
    if event is not None:
        record_event(event, occurred_at=at, actor=actor, subject=str(order.id))
    if before.is_open and not after.is_open:
        end_reservation(order.id)
    elif trigger is Trigger.PARTIAL_FILL and after.is_open:
        update_reservation(order.id, order.quantity - order.filled_quantity)
    return after


def append_history(order: Order, trigger: str, *, before: OrderStatus | None, detail: str) -> None:
    """Store one step of the order's life; the caller saves the order itself."""
    order.history_length += 1
    OrderEvent.objects.create(
        order_id=order.id,
        sequence=order.history_length,
        trigger=trigger,
        from_status=before or "",
        to_status=order.status,
        detail=detail[:300],
    )


def _executed(order: Order) -> OrderExecuted:
    return OrderExecuted(
        order_id=order.id,
        client_order_id=order.client_order_id,
        account_id=order.account_id,
        instrument_id=order.instrument_id,
        symbol=order.instrument.symbol,
        side=order.side,
        quantity=order.filled_quantity,
        average_price=average_price(order.filled_value, order.filled_quantity),
    )


def _cancel_wish(order: Order, detail: str, after: OrderStatus) -> Event:
    if after is OrderStatus.CANCELLED:
        return OrderCancelled(order_id=order.id, client_order_id=order.client_order_id, reason=detail)
    return OrderCancelRequested(order_id=order.id, client_order_id=order.client_order_id, reason=detail)


_EVENTS: dict[Trigger, Callable[[Order, str, OrderStatus], Event | None]] = {
    Trigger.SEND: lambda order, _detail, _after: OrderSent(order_id=order.id, client_order_id=order.client_order_id),
    Trigger.SEND_AGAIN: lambda order, _detail, _after: OrderSent(order_id=order.id, client_order_id=order.client_order_id),
    Trigger.ACCEPT: lambda order, _detail, _after: OrderAcknowledged(
        order_id=order.id, client_order_id=order.client_order_id, venue_order_id=order.venue_order_id
    ),
    Trigger.REJECT: lambda order, detail, _after: OrderRejected(order_id=order.id, client_order_id=order.client_order_id, reason=detail),
    Trigger.LOSE_ANSWER: lambda order, detail, _after: OrderUnknown(
        order_id=order.id, client_order_id=order.client_order_id, reason=detail
    ),
    Trigger.REQUEST_CANCEL: _cancel_wish,
    Trigger.CANCEL: lambda order, detail, _after: OrderCancelled(order_id=order.id, client_order_id=order.client_order_id, reason=detail),
    Trigger.EXPIRE: lambda order, _detail, _after: OrderExpired(order_id=order.id, client_order_id=order.client_order_id),
    # Each fill records its own TradeExecuted.
    Trigger.PARTIAL_FILL: lambda _order, _detail, _after: None,
    Trigger.FILL: lambda order, _detail, _after: _executed(order),
}
