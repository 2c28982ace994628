"""What other apps may know of risk: proposals in, verdicts out. No Django here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.events import Event, Priority, event
from apps.risk.domain.limits import is_limit, limit_choices, limit_help
from apps.risk.domain.values import (
    CheckCode,
    CheckResult,
    LimitCode,
    OrderProposal,
    RiskFactor,
    Sizing,
    Verdict,
)

__all__ = [
    "CheckCode",
    "CheckResult",
    "EmergencyStop",
    "HaltReset",
    "HaltVerified",
    "HaltView",
    "LimitChanged",
    "LimitCode",
    "LimitView",
    "LiveTradingSwitched",
    "OrderProposal",
    "RiskFactor",
    "RiskFactorChanged",
    "RiskTriggered",
    "Sizing",
    "Verdict",
    "VerdictView",
    "is_limit",
    "limit_choices",
    "limit_help",
]


@dataclass(frozen=True)
class LimitView:
    """A limit as it stands; an empty scope means everything."""

    id: UUID
    code: str
    value: Decimal
    is_enabled: bool
    mode: str
    account_id: UUID | None
    strategy: str
    instrument_id: UUID | None
    help: str
    note: str


@dataclass(frozen=True)
class HaltView:
    """An emergency stop. It holds while `reset_at` is None."""

    id: UUID
    account_id: UUID | None
    reason: str
    flatten: bool
    engaged_by: str
    engaged_at: datetime
    verified_at: datetime | None
    orders_cancelled: int
    reset_by: str
    reset_at: datetime | None
    reset_reason: str

    @property
    def is_engaged(self) -> bool:
        return self.reset_at is None


@dataclass(frozen=True)
class VerdictView:
    """A stored verdict with the order it was about."""

    verdict: Verdict
    order_id: UUID
    account_id: UUID
    instrument_id: UUID
    created_at: datetime


@event("risk.factor_changed")
class RiskFactorChanged(Event):
    """Carried to the outside on `risk_updates` as {risk_factor, reasons, timestamp}."""

    account_id: UUID
    risk_factor: Decimal
    reasons: list[str]
    at: datetime


@event("trading.risk_triggered", priority=Priority.HIGH)
class RiskTriggered(Event):
    """A check refused an order."""

    account_id: UUID
    instrument_id: UUID
    symbol: str
    order_id: UUID
    code: str
    value: str
    limit: str
    message: str


@event("trading.emergency_stop", priority=Priority.HIGH)
class EmergencyStop(Event):
    halt_id: UUID
    scope: str
    reason: str
    flatten: bool


@event("risk.halt_verified", priority=Priority.HIGH)
class HaltVerified(Event):
    halt_id: UUID
    orders_cancelled: int
    exposure_increasing_orders: int
    positions_open: int


@event("risk.halt_reset", priority=Priority.HIGH)
class HaltReset(Event):
    halt_id: UUID
    reason: str


@event("risk.limit_changed", priority=Priority.HIGH)
class LimitChanged(Event):
    code: str
    scope: str
    old_value: str
    new_value: str
    enabled: bool


@event("risk.live_trading_switched", priority=Priority.HIGH)
class LiveTradingSwitched(Event):
    is_on: bool
    reason: str
