"""Small bar windows for strategy tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import BarWindow

START = datetime(2003, 1, 2, 21, tzinfo=UTC)

SPEC = InstrumentSpec(
    id=UUID(int=1),
    venue_id=UUID(int=2),
    symbol="TEST",
    base_asset="TEST",
    quote_asset="USD",
    price_scale=4,
    volume_scale=0,
    cash_scale=8,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.01"),
    min_quantity=Decimal("0.01"),
    min_notional=Decimal(0),
    max_price=Decimal(100_000),
    max_quantity=Decimal(100_000),
)


def window_of(closes: Sequence[float]) -> BarWindow:
    """Daily bars whose open, high, low and close are all `closes`."""
    count = len(closes)
    units = np.array([round(close * 10_000) for close in closes], dtype=np.int64)
    closed = np.array([int((START + timedelta(days=day)).timestamp() * 1_000_000) for day in range(count)], dtype=np.int64)
    zeros = np.zeros(count, dtype=np.int64)
    return BarWindow(SPEC, Timeframe.D1, closed - 23_400_000_000, closed, units, units, units, units, zeros, zeros)
