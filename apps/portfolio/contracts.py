"""What other apps may know of the portfolio. No Django here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from apps.core.events import Event, Priority, event


class LedgerAccount(StrEnum):
    """The columns of the journal. Every entry sums to zero per asset over these."""

    CASH = "CASH"
    HOLDINGS = "HOLDINGS"
    MARKET = "MARKET"
    """The other side of every trade."""
    FEES = "FEES"
    CAPITAL = "CAPITAL"
    """Where the opening balance came from."""


class EntryKind(StrEnum):
    DEPOSIT = "DEPOSIT"
    FILL = "FILL"


@dataclass(frozen=True)
class PositionView:
    account_id: UUID
    instrument_id: UUID
    symbol: str
    quantity: Decimal
    cost_basis: Decimal
    average_price: Decimal
    mark_price: Decimal | None
    market_value: Decimal
    unrealised_pnl: Decimal
    realised_pnl: Decimal
    opened_at: datetime | None


@dataclass(frozen=True)
class AccountSummary:
    account_id: UUID
    name: str
    currency: str
    at: datetime | None
    cash: Decimal
    holdings_value: Decimal
    equity: Decimal
    initial_capital: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    fees: Decimal
    day_pnl: Decimal
    peak_equity: Decimal
    drawdown: Decimal


@dataclass(frozen=True)
class Performance:
    """Figures of an account; None where there is not enough history to say."""

    total_return: Decimal | None
    annual_return: float | None
    volatility: float | None
    sharpe: float | None
    max_drawdown: float | None
    trades: int
    win_rate: float | None
    profit_factor: float | None


@event("trading.position_opened")
class PositionOpened(Event):
    account_id: UUID
    instrument_id: UUID
    symbol: str
    quantity: Decimal
    price: Decimal


@event("trading.position_closed")
class PositionClosed(Event):
    account_id: UUID
    instrument_id: UUID
    symbol: str
    realised_pnl: Decimal


@event("trading.position_changed", priority=Priority.LOW)
class PositionChanged(Event):
    account_id: UUID
    instrument_id: UUID
    symbol: str
    quantity: Decimal


@event("trading.performance_updated", priority=Priority.LOW)
class PerformanceUpdated(Event):
    """Equity after a bar; amounts in the account's currency."""

    account_id: UUID
    at: datetime
    equity: Decimal
    cash: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    drawdown: Decimal


@event("portfolio.account_opened")
class AccountOpened(Event):
    account_id: UUID
    name: str
    venue_id: UUID
    currency: str
    initial_capital: Decimal
    mode: str


@event("portfolio.account_closed")
class AccountClosed(Event):
    account_id: UUID
    name: str
    equity: Decimal
