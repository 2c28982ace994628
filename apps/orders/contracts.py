"""What other apps may know of orders and fills. No Django here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side, TimeInForce, TradingMode
from apps.orders.domain.brackets import ExitPrices
from apps.orders.domain.events import (
    CostsChanged,
    OrderAcknowledged,
    OrderAmended,
    OrderAmendRefused,
    OrderAmendRequested,
    OrderCancelled,
    OrderCancelRequested,
    OrderCreated,
    OrderExecuted,
    OrderExpired,
    OrderRejected,
    OrderSent,
    OrderUnknown,
    TradeExecuted,
    VenueTermsChanged,
)
from apps.orders.domain.terms import Amendment, OrderTerms
from apps.orders.domain.vocabulary import (
    AT_THE_VENUE,
    OPEN_STATUSES,
    UNSETTLED_STATUSES,
    AmendmentStatus,
    Liquidity,
    OrderOrigin,
    OrderStatus,
    SlippageChoice,
    VenueProfile,
)
from apps.risk.contracts import Verdict

__all__ = [
    "AT_THE_VENUE",
    "OPEN_STATUSES",
    "UNSETTLED_STATUSES",
    "Amendment",
    "AmendmentStatus",
    "AmendmentView",
    "CostsChanged",
    "ExitPrices",
    "FillRecord",
    "FillView",
    "Liquidity",
    "ManualOrderResult",
    "OrderAcknowledged",
    "OrderAmendRefused",
    "OrderAmendRequested",
    "OrderAmended",
    "OrderCancelRequested",
    "OrderCancelled",
    "OrderCreated",
    "OrderDetail",
    "OrderExecuted",
    "OrderExpired",
    "OrderOrigin",
    "OrderRejected",
    "OrderRequest",
    "OrderSent",
    "OrderStatus",
    "OrderStep",
    "OrderTerms",
    "OrderUnknown",
    "OrderView",
    "SlippageChoice",
    "Standing",
    "TradeExecuted",
    "VenueProfile",
    "VenueTermsChanged",
]


@dataclass(frozen=True)
class OrderRequest:
    """An approved order to be recorded as an intent. `id` was given to the risk gate before."""

    id: UUID
    client_order_id: str
    account_id: UUID
    instrument: InstrumentSpec
    side: Side
    order_type: OrderType
    quantity: Decimal
    mode: TradingMode
    market_at: datetime
    origin: OrderOrigin
    is_reducing: bool
    time_in_force: TimeInForce = TimeInForce.GTC
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    origin_id: UUID | None = None
    decision_id: UUID | None = None
    verdict_id: UUID | None = None
    reason: str = ""
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    expires_at: datetime | None = None
    is_post_only: bool = False
    is_reduce_only: bool = False
    limit_offset_percent: Decimal | None = None
    stop_offset_percent: Decimal | None = None
    parent_id: UUID | None = None
    """The order whose fill opens this one; it was recorded before."""
    group_id: UUID | None = None
    """Orders of one group share what is left: what one fills, the others lose."""

    @property
    def venue_terms(self) -> OrderTerms:
        """The terms as they are sent. Whatever is meant to reduce is reduce-only there: exits that rest together never turn a position."""
        return replace(self.terms, is_reduce_only=self.is_reduce_only or self.is_reducing)

    @property
    def terms(self) -> OrderTerms:
        """What it asks of the venue."""
        return OrderTerms(
            order_type=self.order_type,
            time_in_force=self.time_in_force,
            quantity=self.quantity,
            limit_price=self.limit_price,
            stop_price=self.stop_price,
            trail_amount=self.trail_amount,
            trail_percent=self.trail_percent,
            expires_at=self.expires_at,
            is_post_only=self.is_post_only,
            is_reduce_only=self.is_reduce_only,
            limit_offset_percent=self.limit_offset_percent,
            stop_offset_percent=self.stop_offset_percent,
        )


@dataclass(frozen=True)
class FillRecord:
    """A fill as the broker reported it; idempotent by (account, instrument, venue order id, venue trade id)."""

    id: UUID
    order_id: UUID
    account_id: UUID
    instrument: InstrumentSpec
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    venue_order_id: str
    venue_trade_id: str
    occurred_at: datetime
    liquidity: Liquidity
    reason: str
    origin_id: UUID | None = None


@dataclass(frozen=True)
class OrderView:
    """An order as pages, the API and other apps see it."""

    id: UUID
    client_order_id: str
    account_id: UUID
    instrument_id: UUID
    symbol: str
    mode: TradingMode
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    status: OrderStatus
    filled_quantity: Decimal
    average_price: Decimal | None
    """Volume-weighted price of its fills; None before the first."""
    venue_order_id: str
    origin: OrderOrigin
    origin_id: UUID | None
    decision_id: UUID | None
    verdict_id: UUID | None
    is_reducing: bool
    reason: str
    status_reason: str
    cancel_requested_by: str
    market_at: datetime
    created_at: datetime
    updated_at: datetime
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    expires_at: datetime | None = None
    is_post_only: bool = False
    is_reduce_only: bool = False
    limit_offset_percent: Decimal | None = None
    stop_offset_percent: Decimal | None = None
    parent_id: UUID | None = None
    group_id: UUID | None = None

    @property
    def remaining(self) -> Decimal:
        """What may still fill."""
        return self.quantity - self.filled_quantity if self.status.is_open else Decimal(0)

    @property
    def filled_percent(self) -> Decimal:
        """0 to 100, two decimals, rounded down."""
        return (self.filled_quantity * 10000 // self.quantity) / 100


@dataclass(frozen=True)
class FillView:
    """A fill as pages and the API see it."""

    id: UUID
    order_id: UUID
    account_id: UUID
    instrument_id: UUID
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    reason: str
    venue_order_id: str
    venue_trade_id: str
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True)
class OrderStep:
    """One step in the life of an order; `from_status` is None for its creation."""

    sequence: int
    trigger: str
    from_status: OrderStatus | None
    to_status: OrderStatus
    detail: str
    recorded_at: datetime


@dataclass(frozen=True)
class AmendmentView:
    """A wish to change an order, and what became of it."""

    id: UUID
    order_id: UUID
    amendment: Amendment
    status: AmendmentStatus
    requested_by: str
    reason: str
    """Why it was refused; empty otherwise."""
    created_at: datetime


@dataclass(frozen=True)
class Standing:
    """Where an origin stands in an instrument: what it holds, and whether an order of its own may still change that."""

    position: Decimal
    has_open_order: bool


@dataclass(frozen=True)
class OrderDetail:
    """An order with everything that happened to it."""

    order: OrderView
    history: tuple[OrderStep, ...]
    fills: tuple[FillView, ...]
    parent: OrderView | None = None
    """The order that it waits for, or waited for."""
    children: tuple[OrderView, ...] = ()
    group: tuple[OrderView, ...] = ()
    """The others of its group."""
    amendments: tuple[AmendmentView, ...] = ()


@dataclass(frozen=True)
class ManualOrderResult:
    """What became of a manual order: recorded as an intent, or refused by the gate (`order_id` is None). A refusal refuses all its legs."""

    order_id: UUID | None
    verdict: Verdict
    leg_ids: tuple[UUID, ...] = ()
    """The other orders that were recorded with it: a bracket's exits, or the other of a pair."""
