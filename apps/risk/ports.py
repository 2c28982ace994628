"""What risk needs from the apps above it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side
from apps.risk.domain.exposure import AccountExposure

__all__ = ["AccountExposure", "OpenOrderView", "OrderControl", "PortfolioView"]


@dataclass(frozen=True)
class OpenOrderView:
    order_id: UUID
    account_id: UUID
    instrument: InstrumentSpec
    side: Side
    remaining: Decimal
    is_reducing: bool
    order_type: OrderType


class PortfolioView(Protocol):
    """The books, read inside the caller's transaction (implemented by portfolio)."""

    def exposure(self, account_id: UUID, instrument_id: UUID) -> AccountExposure: ...

    def open_account_ids(self) -> list[UUID]: ...

    def open_positions(self, account_id: UUID) -> int:
        """How many instruments the account holds."""
        ...


class OrderControl(Protocol):
    """Open orders (implemented by orders)."""

    def open_orders(self, account_id: UUID | None = None) -> list[OpenOrderView]: ...

    def orders_since(self, account_id: UUID, market_since: datetime) -> int:
        """Exposure-increasing orders created at or after this time of the market."""
        ...

    def same_order_within(self, account_id: UUID, instrument_id: UUID, side: Side, quantity: Decimal, seconds: float) -> bool:
        """Whether an order like this was recorded within so many seconds of wall time."""
        ...

    def request_cancel(self, order_id: UUID, *, actor: str, reason: str) -> None:
        """Ask for a cancel; asking again changes nothing."""
        ...

    def request_flatten(self, account_id: UUID, *, actor: str, reason: str) -> int:
        """Record reducing market orders for what the account holds and is not on its way out already; returns how many."""
        ...
