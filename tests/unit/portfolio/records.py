"""Small histories for the tests of figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import numpy as np

from apps.portfolio.domain.records import DAY_MICROS, EquitySeries, ExitReason, TradeRecords

MONDAY = date(2024, 1, 1)
START = int(datetime.combine(MONDAY, time(21), UTC).timestamp()) * 1_000_000


def daily_equity(values: Sequence[float], *, first_day: int = 0) -> EquitySeries:
    """One value a day at 21:00 UTC, from Monday 2024-01-01 plus `first_day` on, weekends too."""
    days = np.arange(first_day, first_day + len(values))
    return EquitySeries(START + days * DAY_MICROS, np.array(values, np.float64))


def make_trades(
    results: Sequence[float],
    *,
    reasons: Sequence[ExitReason] | None = None,
    sides: Sequence[int] | None = None,
    opened: Sequence[float] | None = None,
    days: Sequence[float] | None = None,
    fee: float = 1.0,
    slippage: float | None = None,
    targets: Sequence[float] | None = None,
) -> TradeRecords:
    """Trades of 10 x 100 that earned `results` after a fee of one; each opened `opened` days after the start and held for `days`."""
    count = len(results)
    opened_at = START + (np.array(range(count) if opened is None else opened) * DAY_MICROS).astype(np.int64)
    realised = np.array(results, np.float64) + fee
    side = np.array([1] * count if sides is None else sides, np.int64)
    return TradeRecords(
        opened_at=opened_at,
        closed_at=opened_at + (np.array([1.0] * count if days is None else days) * DAY_MICROS).astype(np.int64),
        side=side,
        quantity=np.full(count, 10.0),
        entry_value=np.full(count, 1000.0),
        exit_value=1000.0 + side * realised,
        realised=realised,
        fees=np.full(count, fee),
        exit_reason=np.array([ExitReason.SIGNAL] * count if reasons is None else reasons, np.int64),
        slippage=None if slippage is None else np.full(count, slippage),
        target_price=None if targets is None else np.array(targets, np.float64),
    )
