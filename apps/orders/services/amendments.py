"""Wishes to change an order. An intent that has not left is changed at once; the rest is up to the venue and its answer."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.common.notify import Channel, notify
from apps.core.errors import Conflict, InvalidInput, Refused
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side, TradingMode
from apps.markets.selectors import instrument_spec
from apps.orders.contracts import OPEN_STATUSES, Amendment, AmendmentStatus, OrderStatus, OrderTerms
from apps.orders.domain.states import Trigger
from apps.orders.domain.terms import amended, asks_for_more
from apps.orders.domain.validation import check_order
from apps.orders.models import Order, OrderAmendment
from apps.orders.services.amending import amendment_of, set_terms
from apps.orders.services.reference import MarketReference, market_reference
from apps.orders.services.transitions import apply_trigger, locked_order
from apps.risk.contracts import OrderProposal
from apps.risk.services import assess_amendment


@transaction.atomic
def request_amend(*, order_id: UUID, amendment: Amendment, actor: str, now: datetime) -> OrderStatus:
    """Ask for other terms of an open order and return its status now; asking for what is asked for already changes nothing.

    Raises Conflict when it is too late or another change is under way, InvalidInput naming the field for what cannot be, and Refused with
    the risk check's sentence for what would add exposure that the gate does not allow.
    """
    order = locked_order(order_id)
    under_way = OrderAmendment.objects.filter(order=order, status=AmendmentStatus.REQUESTED).first()
    if under_way is not None and amendment_of(under_way) == amendment:
        return OrderStatus(order.status)
    _refuse_late(order, under_way)
    market = market_reference(instrument_spec(order.instrument_id))
    terms = _checked(order, amendment, market)
    if terms == order.terms:
        return OrderStatus(order.status)
    _ask_the_gate(order, terms, market, now=now)
    actor = actor[:150] or "system"
    if order.status == OrderStatus.PENDING:
        set_terms(order, amendment)
        return apply_trigger(order, Trigger.AMEND, at=market.market_at, actor=actor, detail=f"As asked by {actor}: {amendment.text}.")
    OrderAmendment.objects.create(order=order, requested_by=actor, **vars(amendment))
    status = apply_trigger(order, Trigger.REQUEST_AMEND, at=market.market_at, actor=actor, detail=f"By {actor}: {amendment.text}.")
    notify(Channel.INTENTS)
    return status


def _refuse_late(order: Order, under_way: OrderAmendment | None) -> None:
    if order.status not in OPEN_STATUSES:
        raise Conflict(f"The order is {order.status} and cannot be changed any more.", where="status", hint="Enter a new order.")
    if order.cancel_requested_by:
        raise Conflict("The order is being cancelled and cannot be changed any more.", where="status", hint="Enter a new order.")
    if under_way is not None:
        raise Conflict(
            f"Another change of the order is under way: {amendment_of(under_way).text}.",
            where="status",
            hint="Wait until the venue has answered, then ask again.",
        )


def _checked(order: Order, amendment: Amendment, market: MarketReference) -> OrderTerms:
    """The terms after the change; raises InvalidInput where they cannot be."""
    if amendment.is_empty:
        raise InvalidInput("The change names nothing to change.", where="quantity", hint="Give a quantity, a price or a trail.")
    terms = amended(order.terms, amendment)
    check_order(instrument_spec(order.instrument_id), terms, is_child=order.parent_id is not None, reference_price=market.last_close)
    if terms.quantity <= order.filled_quantity:
        raise InvalidInput(
            f"{order.filled_quantity} have filled already, so the quantity must be more than that.",
            where="quantity",
            hint="Cancel the order to stop it here.",
        )
    if order.parent is not None and not order.filled_quantity and terms.quantity > order.parent.quantity:
        raise InvalidInput(
            f"A child trades at most what its parent does, {order.parent.quantity}.", where="quantity", hint="Change the parent first."
        )
    return terms


def _ask_the_gate(order: Order, terms: OrderTerms, market: MarketReference, *, now: datetime) -> None:
    """Only what may use more than the order holds already is judged: lowering an order is never refused."""
    if not asks_for_more(order.terms, terms):
        return
    verdict = assess_amendment(_proposal(order, terms, market, instrument_spec(order.instrument_id)), now=now)
    failure = verdict.first_failure
    if failure is not None:
        raise Refused(failure.message, where=str(failure.code), hint="The order stays as it is.")


def _proposal(order: Order, terms: OrderTerms, market: MarketReference, instrument: InstrumentSpec) -> OrderProposal:
    """What may then still trade, as the gate judges it."""
    return OrderProposal(
        order_id=order.id,
        account_id=order.account_id,
        instrument=instrument,
        side=Side(order.side),
        order_type=OrderType(order.order_type),
        quantity=terms.quantity - order.filled_quantity,
        reference_price=market.last_close,
        previous_close=market.previous_close,
        data_at=market.data_at,
        is_reducing=order.is_reducing,
        mode=TradingMode(order.mode),
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
        data_age_bars=market.data_age_bars,
        origin_id=order.origin_id,
        is_manual=True,
        is_reduce_only=order.is_reduce_only,
        parent_quantity=_parent_quantity(order),
        has_relative_price=terms.is_relative,
        is_amendment=True,
    )


def _parent_quantity(order: Order) -> Decimal | None:
    """What the parent may trade, while the child still waits for it."""
    waits = order.parent is not None and order.status in (
        OrderStatus.PENDING,
        OrderStatus.WAITING,
        OrderStatus.SENDING,
        OrderStatus.UNKNOWN,
    )
    return order.parent.quantity if waits and order.parent is not None else None
