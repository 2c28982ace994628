"""Step 3 of the executor: carrying wishes to cancel to the broker, and storing its evidence. Repeating a cancel is harmless.

The children of an order that is cancelled before it filled go with it at the venue; their evidence is stored too.
"""

from __future__ import annotations

from apps.common.failpoints import failpoint
from apps.orders.contracts import AT_THE_VENUE, OrderStatus
from apps.orders.domain.states import Trigger
from apps.orders.models import Order
from apps.orders.ports import AccountRef, Broker
from apps.orders.services.ownership import Ownership
from apps.orders.services.reconciliation import take_over
from apps.orders.services.sending import market_time
from apps.orders.services.transitions import apply_trigger, locked_order


def carry_out_cancels(account: AccountRef, broker: Broker, ownership: Ownership) -> int:
    """Cancel at the broker what somebody wants cancelled and the venue has. Returns how many were asked for."""
    wanted = list(Order.objects.filter(account_id=account.id, status__in=AT_THE_VENUE).exclude(cancel_requested_by="").order_by("id"))
    for order in wanted:
        ownership.keep()
        _cancel(order, account, broker, ownership)
    return len(wanted)


def _cancel(order: Order, account: AccountRef, broker: Broker, ownership: Ownership) -> None:
    if order.status != OrderStatus.CANCEL_PENDING:
        with ownership.transaction():
            row = locked_order(order.id)
            if row.status not in AT_THE_VENUE:
                return
            apply_trigger(row, Trigger.REQUEST_CANCEL, at=market_time(account), actor=row.cancel_requested_by, detail=row.status_reason)
    broker.cancel(order.client_order_id)
    failpoint("executor.after_cancel_sent")
    for row in [order, *Order.objects.filter(parent=order, status__in=AT_THE_VENUE).order_by("id")]:
        state = broker.order_state(row.client_order_id)
        if state is not None and not state.status.is_open:
            take_over(row.id, state, account, broker, ownership)
