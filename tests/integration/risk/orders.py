"""Proposals for a real world's account."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from apps.core.ids import uuid7
from apps.core.vocabulary import OrderType, Side
from apps.risk.contracts import OrderProposal, Verdict
from apps.risk.services import assess_and_reserve
from tests.factories.trading_world import World

NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)


def propose(world: World, side: Side = Side.BUY, quantity: int = 10, **changes: Any) -> OrderProposal:
    """An order at the close of 100 that passes the default limits."""
    values: dict[str, Any] = {
        "order_id": uuid7(),
        "account_id": world.account_id,
        "instrument": world.instrument,
        "side": side,
        "order_type": OrderType.MARKET,
        "quantity": Decimal(quantity),
        "reference_price": Decimal(100),
        "previous_close": Decimal(100),
        "data_at": world.now_at,
        "is_reducing": False,
        "confidence": Decimal("0.8"),
        "data_age_bars": 0,
        "strategy": "momentum",
        "origin_id": uuid7(),
    }
    return OrderProposal(**values | changes)


def assess(proposal: OrderProposal) -> Verdict:
    return assess_and_reserve(proposal, now=NOW)


def refused_by(verdict: Verdict) -> str:
    """The first check that failed; empty if the order was approved."""
    return str(verdict.first_failure.code) if verdict.first_failure else ""
