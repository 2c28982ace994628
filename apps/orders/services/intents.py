"""Recording intents: an approved order becomes a PENDING row, and nothing has left yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.common.notify import Channel, notify
from apps.core.errors import Conflict
from apps.core.ids import client_order_id, uuid7
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.events.services import record_event
from apps.markets.selectors import instrument_spec
from apps.orders.contracts import ManualOrderResult, OrderCreated, OrderOrigin, OrderRequest
from apps.orders.domain.validation import check_order
from apps.orders.models import Order
from apps.orders.ports import AccountDirectory
from apps.orders.services.reference import MarketReference, market_reference
from apps.orders.services.transitions import history_step
from apps.risk.contracts import OrderProposal, Verdict
from apps.risk.services import assess_and_reserve


@transaction.atomic
def place_order(request: OrderRequest, *, actor: str = "") -> UUID:
    """Record an approved order as an intent, with its event, in the caller's transaction; the executor sends it after the commit.

    The client order id is unique for ever: a second order with the same one raises Conflict, whatever became of the first.
    """
    check_order(
        request.instrument,
        order_type=request.order_type,
        time_in_force=request.time_in_force,
        quantity=request.quantity,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
    )
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


@transaction.atomic
def submit_manual_order(
    *,
    account_id: UUID,
    instrument_id: UUID,
    side: Side,
    order_type: OrderType,
    quantity: Decimal,
    limit_price: Decimal | None = None,
    stop_price: Decimal | None = None,
    time_in_force: TimeInForce = TimeInForce.GTC,
    actor: str,
    now: datetime,
    request_id: UUID | None = None,
) -> ManualOrderResult:
    """Put a person's order through the same gate as a strategy's, and record it if the gate lets it pass.

    Raises InvalidInput naming the field for what can never be an order; a limit that says no is a verdict, not an error.
    The same `request_id` never makes a second order (Conflict).
    """
    instrument = instrument_spec(instrument_id)
    market = market_reference(instrument)
    check_order(
        instrument,
        order_type=order_type,
        time_in_force=time_in_force,
        quantity=quantity,
        limit_price=limit_price,
        stop_price=stop_price,
        reference_price=market.last_close,
    )
    directory = port(AccountDirectory)
    account = directory.account(account_id)
    if account.venue_id != instrument.venue_id:
        raise Conflict(f"{instrument.symbol} is not traded at the venue of account {account.name}.", where="instrument_id")
    held = directory.position(account_id, instrument_id)
    request = OrderRequest(
        id=uuid7(),
        client_order_id=client_order_id(account_id=account_id, origin=f"manual|{request_id or uuid7()}"),
        account_id=account_id,
        instrument=instrument,
        side=side,
        order_type=order_type,
        quantity=quantity,
        mode=account.mode,
        market_at=market.market_at,
        origin=OrderOrigin.MANUAL,
        is_reducing=held * side.sign < 0 and quantity <= abs(held),
        time_in_force=time_in_force,
        limit_price=limit_price,
        stop_price=stop_price,
        reason=f"Entered by {actor}.",
    )
    return submit(request, market, actor=actor, now=now)


def submit(request: OrderRequest, market: MarketReference, *, actor: str, now: datetime) -> ManualOrderResult:
    """Ask the gate and record the order if it passes; inside the caller's transaction."""
    verdict = assess_and_reserve(_proposal(request, market), now=now)
    if not verdict.approved:
        return ManualOrderResult(order_id=None, verdict=verdict)
    return ManualOrderResult(order_id=place_order(_approved(request, verdict), actor=actor), verdict=verdict)


def _approved(request: OrderRequest, verdict: Verdict) -> OrderRequest:
    return replace(request, verdict_id=verdict.id)


def _proposal(request: OrderRequest, market: MarketReference) -> OrderProposal:
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
        is_manual=request.origin is not OrderOrigin.SESSION,
    )


def _new_order(request: OrderRequest) -> Order:
    return Order(
        id=request.id,
        client_order_id=request.client_order_id,
        account_id=request.account_id,
        instrument_id=request.instrument.id,
        mode=request.mode,
        side=request.side,
        order_type=request.order_type,
        time_in_force=request.time_in_force,
        quantity=request.quantity,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        origin=request.origin,
        origin_id=request.origin_id,
        decision_id=request.decision_id,
        verdict_id=request.verdict_id,
        is_reducing=request.is_reducing,
        reason=request.reason[:300],
        market_at=request.market_at,
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
