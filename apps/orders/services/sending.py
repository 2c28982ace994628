"""Step 4 of the spine: claim intents, store SENDING, ask the halt last, call the broker, store the answer.

| moment of a crash | found after the restart | what follows |
|---|---|---|
| before SENDING is committed | PENDING | claimed as if nothing had been |
| after that, before the venue has the order | SENDING -> UNKNOWN, venue does not know it | sent again if the look-up is final, else REJECTED after the grace period |
| after the venue has it, before its answer is stored | SENDING -> UNKNOWN, venue knows it | ACKNOWLEDGED by that evidence, never sent again |
| after the answer is stored | the answer | nothing |
"""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import DatabaseError, InterfaceError

from apps.common.failpoints import InjectedFault, failpoint
from apps.common.locks import Lock, held
from apps.common.notify import Channel, notify
from apps.core.vocabulary import OrderType, Side, TimeInForce, TradingMode
from apps.markets.selectors import venue
from apps.orders.contracts import OrderStatus
from apps.orders.domain.states import Trigger
from apps.orders.models import Order
from apps.orders.ports import AccountRef, Broker, BrokerOrder, PlaceAnswer, PlaceOutcome
from apps.orders.services.ownership import Ownership
from apps.orders.services.transitions import apply_trigger, locked_order
from apps.risk.selectors import active_halt, live_refusal

log = structlog.get_logger(__name__)

CLAIM_AT_MOST = 16
_OUTCOME_TRIGGERS = {
    PlaceOutcome.ACCEPTED: Trigger.ACCEPT,
    PlaceOutcome.REJECTED: Trigger.REJECT,
    PlaceOutcome.UNCERTAIN: Trigger.LOSE_ANSWER,
}


def send_intents(account: AccountRef, broker: Broker, ownership: Ownership) -> int:
    """Claim the oldest intents of the account and send them one by one. Returns how many were claimed."""
    claimed = _claim(account, ownership)
    failpoint("executor.after_sending_stored")
    for order in claimed:
        ownership.keep()
        send(order, account, broker, ownership)
    return len(claimed)


def _claim(account: AccountRef, ownership: Ownership) -> list[Order]:
    if not Order.objects.filter(account_id=account.id, status=OrderStatus.PENDING).exists():
        return []
    with ownership.transaction():
        rows = Order.objects.select_for_update(of=("self",), skip_locked=True).select_related("instrument")
        claimed = list(rows.filter(account_id=account.id, status=OrderStatus.PENDING).order_by("id")[:CLAIM_AT_MOST])
        now_at = venue(account.venue_id).now_at
        for order in claimed:
            apply_trigger(order, Trigger.SEND, at=now_at)
        failpoint("executor.before_sending_stored")
    return claimed


def send(order: Order, account: AccountRef, broker: Broker, ownership: Ownership) -> None:
    """Send one order that is stored as SENDING, holding HALT shared, and store what came of it."""
    with held(Lock.HALT, shared=True):
        refusal = _refusal(order, account)
        if refusal:
            _store(order, Trigger.CANCEL, account, ownership, detail=refusal)
            return
        ownership.check()
        failpoint("executor.before_place")
        answer = _place(order, broker)
        failpoint("executor.after_place")
        _store(order, _OUTCOME_TRIGGERS[answer.outcome], account, ownership, detail=answer.reason, venue_order_id=answer.venue_order_id)
    failpoint("executor.after_answer_stored")


def _refusal(order: Order, account: AccountRef) -> str:
    """Why the order may not leave after all; empty if it may. Reducing orders pass a halt."""
    if not order.is_reducing:
        halt = active_halt(account.id)
        if halt is not None:
            return f"Halted: {halt.reason}"
    if TradingMode.LIVE in (order.mode, account.mode):
        return live_refusal()
    return ""


def _place(order: Order, broker: Broker) -> PlaceAnswer:
    """Call the broker once. Whatever goes wrong in the call leaves the outcome uncertain; a lost database is the daemon's matter."""
    try:
        return broker.place(to_broker_order(order))
    except (DatabaseError, InterfaceError, InjectedFault):
        raise
    except Exception as error:
        log.exception("place_uncertain", order=order.client_order_id)
        return PlaceAnswer(PlaceOutcome.UNCERTAIN, reason=f"No answer: {error}")


def _store(order: Order, trigger: Trigger, account: AccountRef, ownership: Ownership, *, detail: str, venue_order_id: str = "") -> None:
    with ownership.transaction():
        row = locked_order(order.id)
        row.venue_order_id = venue_order_id or row.venue_order_id
        apply_trigger(row, trigger, at=market_time(row), detail=detail)
        notify(Channel.ORDERS)


def to_broker_order(order: Order) -> BrokerOrder:
    """The order as it is sent."""
    return BrokerOrder(
        client_order_id=order.client_order_id,
        instrument_id=order.instrument_id,
        symbol=order.instrument.symbol,
        side=Side(order.side),
        order_type=OrderType(order.order_type),
        time_in_force=TimeInForce(order.time_in_force),
        quantity=order.quantity,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
    )


def market_time(order: Order) -> datetime:
    """The time of the order's venue now."""
    return venue(order.instrument.venue_id).now_at
