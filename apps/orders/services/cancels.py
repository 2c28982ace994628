"""Wishes to cancel. An intent that never left is cancelled at once; the rest is up to the venue and its evidence."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.common.notify import Channel, notify
from apps.markets.selectors import venue
from apps.orders.contracts import OPEN_STATUSES, OrderStatus
from apps.orders.domain.states import Trigger
from apps.orders.models import Order
from apps.orders.services.transitions import apply_trigger, locked_order


@transaction.atomic
def request_cancel(*, order_id: UUID, actor: str, reason: str) -> OrderStatus:
    """Ask for an order's cancel and return its status now. Asking again, or asking for an order that has ended, changes nothing."""
    order = locked_order(order_id)
    if order.status not in OPEN_STATUSES or order.cancel_requested_by:
        return OrderStatus(order.status)
    order.cancel_requested_by = actor[:150] or "system"
    status = apply_trigger(
        order, Trigger.REQUEST_CANCEL, at=venue(order.instrument.venue_id).now_at, actor=order.cancel_requested_by, detail=reason
    )
    if status is OrderStatus.CANCELLED:
        _cancel_children(order)
    notify(Channel.INTENTS)
    return status


def _cancel_children(order: Order) -> None:
    """The intents that waited for one that never left go with it."""
    rows = Order.objects.select_for_update(of=("self",)).select_related("instrument")
    for child in rows.filter(parent=order, status=OrderStatus.PENDING).order_by("id"):
        request_cancel(order_id=child.id, actor=order.cancel_requested_by, reason="The order it waited for was cancelled.")


def request_cancel_all(*, account_id: UUID, actor: str, reason: str) -> int:
    """Ask for the cancel of every open order of the account, each in its own transaction; returns how many were open."""
    order_ids = list(Order.objects.filter(account_id=account_id, status__in=OPEN_STATUSES).order_by("id").values_list("id", flat=True))
    for order_id in order_ids:
        request_cancel(order_id=order_id, actor=actor, reason=reason)
    return len(order_ids)
