"""Instruments for tests without a database."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.core.values import InstrumentSpec

_DEFAULT = InstrumentSpec(
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
    min_notional=Decimal(0),
    max_price=Decimal(100000),
    max_quantity=Decimal(100000),
)


def make_instrument(**changes: Any) -> InstrumentSpec:
    """A share priced in cents with bars four decimals fine; `changes` replace fields."""
    return replace(_DEFAULT, **changes)
