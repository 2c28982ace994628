"""A vector strategy over many sets of parameters: signals, orders, fills, books and figures of each, in threads without the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.sweep_nb import measure_point
from apps.backtests.domain.vector_run import SignalRunner
from apps.core.values import InstrumentSpec
from apps.orders.domain.engine_codes import F_FEE
from apps.orders.domain.profiles import EngineProfile
from apps.portfolio.domain.metrics_nb import M_COLUMNS, M_FINAL, M_MAX_DRAWDOWN, M_SHARPE, M_SORTINO, M_TOTAL_RETURN
from apps.portfolio.domain.records import DAY_MICROS
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.vector_strategy import Signals, VectorBars, VectorStrategy

FloatArray: TypeAlias = npt.NDArray[np.float64]
Int64Array: TypeAlias = npt.NDArray[np.int64]

TOGETHER = 8
"""Sets of parameters whose signals are made in one pass."""


@dataclass(frozen=True, eq=False)
class SweepFigures:
    """One row per set of parameters: `figures` in the columns of `metrics_nb` (final equity in cash units), then what was traded."""

    figures: FloatArray
    trades: Int64Array
    fills: Int64Array
    fees: Int64Array

    @property
    def final_equity(self) -> FloatArray:
        return self.figures[:, M_FINAL]

    @property
    def total_return(self) -> FloatArray:
        return self.figures[:, M_TOTAL_RETURN]

    @property
    def max_drawdown(self) -> FloatArray:
        return self.figures[:, M_MAX_DRAWDOWN]

    @property
    def sharpe(self) -> FloatArray:
        return self.figures[:, M_SHARPE]

    @property
    def sortino(self) -> FloatArray:
        return self.figures[:, M_SORTINO]


def sweep_signals(
    instrument: InstrumentSpec,
    profile: EngineProfile,
    bars: BarColumns,
    strategies: Sequence[VectorStrategy],
    *,
    cash: Decimal,
    per_year: float,
    threads: int = 2,
    complete: Callable[[Signals], Signals] = lambda signals: signals,
) -> SweepFigures:
    """Run every strategy (all of one class) over the same bars. `complete` puts in what the run decides, such as sizing."""
    count = len(strategies)
    result = SweepFigures(np.full((count, M_COLUMNS), np.nan), *(np.zeros(count, np.int64) for _ in range(3)))
    ends = day_ends(bars.closed_at)
    columns = VectorBars.of(instrument, bars)

    def work(first: int) -> None:
        runner = SignalRunner(instrument, profile, bars, cash=cash)
        room = np.zeros((TOGETHER, len(bars)), np.int8)
        for start in range(first * TOGETHER, count, threads * TOGETHER):
            some = strategies[start : start + TOGETHER]
            made = type(some[0]).signals_of_many(some, columns, bits=room[: len(some)])
            for index, signals in enumerate(made, start):
                simulation = runner.run(complete(signals))
                measure_point(simulation.equity, ends, per_year, result.figures[index])
                result.trades[index], result.fills[index] = len(simulation.trades), len(simulation.fills)
                result.fees[index] = simulation.fills[:, F_FEE].sum()

    if threads == 1:
        work(0)
        return result
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(work, first) for first in range(threads)]:
            future.result()
    return result


def day_ends(closed_at: Int64Array) -> Int64Array:
    """The index of the last bar of each UTC day; a bar that closes at midnight belongs to the day before."""
    days = (closed_at - 1) // DAY_MICROS
    changes = np.flatnonzero(days[1:] != days[:-1])
    return np.append(changes, len(days) - 1).astype(np.int64)
