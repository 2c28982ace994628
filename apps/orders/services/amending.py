"""Carrying wishes to change an order to the broker, and storing its answer.

The wish is stored before the call and settled after it. After a crash between the two it is carried out again: values are absolute, so
the venue changes nothing twice, and what it works with is the evidence that decides.
"""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from django.db import DatabaseError, InterfaceError

from apps.common.failpoints import InjectedFault, failpoint
from apps.common.locks import Lock, held
from apps.common.notify import Channel, notify
from apps.core.errors import OwnershipLost
from apps.orders.contracts import AT_THE_VENUE, OPEN_STATUSES, Amendment, AmendmentStatus, OrderStatus
from apps.orders.domain.states import Trigger, is_legal
from apps.orders.domain.terms import amended
from apps.orders.models import Order, OrderAmendment
from apps.orders.ports import AccountRef, AmendAnswer, AmendOutcome, Broker
from apps.orders.services.fills import catch_up_fills
from apps.orders.services.ownership import Ownership
from apps.orders.services.sending import market_time
from apps.orders.services.transitions import apply_trigger, locked_order
from apps.risk.selectors import active_halt

log = structlog.get_logger(__name__)


def carry_out_amendments(account: AccountRef, broker: Broker, ownership: Ownership) -> int:
    """Ask the broker for every change that is wished for and possible now. Returns how many were settled."""
    rows = OrderAmendment.objects.select_related("order").filter(order__account_id=account.id, status=AmendmentStatus.REQUESTED)
    settled = 0
    for wish in rows.order_by("id"):
        ownership.keep()
        if wish.order.status in AT_THE_VENUE:
            settled += _amend(wish, account, broker, ownership)
        elif wish.order.status not in OPEN_STATUSES:
            _settle(wish, AmendAnswer(AmendOutcome.REFUSED, f"The order is {wish.order.status}."), account, broker, ownership)
            settled += 1
    return settled


def _amend(wish: OrderAmendment, account: AccountRef, broker: Broker, ownership: Ownership) -> bool:
    """Ask the halt last, as before a send, and hold it off until the answer is stored."""
    with held(Lock.HALT, shared=True):
        halt = active_halt(account.id)
        ownership.check()
        if halt is not None and not wish.order.is_reducing:
            answer = AmendAnswer(AmendOutcome.REFUSED, f"Halted: {halt.reason}")
        else:
            answer = _ask(wish, broker)
        failpoint("executor.after_amend_sent")
        if answer.outcome is not AmendOutcome.UNCERTAIN:
            _settle(wish, answer, account, broker, ownership)
    return answer.outcome is not AmendOutcome.UNCERTAIN


def _ask(wish: OrderAmendment, broker: Broker) -> AmendAnswer:
    """Call the broker once; whatever goes wrong leaves the wish as it is, to be carried out again."""
    try:
        return broker.amend(wish.order.client_order_id, amendment_of(wish))
    except (DatabaseError, InterfaceError, InjectedFault, OwnershipLost):
        raise
    except Exception as error:
        log.exception("amend_uncertain", order=wish.order.client_order_id)
        return AmendAnswer(AmendOutcome.UNCERTAIN, reason=f"No answer: {error}")


def _settle(wish: OrderAmendment, answer: AmendAnswer, account: AccountRef, broker: Broker, ownership: Ownership) -> None:
    """Store the answer with what the venue works with. What it works with decides: a change whose answer was lost has been made."""
    state = broker.order_state(wish.order.client_order_id)
    amendment, at = amendment_of(wish), market_time(account)
    is_made = answer.outcome is AmendOutcome.CONFIRMED or (state is not None and amendment.values.items() <= state.terms.values.items())
    with ownership.transaction():
        order = locked_order(wish.order_id)
        if not is_made:
            apply_trigger(order, Trigger.REFUSE_AMEND, at=at, actor=wish.requested_by, detail=answer.reason)
        elif is_legal(OrderStatus(order.status), Trigger.AMEND):
            set_terms(order, amendment)
            apply_trigger(order, Trigger.AMEND, at=at, actor=wish.requested_by, detail=f"As asked: {amendment.text}.")
        wish.status = AmendmentStatus.CONFIRMED if is_made else AmendmentStatus.REFUSED
        wish.reason = "" if is_made else answer.reason[:300]
        wish.settled_at = datetime.now(UTC)
        wish.save(update_fields=["status", "reason", "settled_at"])
        catch_up_fills(account.id, broker)
        notify(Channel.ORDERS)


def set_terms(order: Order, amendment: Amendment) -> None:
    """Give the row what an amendment changes; the caller stores it."""
    after = amended(order.terms, amendment)
    for name in ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent"):
        setattr(order, name, getattr(after, name))


def amendment_of(row: OrderAmendment) -> Amendment:
    """The stored wish as a value."""
    return Amendment(row.quantity, row.limit_price, row.stop_price, row.trail_amount, row.trail_percent)
