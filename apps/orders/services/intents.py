"""Recording intents: an approved order becomes a PENDING row, and nothing has left yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.common.notify import Channel, notify
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.events.services import record_event
from apps.orders.contracts import ManualOrderResult, OrderCreated, OrderOrigin, OrderRequest
from apps.orders.domain.validation import check_order
from apps.orders.models import Order
from apps.orders.services.reference import MarketReference
from apps.orders.services.transitions import history_step
from apps.risk.contracts import OrderProposal, Verdict
from apps.risk.services import assess_and_reserve, end_reservation


@transaction.atomic
def place_order(request: OrderRequest, *, actor: str = "") -> UUID:
    """Record an approved order as an intent, with its event, in the caller's transaction; the executor sends it after the commit.

    The client order id is unique for ever: a second order with the same one raises Conflict, whatever became of the first.
    """
    check_order(request.instrument, request.terms, is_child=request.parent_id is not None)
    if request.terms.is_relative and not request.is_reduce_only:
        raise InvalidInput("A price relative to the parent is for exits only.", where="is_reduce_only", hint="Give the price itself.")
    _check_parent(request)
    order = _new_order(request)
    if Order.objects.filter(client_order_id=order.client_order_id).exists():
        raise Conflict(
            f"An order {order.client_order_id} was recorded before.",
            where="client_order_id",
            hint="Look the first one up; a new order needs a new origin.",
        )
    created = history_step(order, "CREATE", before=None, detail=request.reason)
    order.save(force_insert=True)
    created.save(force_insert=True)
    record_event(_created(request), occurred_at=request.market_at, actor=actor or _default_actor(request), subject=str(order.id))
    notify(Channel.INTENTS)
    return order.id


def _check_parent(request: OrderRequest) -> None:
    """A child belongs to an order of the same account and instrument that is there, and is for as much: it trades what that one has traded."""
    if request.parent_id is None:
        return
    parent = Order.objects.filter(pk=request.parent_id, account_id=request.account_id, instrument_id=request.instrument.id).first()
    if parent is None:
        raise NotFound(
            f"The account has no order {request.parent_id} in {request.instrument.symbol} to wait for.",
            where="parent_id",
            hint="Record the parent first.",
        )
    if request.quantity != parent.quantity:
        raise InvalidInput(
            f"A child trades what its parent has traded, so its quantity is {parent.quantity}.",
            where="quantity",
            hint="Give that quantity.",
        )


def submit(request: OrderRequest, market: MarketReference, *, actor: str, now: datetime) -> ManualOrderResult:
    """Ask the gate and record the order if it passes; inside the caller's transaction."""
    return submit_together([request], market, actor=actor, now=now)


def submit_together(requests: Sequence[OrderRequest], market: MarketReference, *, actor: str, now: datetime) -> ManualOrderResult:
    """Ask the gate for every order, parents first, and record all of them or, if one is refused, none; inside the caller's transaction."""
    parents = {request.id: request for request in requests}
    verdicts: list[Verdict] = []
    for request in requests:
        parent = parents.get(request.parent_id) if request.parent_id else None
        verdicts.append(assess_and_reserve(proposal_of(request, market, parent=parent), now=now))
        if not verdicts[-1].approved:
            for approved in requests[: len(verdicts) - 1]:
                end_reservation(approved.id)
            return ManualOrderResult(order_id=None, verdict=verdicts[-1])
    placed = [
        place_order(replace(request, verdict_id=verdict.id), actor=actor) for request, verdict in zip(requests, verdicts, strict=True)
    ]
    return ManualOrderResult(order_id=placed[0], verdict=verdicts[0], leg_ids=tuple(placed[1:]))


def proposal_of(request: OrderRequest, market: MarketReference, *, parent: OrderRequest | None = None) -> OrderProposal:
    """The order as the gate judges it; `parent` is the order that it waits for."""
    return OrderProposal(
        order_id=request.id,
        account_id=request.account_id,
        instrument=request.instrument,
        side=request.side,
        order_type=request.order_type,
        quantity=request.quantity,
        reference_price=market.last_close,
        previous_close=market.previous_close,
        data_at=market.data_at,
        is_reducing=request.is_reducing,
        mode=request.mode,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        data_age_bars=market.data_age_bars,
        origin_id=request.origin_id,
        is_manual=request.origin is not OrderOrigin.SESSION,
        is_reduce_only=request.is_reduce_only,
        parent_quantity=parent.quantity if parent else None,
        has_relative_price=request.terms.is_relative,
    )


def _new_order(request: OrderRequest) -> Order:
    return Order(
        id=request.id,
        client_order_id=request.client_order_id,
        account_id=request.account_id,
        instrument_id=request.instrument.id,
        mode=request.mode,
        side=request.side,
        parent_id=request.parent_id,
        group_id=request.group_id,
        origin=request.origin,
        origin_id=request.origin_id,
        decision_id=request.decision_id,
        verdict_id=request.verdict_id,
        is_reducing=request.is_reducing,
        reason=request.reason[:300],
        market_at=request.market_at,
        **asdict(request.terms),
    )


def _created(request: OrderRequest) -> OrderCreated:
    return OrderCreated(
        order_id=request.id,
        client_order_id=request.client_order_id,
        account_id=request.account_id,
        instrument_id=request.instrument.id,
        symbol=request.instrument.symbol,
        side=request.side,
        order_type=request.order_type,
        quantity=request.quantity,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        origin=request.origin,
        origin_id=request.origin_id,
        decision_id=request.decision_id,
    )


def _default_actor(request: OrderRequest) -> str:
    return f"session {request.origin_id}" if request.origin is OrderOrigin.SESSION else "system"
