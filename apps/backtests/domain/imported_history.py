"""A history that another program's backtest left: its trades as ours, and its own figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from apps.portfolio.domain.metrics.catalogue import Figure
from apps.portfolio.domain.metrics.figures import performance_figures
from apps.portfolio.domain.records import DAY_MICROS, EquitySeries, TradeRecords


@dataclass(frozen=True, eq=False)
class ImportedHistory:
    """Trades in the order of their closing. `symbols` are the instruments of the trades, one for each; amounts are in `currency`.

    `stated` are figures that the other program worked out itself, by its own names, `told` those that are figures of ours, by our keys and in
    our units.
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
    told: Mapping[str, float] = field(default_factory=dict)

    @property
    def equity(self) -> EquitySeries:
        """The capital and what the trades had earned at each closing, in microseconds UTC."""
        results = np.cumsum(self.trades.results)
        times = np.concatenate([[self.started_at], self.trades.closed_at, [max(self.ended_at, *self.trades.closed_at.tolist(), 0)]])
        values = self.capital + np.concatenate([[0.0], results, results[-1:] if len(results) else [0.0]])
        is_last = np.append(times[1:] > times[:-1], True)
        return EquitySeries(times[is_last].astype(np.int64), values[is_last])

    @property
    def daily_equity(self) -> EquitySeries:
        """The same with a point at the end of each day, so that days on which nothing was closed count, too."""
        known = self.equity
        ends = np.arange(known.times[0] // DAY_MICROS + 1, known.times[-1] // DAY_MICROS + 1, dtype=np.int64) * DAY_MICROS - 1
        times = np.union1d(known.times, ends)
        return EquitySeries(times, known.equity[np.searchsorted(known.times, times, side="right") - 1])

    def figures(self) -> dict[str, Figure]:
        """Our figures of that history, worked out from its trades: equity moves when a trade is closed."""
        return performance_figures(self.daily_equity, self.trades)
