"""What ended trades, and whether stops and targets did their work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.portfolio.domain.metrics.trading import win_rate
from apps.portfolio.domain.records import ExitReason, PriceBars, TradeRecords

LATER_BARS = 20
"""How many bars after a stop still count as coming back."""


@dataclass(frozen=True)
class ExitRow:
    """The trades that ended for one reason; money after fees."""

    reason: ExitReason
    trades: int
    share: float
    earned: float
    average: float
    win_rate: float


def exit_rows(trades: TradeRecords) -> list[ExitRow]:
    """One row for each reason that occurred, in the order of ExitReason."""
    return [row for reason in ExitReason if (row := _row(trades, reason)) is not None]


def _row(trades: TradeRecords, reason: ExitReason) -> ExitRow | None:
    results = trades.results[trades.exit_reason == int(reason)]
    if not len(results):
        return None
    return ExitRow(
        reason=reason,
        trades=len(results),
        share=len(results) / len(trades),
        earned=float(results.sum()),
        average=float(results.mean()),
        win_rate=win_rate(results) or 0.0,
    )


def exit_share(trades: TradeRecords, reason: ExitReason) -> float | None:
    """Part of the trades that ended for this reason."""
    return float((trades.exit_reason == int(reason)).mean()) if len(trades) else None


def exit_average(trades: TradeRecords, reason: ExitReason) -> float | None:
    """What a trade that ended for this reason earned on average, after fees."""
    results = trades.results[trades.exit_reason == int(reason)]
    return float(results.mean()) if len(results) else None


def target_after_stop(trades: TradeRecords, bars: PriceBars, *, later_bars: int = LATER_BARS) -> float | None:
    """Part of the stopped trades whose target was touched within the next bars: how often the stop was too near.

    Bars that close after the stop count, `later_bars` of them at most. None without a stopped trade that had a target.
    """
    stopped = trades.ended_by(ExitReason.STOP)
    if stopped.target_price is None:
        return None
    stopped = stopped.where(np.isfinite(stopped.target_price))
    return float(np.mean([_comes_back(stopped, index, bars, later_bars) for index in range(len(stopped))])) if len(stopped) else None


def _comes_back(stopped: TradeRecords, index: int, bars: PriceBars, later_bars: int) -> bool:
    assert stopped.target_price is not None
    first = int(np.searchsorted(bars.closed_at, stopped.closed_at[index], side="right"))
    target = stopped.target_price[index]
    if stopped.side[index] > 0:
        return bool(np.any(bars.high[first : first + later_bars] >= target))
    return bool(np.any(bars.low[first : first + later_bars] <= target))
