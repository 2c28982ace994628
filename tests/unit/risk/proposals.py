"""Proposals, facts and limits that pass every check, to be spoiled one value at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side, TradingMode
from apps.risk.domain.facts import Facts
from apps.risk.domain.values import CheckCode, CheckResult, LimitCode, OrderProposal

INSTRUMENT = InstrumentSpec(
    id=UUID(int=1),
    venue_id=UUID(int=2),
    symbol="AAPL",
    base_asset="AAPL",
    quote_asset="USD",
    price_scale=4,
    volume_scale=0,
    cash_scale=8,
    tick_size=Decimal("0.01"),
    lot_size=Decimal(1),
    min_quantity=Decimal(1),
    min_notional=Decimal(10),
    max_price=Decimal(100000),
    max_quantity=Decimal(100000),
)

_PROPOSAL = OrderProposal(
    order_id=UUID(int=10),
    account_id=UUID(int=11),
    instrument=INSTRUMENT,
    side=Side.BUY,
    order_type=OrderType.MARKET,
    quantity=Decimal(100),
    reference_price=Decimal(50),
    previous_close=Decimal(49),
    data_at=datetime(2008, 9, 15, 20, tzinfo=UTC),
    is_reducing=False,
    confidence=Decimal("0.7"),
    data_age_bars=0,
    strategy="momentum",
    origin_id=UUID(int=12),
)

_FACTS = Facts(
    halt_reason=None,
    live_refusal="Live trading is off.",
    account_mode=TradingMode.PAPER,
    currency="USD",
    is_open=True,
    cash=Decimal(90000),
    equity=Decimal(100000),
    day_start_equity=Decimal(100000),
    peak_equity=Decimal(101000),
    gross_exposure=Decimal(10000),
    position_quantity=Decimal(200),
    reserved_cash=Decimal(0),
    reserved_notional=Decimal(0),
    reserved_same_side=Decimal(0),
    reserved_exits=Decimal(0),
    open_orders=0,
    orders_today=0,
    is_duplicate=False,
)

LIMITS: dict[LimitCode, Decimal | None] = {
    LimitCode.MAX_ORDER_NOTIONAL: Decimal(25000),
    LimitCode.MAX_POSITION_NOTIONAL: Decimal(40000),
    LimitCode.MAX_GROSS_EXPOSURE: Decimal(1),
    LimitCode.MAX_OPEN_ORDERS: Decimal(10),
    LimitCode.MAX_ORDERS_PER_DAY: Decimal(20),
    LimitCode.MAX_DAILY_LOSS: Decimal("0.1"),
    LimitCode.MAX_DRAWDOWN: Decimal("0.5"),
    LimitCode.MIN_CONFIDENCE: Decimal("0.5"),
    LimitCode.PRICE_COLLAR: Decimal("0.3"),
    LimitCode.MAX_DATA_AGE: Decimal(1),
    LimitCode.DUPLICATE_ORDER: Decimal(5),
}


def make_proposal(**changes: Any) -> OrderProposal:
    """Buy 100 AAPL at about 50 by a session."""
    return replace(_PROPOSAL, **changes)


def make_exit(**changes: Any) -> OrderProposal:
    """Sell 100 of the 200 AAPL held."""
    return replace(_PROPOSAL, **({"side": Side.SELL, "is_reducing": True} | changes))


def make_facts(**changes: Any) -> Facts:
    """An account with 100,000 of equity that holds 200 AAPL."""
    return replace(_FACTS, **changes)


def failures(checks: tuple[CheckResult, ...]) -> set[CheckCode]:
    """Codes of the checks that failed."""
    return {check.code for check in checks if not check.passed}
