"""A history that another program's backtest left: its trades as ours, its own figures, and both compared trade by trade."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from apps.portfolio.domain.metrics.catalogue import Figure
from apps.portfolio.domain.metrics.figures import performance_figures
from apps.portfolio.domain.records import EquitySeries, TradeRecords


@dataclass(frozen=True, eq=False)
class ImportedHistory:
    """Trades in the order of their closing. `symbols` are the instruments of the trades, one for each; amounts are in `currency`.

    `stated` are figures that the other program worked out itself, by its own names.
    """

    program: str
    strategy: str
    currency: str
    timeframe: str
    capital: float
    started_at: int
    ended_at: int
    symbols: tuple[str, ...]
    trades: TradeRecords
    stated: dict[str, float]
    open_trades: int = 0

    @property
    def equity(self) -> EquitySeries:
        """The capital and what the trades had earned at each closing, in microseconds UTC."""
        results = np.cumsum(self.trades.results)
        times = np.concatenate([[self.started_at], self.trades.closed_at, [max(self.ended_at, *self.trades.closed_at.tolist(), 0)]])
        values = self.capital + np.concatenate([[0.0], results, results[-1:] if len(results) else [0.0]])
        is_last = np.append(times[1:] > times[:-1], True)
        return EquitySeries(times[is_last].astype(np.int64), values[is_last])

    def figures(self) -> dict[str, Figure]:
        """Our figures of that history, worked out from its trades."""
        return performance_figures(self.equity, self.trades)


@dataclass(frozen=True)
class HistoryDifference:
    """How two histories differ. A trade is the same where side, opening and closing time are; `profit` is ours less theirs over those."""

    same: int
    only_ours: int
    only_theirs: int
    profit: float
    largest: float


def compare_trades(ours: TradeRecords, theirs: TradeRecords, *, later_us: int = 0) -> HistoryDifference:
    """Pair trades by side and times and compare what they earned.

    `later_us` is by how much our times are later: a bar, where the other program writes when a bar opened and we when it closed.
    """
    earned = dict(_keyed(theirs, 0))
    differences = [result - earned[key] for key, result in _keyed(ours, later_us) if key in earned]
    return HistoryDifference(
        same=len(differences),
        only_ours=len(ours) - len(differences),
        only_theirs=len(theirs) - len(differences),
        profit=float(np.sum(differences)),
        largest=float(np.max(np.abs(differences), initial=0.0)),
    )


def _keyed(trades: TradeRecords, later_us: int) -> list[tuple[tuple[int, int, int, int], float]]:
    """Each trade's side and times with its number among those that share them, and what it earned."""
    seen = Counter[tuple[int, int, int]]()
    rows = []
    columns = (trades.side, trades.opened_at - later_us, trades.closed_at - later_us, trades.results)
    for side, opened_at, closed_at, result in zip(*(column.tolist() for column in columns), strict=True):
        key = (side, opened_at, closed_at)
        rows.append(((*key, seen[key]), float(result)))
        seen[key] += 1
    return rows
