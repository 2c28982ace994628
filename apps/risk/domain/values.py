"""The words of risk: what is proposed, what is checked, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side, TradingMode


class LimitCode(StrEnum):
    """The limits that ship, in the order of a verdict. What they mean is where they are declared: `apps/risk/domain/limits/`."""

    MAX_ORDER_NOTIONAL = "MAX_ORDER_NOTIONAL"
    MAX_POSITION_NOTIONAL = "MAX_POSITION_NOTIONAL"
    MAX_GROSS_EXPOSURE = "MAX_GROSS_EXPOSURE"
    MAX_OPEN_ORDERS = "MAX_OPEN_ORDERS"
    MAX_ORDERS_PER_DAY = "MAX_ORDERS_PER_DAY"
    MAX_DAILY_LOSS = "MAX_DAILY_LOSS"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    MIN_CONFIDENCE = "MIN_CONFIDENCE"
    PRICE_COLLAR = "PRICE_COLLAR"
    MAX_DATA_AGE = "MAX_DATA_AGE"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"


class CheckCode(StrEnum):
    """Every check in a verdict, but for limits that were added: what is not a limit, then the limits."""

    HALT = "HALT"
    MODE = "MODE"
    VALID_NUMBERS = "VALID_NUMBERS"
    INSTRUMENT_RULES = "INSTRUMENT_RULES"
    FREE_CASH = "FREE_CASH"
    EXIT_WITHIN_POSITION = "EXIT_WITHIN_POSITION"
    MAX_ORDER_NOTIONAL = "MAX_ORDER_NOTIONAL"
    MAX_POSITION_NOTIONAL = "MAX_POSITION_NOTIONAL"
    MAX_GROSS_EXPOSURE = "MAX_GROSS_EXPOSURE"
    MAX_OPEN_ORDERS = "MAX_OPEN_ORDERS"
    MAX_ORDERS_PER_DAY = "MAX_ORDERS_PER_DAY"
    MAX_DAILY_LOSS = "MAX_DAILY_LOSS"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    MIN_CONFIDENCE = "MIN_CONFIDENCE"
    PRICE_COLLAR = "PRICE_COLLAR"
    MAX_DATA_AGE = "MAX_DATA_AGE"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"


@dataclass(frozen=True)
class OrderProposal:
    """An order that wants to leave; quantities and prices are Decimals already on the instrument's grid."""

    order_id: UUID
    account_id: UUID
    instrument: InstrumentSpec
    side: Side
    order_type: OrderType
    quantity: Decimal
    reference_price: Decimal | None
    previous_close: Decimal | None
    data_at: datetime | None
    is_reducing: bool
    mode: TradingMode = TradingMode.PAPER
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    confidence: Decimal | None = None
    data_age_bars: int | None = None
    strategy: str = ""
    origin_id: UUID | None = None
    """The session (or None for a manual order)."""
    is_manual: bool = False
    is_reduce_only: bool = False
    """The venue itself lets it fill at most the position on the other side, so that it needs no part of the position reserved."""
    parent_quantity: Decimal | None = None
    """What the order that it waits for may trade: a child closes at most that, and needs no position yet."""
    has_relative_price: bool = False
    """Its prices follow from its parent's fill."""
    is_amendment: bool = False
    """An order that is open already is to be changed into this; `quantity` is what may then still trade."""
    entries_before: int = 0
    """Orders of the same decision that add exposure, were approved before this one and are not recorded yet."""


@dataclass(frozen=True)
class CheckResult:
    """One check: what was measured, against what, and a sentence. The code is a `CheckCode` or that of a limit that was added."""

    code: str
    passed: bool
    value: str
    limit: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        return {"code": str(self.code), "passed": self.passed, "value": self.value, "limit": self.limit, "message": self.message}


@dataclass(frozen=True)
class Verdict:
    """The answer of the gate. `checks` holds every check made, passed or not; a refusal names the first that failed."""

    id: UUID
    approved: bool
    checks: tuple[CheckResult, ...]

    @property
    def first_failure(self) -> CheckResult | None:
        return next((check for check in self.checks if not check.passed), None)


@dataclass(frozen=True)
class RiskFactor:
    """The global factor with its reason codes (`low_confidence`, `high_drawdown`, `high_volatility`, ...)."""

    value: Decimal
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Sizing:
    """A sized position: the quantity on the lot grid, and how it came about in words and numbers."""

    quantity: Decimal
    reason: str
    inputs: dict[str, str]
