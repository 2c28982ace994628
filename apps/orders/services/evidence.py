"""What a venue says of orders that it has: with what they work, that they opened, how they ended. Fills have their own way (`fills`).

Around the fills of the same moment the order matters: quantities first (a fill may complete an order that its group or its parent has made
smaller or larger), then fills, then ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.vocabulary import TradingMode
from apps.events.contracts import AlertLevel
from apps.events.services import raise_alert, record_event
from apps.orders.contracts import OPEN_STATUSES, Amendment, OrderCreated, OrderOrigin, OrderStatus
from apps.orders.domain.states import Trigger, is_legal
from apps.orders.models import Order
from apps.orders.ports import BrokerOrder, BrokerOrderState, VenueOrderStatus
from apps.orders.services.transitions import Transitions, history_step

_ENDED = {
    VenueOrderStatus.CANCELLED: Trigger.CANCEL,
    VenueOrderStatus.EXPIRED: Trigger.EXPIRE,
    VenueOrderStatus.REJECTED: Trigger.REJECT,
}


def differs(order: Order, state: BrokerOrderState) -> bool:
    """Whether the venue says something of the order that we have not stored."""
    is_opened = order.status == OrderStatus.WAITING and state.status is not VenueOrderStatus.WAITING
    return is_opened or not state.status.is_open or bool(_changes(order, state.terms))


def take_working_states(account_id: UUID, states: Sequence[BrokerOrderState], *, at: datetime) -> None:
    """Store the quantities and prices that orders work with, and that children have opened, in the caller's transaction."""
    _adopt(account_id, states, at=at)
    transitions = Transitions()
    for order, state in _paired(account_id, states):
        changes = _changes(order, state.terms)
        if changes and is_legal(OrderStatus(order.status), Trigger.AMEND):
            for name, value in changes.items():
                setattr(order, name, value)
            transitions.apply(order, Trigger.AMEND, at=at, detail=f"At the venue: {Amendment(**changes).text}.")
        if order.status == OrderStatus.WAITING and state.status is not VenueOrderStatus.WAITING and not _never_opened(state):
            transitions.apply(order, Trigger.ACCEPT, at=at, detail="Its parent has filled.")
    transitions.save()


def take_ended_states(account_id: UUID, states: Sequence[BrokerOrderState], *, at: datetime) -> None:
    """Store how orders ended without a further fill, in the caller's transaction."""
    ended = [state for state in states if state.status in _ENDED]
    transitions = Transitions()
    for order, state in _paired(account_id, ended):
        trigger = _ENDED[state.status]
        if order.status in OPEN_STATUSES and is_legal(OrderStatus(order.status), trigger):
            transitions.apply(order, trigger, at=at, detail=state.reason or f"The venue says {state.status}.")
    transitions.save()


def _adopt(account_id: UUID, states: Sequence[BrokerOrderState], *, at: datetime) -> None:
    """Record the orders that the venue made itself, so that their fills belong to something; once each."""
    made = {state.client_order_id: state for state in states if state.made_by_venue is not None}
    if not made:
        return
    known = Order.objects.filter(client_order_id__in=list(made)).values_list("client_order_id", flat=True)
    for client_id in sorted(made.keys() - set(known)):
        state, order = made[client_id], made[client_id].made_by_venue
        if order is not None:
            _record(account_id, order, state, at=at)


def _record(account_id: UUID, order: BrokerOrder, state: BrokerOrderState, *, at: datetime) -> None:
    """An order that works at the venue already. It only reduces, so it reserves nothing; the account's orders say in which mode it trades."""
    latest = Order.objects.filter(account_id=account_id).order_by("-id").values_list("mode", flat=True).first()
    row = Order(
        account_id=account_id,
        instrument_id=order.instrument_id,
        client_order_id=order.client_order_id,
        mode=latest or TradingMode.PAPER,
        side=order.side,
        status=OrderStatus.ACKNOWLEDGED,
        venue_order_id=state.venue_order_id,
        origin=OrderOrigin.VENUE,
        is_reducing=True,
        reason="The account could not carry the position any more; the venue closed it.",
        market_at=at,
        **vars(order.terms),
    )
    made = history_step(row, "CREATE", before=None, detail=row.reason)
    row.save(force_insert=True)
    made.save(force_insert=True)
    created = OrderCreated(
        order_id=row.id,
        client_order_id=row.client_order_id,
        account_id=account_id,
        instrument_id=order.instrument_id,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        quantity=order.quantity,
        limit_price=None,
        stop_price=None,
        origin=OrderOrigin.VENUE,
        origin_id=None,
        decision_id=None,
    )
    record_event(created, occurred_at=at, actor="venue", subject=str(row.id))
    raise_alert(
        AlertLevel.CRITICAL,
        f"{order.symbol} was liquidated",
        f"{order.side} {order.quantity} {order.symbol}: {row.reason}",
        actor="executor",
        subject=str(account_id),
    )


def _never_opened(state: BrokerOrderState) -> bool:
    """Whether the order ended without a trace of having worked."""
    return not state.status.is_open and state.status is not VenueOrderStatus.FILLED and not state.filled


def _changes(order: Order, terms: Amendment) -> dict[str, Decimal]:
    """What the venue works with and we have otherwise. Nothing of what has ended for us."""
    if order.status not in OPEN_STATUSES:
        return {}
    return {name: value for name, value in terms.values.items() if getattr(order, name) != value}


def _paired(account_id: UUID, states: Sequence[BrokerOrderState]) -> Iterable[tuple[Order, BrokerOrderState]]:
    """Our rows, locked, with what the venue says of them; an order whose answer was lost gets the venue's id with its first evidence."""
    if not states:
        return []
    by_id = {state.client_order_id: state for state in states}
    rows = Order.objects.select_for_update(of=("self",)).select_related("instrument").order_by("id")
    pairs = [(row, by_id[row.client_order_id]) for row in rows.filter(account_id=account_id, client_order_id__in=list(by_id))]
    for row, state in pairs:
        row.venue_order_id = row.venue_order_id or state.venue_order_id
    return pairs
