"""What other apps may know of orders and fills. No Django here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from apps.core.events import Event, Priority, event
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side, TimeInForce, TradingMode


class OrderStatus(StrEnum):
    PENDING = "PENDING"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    CANCEL_PENDING = "CANCEL_PENDING"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_open(self) -> bool:
        """Whether the order may still trade."""
        return self in OPEN_STATUSES


OPEN_STATUSES = frozenset(
    {
        OrderStatus.PENDING,
        OrderStatus.SENDING,
        OrderStatus.UNKNOWN,
        OrderStatus.ACKNOWLEDGED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.CANCEL_PENDING,
    }
)


class OrderOrigin(StrEnum):
    SESSION = "SESSION"
    MANUAL = "MANUAL"
    HALT = "HALT"


class Liquidity(StrEnum):
    MAKER = "MAKER"
    TAKER = "TAKER"


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
