"""The only place that changes the status of an order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import connection

from apps.core.errors import NotFound
from apps.core.events import Event
from apps.events.services import NewEvent, record_events
from apps.orders.contracts import (
    OrderAcknowledged,
    OrderAmended,
    OrderAmendRefused,
    OrderAmendRequested,
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

_SAVE = """
    UPDATE orders_order AS stored SET
        status = new.status, status_reason = new.status_reason, history_length = new.history_length, venue_order_id = new.venue_order_id,
        filled_quantity = new.filled_quantity, filled_value = new.filled_value, cancel_requested_by = new.cancel_requested_by,
        quantity = new.quantity, limit_price = new.limit_price, stop_price = new.stop_price, trail_amount = new.trail_amount,
        trail_percent = new.trail_percent, updated_at = now()
    FROM unnest(
        %s::uuid[], %s::text[], %s::text[], %s::integer[], %s::text[], %s::numeric[], %s::numeric[], %s::text[],
        %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[]
    ) AS new(
        id, status, status_reason, history_length, venue_order_id, filled_quantity, filled_value, cancel_requested_by,
        quantity, limit_price, stop_price, trail_amount, trail_percent
    )
    WHERE stored.id = new.id
"""

_ASIDE = frozenset({Trigger.REQUEST_AMEND, Trigger.AMEND, Trigger.REFUSE_AMEND})
"""Steps that do not say why the order is in its status."""
_MAY_SHRINK = frozenset({Trigger.PARTIAL_FILL, Trigger.AMEND, Trigger.REFUSE_AMEND})


def locked_order(order_id: UUID) -> Order:
    """The order with its row locked until the end of the transaction."""
    order = Order.objects.select_for_update(of=("self",)).select_related("instrument").filter(pk=order_id).first()
    if order is None:
        raise NotFound(f"There is no order {order_id}.", where="order_id")
    return order


def apply_trigger(order: Order, trigger: Trigger, *, at: datetime, actor: str = "executor", detail: str = "") -> OrderStatus:
    """Move one locked order through the transition table and store it; see `Transitions`."""
    transitions = Transitions()
    status = transitions.apply(order, trigger, at=at, actor=actor, detail=detail)
    transitions.save()
    return status


class Transitions:
    """Steps of locked orders, stored together: their rows, their history, their events and what they reserve.

    The caller holds the row locks in a transaction and may have set the venue order id, the filled amounts, quantity and prices or who
    asked for a cancel on the order before `apply`: they are saved with it. Nothing is stored before `save`.
    """

    def __init__(self) -> None:
        self._orders: dict[UUID, Order] = {}
        self._history: list[OrderEvent] = []
        self._events: list[NewEvent] = []
        self._ended: list[UUID] = []
        self._shrunk: set[UUID] = set()

    def apply(self, order: Order, trigger: Trigger, *, at: datetime, actor: str = "executor", detail: str = "") -> OrderStatus:
        """Take one step; `at` is the venue's time. An illegal trigger raises Conflict and adds nothing."""
        before = OrderStatus(order.status)
        after = next_status(before, trigger)
        order.status = after
        if trigger not in _ASIDE:
            order.status_reason = detail[:300]
        self._history.append(history_step(order, trigger, before=before, detail=detail))
        event = _EVENTS[trigger](order, detail, after)
        if event is not None:
            self.tell(event, order, at=at, actor=actor)
        if before.is_open and not after.is_open:
            self._ended.append(order.id)
        elif trigger in _MAY_SHRINK and after.is_open:
            self._shrunk.add(order.id)
        self._orders[order.id] = order
        return after

    def tell(self, event: Event, order: Order, *, at: datetime, actor: str = "executor") -> None:
        """Record a further event about the order with the others."""
        self._events.append(NewEvent(event, occurred_at=at, actor=actor, subject=str(order.id)))

    def save(self) -> None:
        """Store everything applied; without a step nothing is written."""
        if not self._orders:
            return
        OrderEvent.objects.bulk_create(self._history)
        rows = [_saved_fields(order) for order in self._orders.values()]
        with connection.cursor() as cursor:
            cursor.execute(_SAVE, [list(column) for column in zip(*rows, strict=True)])
        record_events(self._events)
        for order_id in self._ended:
            end_reservation(order_id)
        for order_id in self._shrunk.difference(self._ended):
            update_reservation(order_id, self._orders[order_id].quantity - self._orders[order_id].filled_quantity)


def _saved_fields(order: Order) -> tuple[object, ...]:
    return (
        str(order.id),
        str(order.status),
        order.status_reason,
        order.history_length,
        order.venue_order_id,
        order.filled_quantity,
        order.filled_value,
        order.cancel_requested_by,
        order.quantity,
        order.limit_price,
        order.stop_price,
        order.trail_amount,
        order.trail_percent,
    )


def history_step(order: Order, trigger: str, *, before: OrderStatus | None, detail: str) -> OrderEvent:
    """The next step of the order's history, not stored yet; the caller stores it with the order."""
    order.history_length += 1
    return OrderEvent(
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
    # The venue has it; it says so again when the parent has filled.
    Trigger.WAIT: lambda order, _detail, _after: OrderAcknowledged(
        order_id=order.id, client_order_id=order.client_order_id, venue_order_id=order.venue_order_id
    ),
    Trigger.REQUEST_AMEND: lambda order, detail, _after: OrderAmendRequested(
        order_id=order.id, client_order_id=order.client_order_id, changes=detail
    ),
    Trigger.AMEND: lambda order, detail, _after: OrderAmended(
        order_id=order.id,
        client_order_id=order.client_order_id,
        quantity=order.quantity,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        trail_amount=order.trail_amount,
        trail_percent=order.trail_percent,
        reason=detail,
    ),
    Trigger.REFUSE_AMEND: lambda order, detail, _after: OrderAmendRefused(
        order_id=order.id, client_order_id=order.client_order_id, reason=detail
    ),
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
