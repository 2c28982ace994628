"""Agreeing with the broker: at start (which is crash recovery) before anything is sent, and all the time for what is UNKNOWN.

UNKNOWN is left only by evidence:
- the broker knows the order: its state is taken over;
- "not found" twice, a grace period apart, at a venue whose look-up is final: the order provably never arrived, and is sent again;
- the same at any other venue: REJECTED as never arrived, and never sent again. A fill that comes later is booked all the same.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from apps.common.failpoints import failpoint
from apps.common.notify import Channel, notify
from apps.core.errors import Conflict
from apps.orders.contracts import OPEN_STATUSES, OrderStatus
from apps.orders.domain.states import Trigger
from apps.orders.models import Order
from apps.orders.ports import AccountRef, Broker, BrokerOrderState, VenueOrderStatus
from apps.orders.services.evidence import differs, take_ended_states, take_working_states
from apps.orders.services.fills import catch_up_fills
from apps.orders.services.ownership import Ownership
from apps.orders.services.sending import market_time, send
from apps.orders.services.transitions import apply_trigger, locked_order

log = structlog.get_logger(__name__)

GRACE_SECONDS = 60.0
FINAL_GRACE_SECONDS = 0.1
"""Between the two look-ups at a venue whose book is a table beside ours."""


@dataclass
class Lookups:
    """When each UNKNOWN order was first not found, on this process's monotonic clock."""

    first_missed_at: dict[UUID, float] = field(default_factory=dict)


def recover(account: AccountRef, broker: Broker, ownership: Ownership) -> None:
    """Make our books agree with the broker's; raises, and so keeps the account shut, when they cannot.

    SENDING becomes UNKNOWN, missed fills are stored, every open order takes over the broker's state, and an order at the venue that is
    not ours is an error.
    """
    with ownership.transaction():
        for order in _locked(account.id, OrderStatus.SENDING):
            apply_trigger(order, Trigger.LOSE_ANSWER, at=market_time(account), detail="The executor restarted while it was being sent.")
        catch_up_fills(account.id, broker)
    failpoint("executor.after_unknown_stored")
    reconcile(account, broker, ownership)


def reconcile(account: AccountRef, broker: Broker, ownership: Ownership) -> None:
    """Compare the open orders of both sides; raises Conflict when the venue has one that is not ours."""
    _refuse_foreign_orders(account, broker)
    for order in _open(account.id, OPEN_STATUSES - {OrderStatus.PENDING, OrderStatus.SENDING, OrderStatus.UNKNOWN}):
        state = broker.order_state(order.client_order_id)
        if state is not None and differs(order, state):
            take_over(order.id, state, account, broker, ownership)


def resolve_unknown(account: AccountRef, broker: Broker, ownership: Ownership, lookups: Lookups) -> int:
    """Look up every UNKNOWN order of the account and act on the evidence. Returns how many are still unknown."""
    left = 0
    for order in _open(account.id, {OrderStatus.UNKNOWN}):
        ownership.keep()
        state = broker.order_state(order.client_order_id)
        if state is not None:
            lookups.first_missed_at.pop(order.id, None)
            take_over(order.id, state, account, broker, ownership)
        elif _is_absent(order, broker, lookups):
            _settle_absent(order, account, broker, ownership)
        else:
            left += 1
    return left


def take_over(order_id: UUID, state: BrokerOrderState, account: AccountRef, broker: Broker, ownership: Ownership) -> None:
    """Store what the broker says of an order: that it is there, what it works with, what it traded, how it ended."""
    with ownership.transaction():
        at = market_time(account)
        order = locked_order(order_id)
        if order.status == OrderStatus.UNKNOWN and state.status is not VenueOrderStatus.REJECTED:
            order.venue_order_id = state.venue_order_id
            found = Trigger.WAIT if state.status is VenueOrderStatus.WAITING else Trigger.ACCEPT
            apply_trigger(order, found, at=at, detail="Found at the venue.")
        take_working_states(account.id, [state], at=at)
        catch_up_fills(account.id, broker)
        take_ended_states(account.id, [state], at=at)
        notify(Channel.ORDERS)


def _is_absent(order: Order, broker: Broker, lookups: Lookups) -> bool:
    """Whether this miss is the second, the grace period after the first."""
    now = time.monotonic()
    missed_at = lookups.first_missed_at.setdefault(order.id, now)
    grace = FINAL_GRACE_SECONDS if broker.is_lookup_final else GRACE_SECONDS
    if now == missed_at or now - missed_at < grace:
        return False
    del lookups.first_missed_at[order.id]
    return True


def _settle_absent(order: Order, account: AccountRef, broker: Broker, ownership: Ownership) -> None:
    trigger, detail = (
        (Trigger.SEND_AGAIN, "The venue has proven that it never arrived.")
        if broker.is_lookup_final
        else (Trigger.REJECT, "It never arrived: not found twice, a grace period apart.")
    )
    if order.cancel_requested_by:
        trigger, detail = Trigger.CANCEL, "It never arrived, and its cancel was requested."
    with ownership.transaction():
        row = locked_order(order.id)
        apply_trigger(row, trigger, at=market_time(account), detail=detail)
        notify(Channel.ORDERS)
    failpoint("executor.after_absence_stored")
    if trigger is Trigger.SEND_AGAIN:
        send([row], account, broker, ownership)


def _refuse_foreign_orders(account: AccountRef, broker: Broker) -> None:
    """An open order at the venue that we have no record of keeps the account shut: it would count for nobody's risk.

    One that has ended for us (it arrived after it was given up) is cancelled there: nothing is reserved for it, and a halt does not see it.
    """
    client_ids = {state.client_order_id for state in broker.open_orders()}
    ours = dict(Order.objects.filter(account_id=account.id, client_order_id__in=client_ids).values_list("client_order_id", "status"))
    for client_id, status in ours.items():
        if status not in OPEN_STATUSES:
            log.warning("ended_order_works_at_the_venue", order=client_id, status=status)
            broker.cancel(client_id)
    if foreign := client_ids - ours.keys():
        raise Conflict(
            f"Account {account.name} has orders at the venue that are not ours: {', '.join(sorted(foreign))}.",
            where=str(account.id),
            hint="Cancel them at the venue; nothing is sent for this account until then.",
        )


def _open(account_id: UUID, statuses: set[OrderStatus] | frozenset[OrderStatus]) -> list[Order]:
    return list(
        Order.objects.select_related("instrument", "parent").filter(account_id=account_id, status__in=sorted(statuses)).order_by("id")
    )


def _locked(account_id: UUID, status: OrderStatus) -> list[Order]:
    rows = Order.objects.select_for_update(of=("self",)).select_related("instrument")
    return list(rows.filter(account_id=account_id, status=status).order_by("id"))
