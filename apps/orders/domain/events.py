"""What is told of orders: typed, in the past tense, recorded in the transaction that causes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.core.events import Event, Priority, event


@event("orders.order_created", priority=Priority.HIGH)
class OrderCreated(Event):
    order_id: UUID
    client_order_id: str
    account_id: UUID
    instrument_id: UUID
    symbol: str
    side: str
    order_type: str
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    origin: str
    origin_id: UUID | None
    decision_id: UUID | None


@event("orders.order_sent", priority=Priority.HIGH)
class OrderSent(Event):
    order_id: UUID
    client_order_id: str


@event("orders.order_acknowledged", priority=Priority.HIGH)
class OrderAcknowledged(Event):
    order_id: UUID
    client_order_id: str
    venue_order_id: str


@event("orders.order_rejected", priority=Priority.HIGH)
class OrderRejected(Event):
    order_id: UUID
    client_order_id: str
    reason: str


@event("orders.order_cancel_requested", priority=Priority.HIGH)
class OrderCancelRequested(Event):
    order_id: UUID
    client_order_id: str
    reason: str


@event("orders.order_amend_requested", priority=Priority.HIGH)
class OrderAmendRequested(Event):
    """Somebody wants another quantity or price; `changes` says which, in words."""

    order_id: UUID
    client_order_id: str
    changes: str


@event("orders.order_amended", priority=Priority.HIGH)
class OrderAmended(Event):
    """The order works with this quantity and these prices now."""

    order_id: UUID
    client_order_id: str
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_amount: Decimal | None
    trail_percent: Decimal | None
    reason: str


@event("orders.order_amend_refused", priority=Priority.HIGH)
class OrderAmendRefused(Event):
    order_id: UUID
    client_order_id: str
    reason: str


@event("orders.order_cancelled", priority=Priority.HIGH)
class OrderCancelled(Event):
    order_id: UUID
    client_order_id: str
    reason: str


@event("orders.order_expired", priority=Priority.HIGH)
class OrderExpired(Event):
    order_id: UUID
    client_order_id: str


@event("orders.order_unknown", priority=Priority.HIGH)
class OrderUnknown(Event):
    order_id: UUID
    client_order_id: str
    reason: str


@event("trading.trade_executed", priority=Priority.HIGH)
class TradeExecuted(Event):
    """One fill."""

    fill_id: UUID
    order_id: UUID
    account_id: UUID
    instrument_id: UUID
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    venue_trade_id: str


@event("trading.order_executed", priority=Priority.HIGH)
class OrderExecuted(Event):
    """The order is completely filled."""

    order_id: UUID
    client_order_id: str
    account_id: UUID
    instrument_id: UUID
    symbol: str
    side: str
    quantity: Decimal
    average_price: Decimal


@event("orders.venue_terms_changed")
class VenueTermsChanged(Event):
    """By whose rules the simulated venue fills an account's orders and what it charges: what is new in words, and by name what was before."""

    account_id: UUID
    changes: str
    before: dict[str, Any] | None = None


@event("orders.costs_changed")
class CostsChanged(Event):
    """The costs that the simulated venue charges an account, in basis points."""

    account_id: UUID
    fee_bps: Decimal
    spread_bps: Decimal
    slippage_bps: Decimal
