"""The broker port that every venue adapter implements, and what orders needs from the apps above it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from apps.core.vocabulary import OrderType, Side, TimeInForce, TradingMode
from apps.orders.contracts import FillRecord, Liquidity


@dataclass(frozen=True)
class BrokerOrder:
    """An order as it is sent: our client id, and everything the venue needs."""

    client_order_id: str
    instrument_id: UUID
    symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None


class PlaceOutcome(StrEnum):
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    UNCERTAIN = "UNCERTAIN"
    """Time-out, 5xx or unreadable answer: only evidence can tell."""


@dataclass(frozen=True)
class PlaceAnswer:
    outcome: PlaceOutcome
    venue_order_id: str = ""
    reason: str = ""


class VenueOrderStatus(StrEnum):
    """An order's state in the words of the port."""

    OPEN = "OPEN"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


@dataclass(frozen=True)
class BrokerOrderState:
    """What the venue says of an order."""

    client_order_id: str
    venue_order_id: str
    status: VenueOrderStatus
    filled: Decimal
    reason: str = ""


@dataclass(frozen=True)
class BrokerFill:
    sequence: int
    """Grows with every fill of the account at this venue: the cursor of `fills_since`."""
    client_order_id: str
    venue_order_id: str
    venue_trade_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    reason: str
    occurred_at: datetime


@dataclass(frozen=True)
class BrokerPosition:
    symbol: str
    quantity: Decimal


@dataclass(frozen=True)
class BrokerBalance:
    asset: str
    total: Decimal
    free: Decimal


class Broker(Protocol):
    """One account at one venue. `place` answers at once that the venue took the order; fills come through `fills_since`.

    `place` is called at most once per intent unless the order is proven absent; it never retries by itself. Reads and `cancel` may be
    repeated. A call that fails raises; a failed read is never an empty answer.
    """

    @property
    def is_lookup_final(self) -> bool:
        """Whether "not found" proves that the order never arrived and never will, as when the venue's book is a table of ours."""
        ...

    def place(self, order: BrokerOrder) -> PlaceAnswer: ...

    def cancel(self, client_order_id: str) -> None:
        """Ask for the cancel; cancelling what has ended or is unknown changes nothing. `order_state` tells what came of it."""
        ...

    def order_state(self, client_order_id: str) -> BrokerOrderState | None:
        """None means not found, which is not evidence of a cancel."""
        ...

    def open_orders(self) -> Sequence[BrokerOrderState]: ...

    def fills_since(self, sequence: int) -> Sequence[BrokerFill]:
        """Fills after the cursor, ascending, at most a page of them; empty when there are no more."""
        ...

    def positions(self) -> Sequence[BrokerPosition]: ...

    def balances(self) -> Sequence[BrokerBalance]: ...


@runtime_checkable
class BarMatching(Protocol):
    """A broker whose book is matched by us, bar by bar, instead of by somebody else's market."""

    def match(self, closed_at: datetime) -> Sequence[BrokerOrderState]:
        """Match the book against the bars that closed then, once, in the caller's transaction; returns what ended without a fill."""
        ...


@runtime_checkable
class Fenced(Protocol):
    """A broker whose book can turn away an executor that has lost its account, even in the middle of a send."""

    def fence_with(self, check: Callable[[], None]) -> None:
        """Call `check` inside the transaction that takes an order; what it raises leaves the book as it was."""
        ...


@dataclass(frozen=True)
class AccountRef:
    """What the executor needs to know of an account."""

    id: UUID
    name: str
    venue_id: UUID
    broker: str
    mode: TradingMode
    currency: str
    cash_scale: int
    initial_capital: Decimal
    is_open: bool = True
    """A closed account trades no more; its executor only ends the orders it still has."""


class AccountDirectory(Protocol):
    """Which accounts there are (implemented by portfolio)."""

    def open_accounts(self) -> Sequence[AccountRef]: ...

    def account(self, account_id: UUID) -> AccountRef: ...

    def position(self, account_id: UUID, instrument_id: UUID) -> Decimal: ...

    def positions(self, account_id: UUID) -> dict[UUID, Decimal]:
        """Signed quantities by instrument, without zeros."""
        ...


class FillSink(Protocol):
    """Where fills are booked, inside the transaction that stores them (implemented by portfolio)."""

    def book_fill(self, fill: FillRecord) -> None: ...

    def mark_to_market(self, account_id: UUID, *, at: datetime) -> None:
        """Value the account at the closes of the bars that closed at `at` and store an equity snapshot."""
        ...
