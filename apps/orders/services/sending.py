"""Step 4 of the spine: claim intents, store SENDING, ask the halt last, call the broker, store the answer.

| moment of a crash | found after the restart | what follows |
|---|---|---|
| before SENDING is committed | PENDING | claimed as if nothing had been |
| after that, before the venue has the order | SENDING -> UNKNOWN, venue does not know it | sent again if the look-up is final, else REJECTED after the grace period |
| after the venue has it, before its answer is stored | SENDING -> UNKNOWN, venue knows it | ACKNOWLEDGED by that evidence, never sent again |
| after the answer is stored | the answer | nothing |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from django.db import DatabaseError, InterfaceError
from django.db.models import Q

from apps.common.failpoints import InjectedFault, failpoint
from apps.common.locks import Lock, held
from apps.common.notify import Channel, notify
from apps.core.errors import OwnershipLost
from apps.core.vocabulary import Side, TradingMode
from apps.markets.selectors import venue
from apps.orders.contracts import OPEN_STATUSES, UNSETTLED_STATUSES, OrderStatus
from apps.orders.domain.states import Trigger
from apps.orders.models import Order
from apps.orders.ports import AccountRef, Broker, BrokerOrder, PlaceAnswer, PlaceOutcome
from apps.orders.services.ownership import Ownership
from apps.orders.services.transitions import Transitions
from apps.risk.contracts import HaltView
from apps.risk.selectors import active_halt, live_refusal

log = structlog.get_logger(__name__)

CLAIM_AT_MOST = 16
_OUTCOME_TRIGGERS = {
    PlaceOutcome.ACCEPTED: Trigger.ACCEPT,
    PlaceOutcome.REJECTED: Trigger.REJECT,
    PlaceOutcome.UNCERTAIN: Trigger.LOSE_ANSWER,
}


def send_intents(account: AccountRef, broker: Broker, ownership: Ownership) -> int:
    """Claim the oldest intents of the account and send them. Returns how many were claimed.

    At a venue beside our tables several go in one hold of the halt's lock; over a network each is sent and stored by itself. A child is
    claimed once the venue has answered about its parent; for that there is a second round, so that no bar comes between the two.
    """
    sent = 0
    for _ in range(2):
        claimed = _claim(account, ownership, limit=CLAIM_AT_MOST if broker.is_lookup_final else 1)
        if not claimed:
            break
        failpoint("executor.after_sending_stored")
        send(claimed, account, broker, ownership)
        failpoint("executor.between_parents_and_children")
        sent += len(claimed)
    return sent


def _claim(account: AccountRef, ownership: Ownership, *, limit: int) -> list[Order]:
    with ownership.transaction():
        rows = Order.objects.select_for_update(of=("self",), skip_locked=True).select_related("instrument", "parent")
        ready = Q(parent=None) | ~Q(parent__status__in=UNSETTLED_STATUSES)
        claimed = list(rows.filter(ready, account_id=account.id, status=OrderStatus.PENDING).order_by("id")[:limit])
        transitions, at = Transitions(), market_time(account)
        for order in claimed:
            transitions.apply(order, Trigger.SEND, at=at)
        transitions.save()
        failpoint("executor.before_sending_stored")
    return claimed


def send(orders: Sequence[Order], account: AccountRef, broker: Broker, ownership: Ownership) -> None:
    """Send orders that are stored as SENDING, holding HALT shared, and store what came of them."""
    with held(Lock.HALT, shared=True):
        halt = active_halt(account.id)
        ownership.check()
        failpoint("executor.before_place")
        answers = [(order, *_answer(order, account, broker, halt)) for order in orders]
        failpoint("executor.after_place")
        _store(answers, account, ownership)
    failpoint("executor.after_answer_stored")


def _answer(order: Order, account: AccountRef, broker: Broker, halt: HaltView | None) -> tuple[Trigger, PlaceAnswer]:
    refusal = _refusal(order, account, halt)
    if refusal:
        return Trigger.CANCEL, PlaceAnswer(PlaceOutcome.REJECTED, reason=refusal)
    answer = _place(order, broker)
    return (Trigger.WAIT if answer.is_waiting else _OUTCOME_TRIGGERS[answer.outcome]), answer


def _refusal(order: Order, account: AccountRef, halt: HaltView | None) -> str:
    """Why the order may not leave after all; empty if it may. Reducing orders pass a halt."""
    if not account.is_open:
        return "The account is closed."
    if order.parent is not None and not order.parent.filled_quantity and order.parent.status not in OPEN_STATUSES:
        return "The order it waited for has ended without a fill."
    if halt is not None and not order.is_reducing:
        return f"Halted: {halt.reason}"
    if TradingMode.LIVE in (order.mode, account.mode):
        return live_refusal()
    return ""


def _place(order: Order, broker: Broker) -> PlaceAnswer:
    """Call the broker once. Whatever goes wrong in the call leaves the outcome uncertain; a lost database or lease is the daemon's matter."""
    try:
        return broker.place(to_broker_order(order))
    except (DatabaseError, InterfaceError, InjectedFault, OwnershipLost):
        raise
    except Exception as error:
        log.exception("place_uncertain", order=order.client_order_id)
        return PlaceAnswer(PlaceOutcome.UNCERTAIN, reason=f"No answer: {error}")


def _store(answers: Sequence[tuple[Order, Trigger, PlaceAnswer]], account: AccountRef, ownership: Ownership) -> None:
    with ownership.transaction():
        found = Order.objects.select_for_update(of=("self",)).select_related("instrument").order_by("id")
        rows = {row.id: row for row in found.filter(id__in=[order.id for order, _, _ in answers])}
        transitions, at = Transitions(), market_time(account)
        for order, trigger, answer in answers:
            row = rows[order.id]
            row.venue_order_id = answer.venue_order_id or row.venue_order_id
            transitions.apply(row, trigger, at=at, detail=answer.reason)
        transitions.save()
        notify(Channel.ORDERS)


def to_broker_order(order: Order) -> BrokerOrder:
    """The order as it is sent. Whatever is meant to reduce is reduce-only at the venue: exits that rest together never turn a position."""
    return BrokerOrder(
        client_order_id=order.client_order_id,
        instrument_id=order.instrument_id,
        symbol=order.instrument.symbol,
        side=Side(order.side),
        parent_client_order_id=order.parent.client_order_id if order.parent else "",
        group_id=order.group_id,
        **vars(replace(order.terms, is_reduce_only=order.is_reduce_only or order.is_reducing)),
    )


def market_time(account: AccountRef) -> datetime:
    """The time of the account's venue now."""
    return venue(account.venue_id).now_at
