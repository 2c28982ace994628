"""From records and bars to what a run is judged by: figures on all bars, figures on the bars that count, and the series of a tear sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.backtests.domain.overfitting import SharpeStatistics
from apps.backtests.domain.records import Int64Array, RunRecords
from apps.markets.contracts import BarWindow
from apps.portfolio.domain.engine_records import equity_series, trade_records
from apps.portfolio.domain.metrics import performance_figures
from apps.portfolio.domain.metrics.returns import daily_returns
from apps.portfolio.domain.records import EquitySeries, PriceBars, TradeRecords
from apps.portfolio.domain.tear_sheet import Compared, build_tear_sheet

LEAST_OBSERVATIONS = 3
_HELD = "Bought and held"
_HELD_TOGETHER = "The same money in each, held"


@dataclass(frozen=True, eq=False)
class Measured:
    """Records as the figures want them."""

    equity: EquitySeries
    trades: TradeRecords
    benchmark: EquitySeries | None
    bars: PriceBars | None

    def figures(self) -> dict[str, float | None]:
        """Value by key of `portfolio.domain.metrics.FIGURES`."""
        found = performance_figures(self.equity, self.trades, benchmark=self.benchmark, bars=self.bars)
        return {key: figure.value for key, figure in found.items()}

    def since(self, at: int) -> Measured:
        """What happened from `at` on (microseconds): equity from its last point before, trades that closed after."""
        first = max(0, int(np.searchsorted(self.equity.times, at)) - 1)
        exposure = self.equity.exposure
        equity = EquitySeries(self.equity.times[first:], self.equity.equity[first:], None if exposure is None else exposure[first:])
        benchmark = self.benchmark
        if benchmark is not None:
            begins = max(0, int(np.searchsorted(benchmark.times, at)) - 1)
            benchmark = EquitySeries(benchmark.times[begins:], benchmark.equity[begins:])
        return Measured(equity, self.trades.where(self.trades.closed_at >= at), benchmark, self.bars)


def measure(records: RunRecords, windows: Sequence[BarWindow]) -> Measured:
    """The records in money, beside the instrument bought and held (several: the same money in each)."""
    cash_unit = float(records.cash_unit)
    lots = np.array([float(spec.lot_size) for spec in records.places])
    return Measured(
        equity=_with_opening(records, windows, cash_unit),
        trades=trade_records(
            records.trades,
            cash_units=records.unit_values,
            lot_sizes=lots,
            fills=records.fills,
            orders=records.orders,
            price_units=np.array([float(spec.price_unit) for spec in records.places]),
        ),
        benchmark=buy_and_hold(windows),
        bars=_price_bars(windows[0]) if len(windows) == 1 else None,
    )


def trades_in_money(rows: Int64Array, records: RunRecords) -> TradeRecords:
    """Rows of the ledger's round trips, of instruments of these records, in money."""
    lots = np.array([float(spec.lot_size) for spec in records.places])
    return trade_records(rows, cash_units=records.unit_values, lot_sizes=lots)


def sheet_of(measured: Measured, records: RunRecords) -> dict[str, Any]:
    """The tear sheet on all bars, see `portfolio.domain.tear_sheet`, with what was refused and decided."""
    title = _HELD if len(records.places) == 1 else _HELD_TOGETHER
    held = None if measured.benchmark is None else Compared(title, measured.benchmark)
    sheet = build_tear_sheet(measured.equity, measured.trades, currency=records.currency, benchmark=held, bars=measured.bars)
    return {**sheet, "refusals": dict(records.refusals), "decisions": dict(records.decisions)}


def sharpe_statistics(equity: EquitySeries) -> SharpeStatistics | None:
    """Sharpe ratio and shape of the daily returns; None where there are too few or nothing moved."""
    returns = daily_returns(equity.daily.values)
    if len(returns) < LEAST_OBSERVATIONS:
        return None
    found = SharpeStatistics.of(returns)
    return found if np.isfinite(found.sharpe) else None


def buy_and_hold(windows: Sequence[BarWindow]) -> EquitySeries | None:
    """The value of 1 put into the instruments in equal parts at the first open that all have reached, and held; rates of currencies do not move.

    None where one of them ends before another begins.
    """
    start = max(int(window.opened_at[0]) for window in windows)
    if any(start > int(window.opened_at[-1]) for window in windows):
        return None
    closes = [window.closed_at[window.opened_at >= start] for window in windows]
    times = closes[0] if len(closes) == 1 else np.unique(np.concatenate(closes))
    if not len(times):
        return None
    values = np.zeros(len(times) + 1)
    for window in windows:
        first = int(np.searchsorted(window.opened_at, start))
        place = np.searchsorted(window.closed_at, times, side="right") - 1
        values[1:] += window.close[place.clip(min=first)] / float(window.open[first])
        values[0] += 1.0
    return EquitySeries(np.concatenate([[min(start, int(times[0]) - 1)], times]), values / len(windows))


def evenly(count: int, most: int) -> Int64Array:
    """Places of at most `most` of `count` points, spread evenly, with the first and the last."""
    if count <= most:
        return np.arange(count, dtype=np.int64)
    return np.unique(np.rint(np.linspace(0, count - 1, most)).astype(np.int64))


def block_returns(equity: EquitySeries, *, blocks: int = 512) -> Any:
    """Returns over at most so many equal parts of the bars, for the tests of overfitting."""
    values = equity.equity[evenly(len(equity), blocks + 1)]
    return np.where(values[:-1] > 0, values[1:] / np.where(values[:-1] > 0, values[:-1], 1.0) - 1.0, 0.0)


def _with_opening(records: RunRecords, windows: Sequence[BarWindow], cash_unit: float) -> EquitySeries:
    """The equity series with the capital in front, at the opening of the first bar."""
    opened = min(int(window.opened_at[0]) for window in windows)
    first = min(opened, int(records.equity_at[0]) - 1) if len(records.equity_at) else opened
    times = np.concatenate([[first], records.equity_at])
    equity = np.concatenate([[records.opening_cash], records.equity])
    exposure = None if records.exposure is None else np.concatenate([[0], records.exposure])
    return equity_series(times, equity, cash_unit=cash_unit, exposure=exposure)


def _price_bars(window: BarWindow) -> PriceBars:
    unit = np.float64(window.instrument.price_unit)
    return PriceBars(window.closed_at, window.high * unit, window.low * unit)
