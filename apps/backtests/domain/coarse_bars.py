"""Coarse bars made of finer ones: the strategy sees the coarse ones, the finer ones inside settle which of stop and target came first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apps.backtests.domain.vector_run import Int64Array
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.vector_strategy import BY_BAR, Signals


@dataclass(frozen=True, eq=False)
class CoarseBars:
    """`bars` and, for each, the index of the last fine bar in it: the moment at which it is known."""

    bars: BarColumns
    ends: Int64Array


def coarse_bars(fine: BarColumns, duration: int) -> CoarseBars:
    """Bars of `duration` microseconds, aligned to midnight UTC. A bar that lacks some of its finer ones is made of those there are."""
    periods = fine.opened_at // duration
    starts = np.flatnonzero(np.append(True, periods[1:] != periods[:-1])).astype(np.int64)
    ends = np.append(starts[1:] - 1, len(fine) - 1)
    is_known = np.minimum.reduceat(fine.volume, starts) >= 0
    bars = BarColumns(
        opened_at=np.ascontiguousarray(fine.opened_at[starts]),
        closed_at=np.ascontiguousarray(fine.closed_at[ends]),
        open=np.ascontiguousarray(fine.open[starts]),
        high=np.maximum.reduceat(fine.high, starts),
        low=np.minimum.reduceat(fine.low, starts),
        close=np.ascontiguousarray(fine.close[ends]),
        volume=np.where(is_known, np.add.reduceat(fine.volume, starts), -1),
    )
    return CoarseBars(bars, ends.astype(np.int64))


def spread(signals: Signals, coarse: CoarseBars, fine: int) -> Signals:
    """The signals of coarse bars at the fine bars at which they are known."""

    def at_ends(values: Int64Array) -> Int64Array:
        if len(values) == 1:
            return values
        placed = np.zeros(fine, np.int64)
        placed[coarse.ends] = values
        return placed

    bits = np.zeros(fine, np.int8)
    bits[coarse.ends] = signals.bits
    placed: dict[str, Any] = {name: at_ends(getattr(signals, name)) for name in BY_BAR}
    return replace(signals, bits=bits, **placed)
