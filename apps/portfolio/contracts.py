"""What other apps may know of the portfolio. No Django here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.events import Event, Priority, event
from apps.core.vocabulary import TradingMode
from apps.portfolio.domain.journal import EntryKind, LedgerAccount, Line
from apps.portfolio.domain.metrics import Figure, FigureGroup, FigureUnit

__all__ = [
    "AccountClosed",
    "AccountOpened",
    "AccountSummary",
    "AccountView",
    "ClosedTradeView",
    "EntryKind",
    "EntryView",
    "EquityPoint",
    "Figure",
    "FigureGroup",
    "FigureUnit",
    "LedgerAccount",
    "Line",
    "MarginCallCleared",
    "MarginCallView",
    "MarginCalled",
    "MarginState",
    "Performance",
    "PerformanceUpdated",
    "PositionChanged",
    "PositionClosed",
    "PositionOpened",
    "PositionView",
    "TrialBalance",
    "TrialBalanceRow",
]


@dataclass(frozen=True)
class AccountView:
    id: UUID
    name: str
    venue_id: UUID
    broker: str
    mode: TradingMode
    currency: str
    initial_capital: Decimal
    is_default: bool
    opened_at: datetime
    closed_at: datetime | None


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
class MarginCallView:
    """A margin call: equity and exposure at its first close, and the equity that would have cured it then. `cleared_at` None: it stands."""

    id: UUID
    called_at: datetime
    equity: Decimal
    exposure: Decimal
    required: Decimal
    cleared_at: datetime | None
    is_flat: bool

    @property
    def missing(self) -> Decimal:
        return self.required - self.equity


@dataclass(frozen=True)
class MarginState:
    """The account's margin at its marks. Levels are parts of the exposure; below `called_below` it is called, below `closed_below` the venue
    closes positions. `standing` is the call that stands."""

    equity: Decimal
    exposure: Decimal
    called_below: Decimal
    closed_below: Decimal
    standing: MarginCallView | None


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


@dataclass(frozen=True)
class EquityPoint:
    """The account after a bar; `drawdown` is a fraction of the peak until then."""

    at: datetime
    equity: Decimal
    cash: Decimal
    holdings_value: Decimal
    drawdown: Decimal


@dataclass(frozen=True)
class ClosedTradeView:
    """A round trip; `quantity` is what was entered, signed, for `entry_value`; `realised_pnl` is before `fees`.

    `exit_reason` is why the last fill filled: MARKET_AT_OPEN, STOP_TRIGGERED, ...
    """

    id: UUID
    instrument_id: UUID
    symbol: str
    opened_at: datetime
    closed_at: datetime
    quantity: Decimal
    realised_pnl: Decimal
    fees: Decimal
    closing_fill_id: UUID
    entry_value: Decimal
    exit_reason: str


@dataclass(frozen=True)
class EntryView:
    """One booking with its lines."""

    id: UUID
    account_id: UUID
    kind: EntryKind
    reference: str
    instrument_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class TrialBalanceRow:
    """One column and asset of one account's journal."""

    account_id: UUID
    account: str
    ledger_account: LedgerAccount
    asset: str
    total: Decimal


@dataclass(frozen=True)
class TrialBalance:
    """The journal's columns, and every difference between the journal and what is kept beside it, in words. Empty differences: all agree."""

    rows: tuple[TrialBalanceRow, ...]
    differences: tuple[str, ...]
    entries: int
    fills: int

    @property
    def is_balanced(self) -> bool:
        return not self.differences


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


@event("trading.margin_called", priority=Priority.HIGH)
class MarginCalled(Event):
    """Equity has fallen below the level at which the venue calls; below maintenance it closes positions. Amounts in the account's currency."""

    account_id: UUID
    account: str
    at: datetime
    equity: Decimal
    exposure: Decimal
    required: Decimal
    missing: Decimal


@event("trading.margin_call_cleared")
class MarginCallCleared(Event):
    """`is_flat`: nothing is held any more."""

    account_id: UUID
    account: str
    at: datetime
    called_at: datetime
    equity: Decimal
    is_flat: bool


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
