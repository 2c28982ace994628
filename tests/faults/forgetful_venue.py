"""A venue in memory that misbehaves on demand: it makes a new order for every create, even of the same client id, as real ones do."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from apps.core.errors import Unavailable
from apps.orders.contracts import Amendment, Liquidity
from apps.orders.ports import (
    AmendAnswer,
    AmendOutcome,
    BrokerBalance,
    BrokerFill,
    BrokerOrder,
    BrokerOrderState,
    BrokerPosition,
    PlaceAnswer,
    PlaceOutcome,
    VenueOrderStatus,
)


@dataclass
class Faults:
    """Probabilities, and how many look-ups of an order answer "not found" first."""

    drop_before: float = 0.0
    drop_after: float = 0.0
    unreadable: float = 0.0
    not_found_for: int = 0


@dataclass
class _Row:
    order: BrokerOrder
    venue_order_id: str
    status: VenueOrderStatus = VenueOrderStatus.OPEN
    filled: Decimal = Decimal(0)
    lookups: int = 0


@dataclass
class ForgetfulVenue:
    """Implements the broker port over lists."""

    source: random.Random
    faults: Faults = field(default_factory=Faults)
    is_lookup_final: bool = False
    creates: list[str] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)
    reports: list[BrokerFill] = field(default_factory=list)

    def place(self, order: BrokerOrder) -> PlaceAnswer:
        self.creates.append(order.client_order_id)
        if self.source.random() < self.faults.drop_before:
            raise Unavailable("connection reset before the request was read")
        row = _Row(order, str(len(self.rows) + 1))
        self.rows.append(row)
        if self.source.random() < self.faults.drop_after:
            raise TimeoutError("no answer within 10 s")
        if self.source.random() < self.faults.unreadable:
            raise ValueError("502 Bad Gateway: <html>")
        return PlaceAnswer(PlaceOutcome.ACCEPTED, venue_order_id=row.venue_order_id)

    def cancel(self, client_order_id: str) -> None:
        for row in self._of(client_order_id):
            if row.status is VenueOrderStatus.OPEN:
                row.status = VenueOrderStatus.CANCELLED

    def amend(self, client_order_id: str, amendment: Amendment) -> AmendAnswer:
        """Make the change and, as faults have it, lose the answer."""
        if self.source.random() < self.faults.drop_before:
            raise Unavailable("connection reset before the request was read")
        row = next((row for row in self._of(client_order_id) if row.status is VenueOrderStatus.OPEN), None)
        if row is None:
            return AmendAnswer(AmendOutcome.REFUSED, reason="no such open order")
        row.order = replace(row.order, **amendment.values)
        if self.source.random() < self.faults.drop_after:
            raise TimeoutError("no answer within 10 s")
        return AmendAnswer(AmendOutcome.CONFIRMED)

    def order_state(self, client_order_id: str) -> BrokerOrderState | None:
        for row in self._of(client_order_id):
            row.lookups += 1
            if row.lookups > self.faults.not_found_for:
                return BrokerOrderState(client_order_id, row.venue_order_id, row.status, row.filled, terms=_terms(row.order))
        return None

    def open_orders(self) -> Sequence[BrokerOrderState]:
        return [
            BrokerOrderState(row.order.client_order_id, row.venue_order_id, row.status, row.filled, terms=_terms(row.order))
            for row in self.rows
            if row.status is VenueOrderStatus.OPEN
        ]

    def fills_since(self, sequence: int) -> Sequence[BrokerFill]:
        return [fill for fill in self.reports if fill.sequence > sequence][:3]

    def positions(self) -> Sequence[BrokerPosition]:
        return []

    def balances(self) -> Sequence[BrokerBalance]:
        return []

    def fill(self, client_order_id: str, quantity: Decimal, *, at: datetime, trade_id: str, price: Decimal = Decimal(100)) -> BrokerFill:
        """The market trades with our order; the trade is not reported before `report`."""
        row = self._of(client_order_id)[0]
        row.filled += quantity
        if row.filled == row.order.quantity:
            row.status = VenueOrderStatus.FILLED
        return BrokerFill(
            sequence=0,
            client_order_id=client_order_id,
            venue_order_id=row.venue_order_id,
            venue_trade_id=trade_id,
            quantity=quantity,
            price=price,
            fee=Decimal("0.01") * quantity,
            fee_asset="USD",
            liquidity=Liquidity.TAKER,
            reason="VENUE",
            occurred_at=at,
        )

    def report(self, fill: BrokerFill) -> None:
        """Tell of a trade, perhaps not for the first time: every message has a sequence of its own."""
        self.reports.append(
            BrokerFill(**{name: getattr(fill, name) for name in BrokerFill.__dataclass_fields__} | {"sequence": len(self.reports) + 1})
        )

    def _of(self, client_order_id: str) -> list[_Row]:
        return [row for row in self.rows if row.order.client_order_id == client_order_id]


def _terms(order: BrokerOrder) -> Amendment:
    return Amendment(order.quantity, order.limit_price, order.stop_price)
