"""The broker port that every venue adapter implements, and what orders needs from the apps above it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from apps.core.vocabulary import OrderType, Side, TimeInForce, TradingMode
from apps.orders.contracts import Amendment, FillRecord, Liquidity, OrderTerms


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
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    expires_at: datetime | None = None
    is_post_only: bool = False
    is_reduce_only: bool = False
    limit_offset_percent: Decimal | None = None
    stop_offset_percent: Decimal | None = None
    parent_client_order_id: str = ""
    """Empty, or the order whose fill opens this one; the venue has it already."""
    group_id: UUID | None = None

    @property
    def terms(self) -> OrderTerms:
        """What it asks of the venue."""
        return OrderTerms(**{field.name: getattr(self, field.name) for field in fields(OrderTerms)})


NOTHING_TOLD = Amendment()


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
    is_waiting: bool = False
    """Accepted, and it waits for its parent to fill."""


class AmendOutcome(StrEnum):
    CONFIRMED = "CONFIRMED"
    REFUSED = "REFUSED"
    UNCERTAIN = "UNCERTAIN"
    """No answer. Amending again with the same values is harmless."""


@dataclass(frozen=True)
class AmendAnswer:
    outcome: AmendOutcome
    reason: str = ""


class VenueOrderStatus(StrEnum):
    """An order's state in the words of the port."""

    WAITING = "WAITING"
    """For its parent to fill."""
    OPEN = "OPEN"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def is_open(self) -> bool:
        """Whether the order may still trade."""
        return self in (VenueOrderStatus.WAITING, VenueOrderStatus.OPEN)


@dataclass(frozen=True)
class BrokerOrderState:
    """What the venue says of an order.

    `terms` are what it works with, or worked with when it filled; after another end at most the quantity; empty where the venue does not tell.
    """

    client_order_id: str
    venue_order_id: str
    status: VenueOrderStatus
    filled: Decimal
    reason: str = ""
    terms: Amendment = NOTHING_TOLD
    made_by_venue: BrokerOrder | None = None
    """The order itself where the venue made it: it closed a position that the account could not carry any more."""


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

    def amend(self, client_order_id: str, amendment: Amendment) -> AmendAnswer:
        """Change an open order's quantity or prices. Repeating it changes nothing more; what has ended or is unknown is REFUSED."""
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
        """Match the book against the bars that closed then, once, in the caller's transaction; returns every order that it changed."""
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
