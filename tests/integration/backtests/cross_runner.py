"""A runner for tests: two averages of closes through the real engine, with ways to be slow, to fail and never to end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apps.backtests.domain.config import RunConfig, RunMode
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.runners import IsCancelled, ReportProgress, RunCancelled, runner
from apps.backtests.domain.simulate_nb import ENTER_LONG, EXIT_LONG
from apps.backtests.domain.vector_run import Signals, simulate_signals
from apps.core.errors import NotFound
from apps.markets.contracts import BarWindow
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.parameters import build_parameters, parameter

KIND = "test_cross"


@dataclass(frozen=True)
class CrossParameters:
    fast: int = parameter(3, minimum=1, maximum=50, help="Bars of the short average.")
    slow: int = parameter(8, minimum=2, maximum=200, help="Bars of the long average.")
    lots: int = parameter(10, minimum=1, maximum=1e12, help="Lots of an entry.")
    seconds: float = parameter(0.0, minimum=0.0, maximum=60.0, help="How long it takes.")
    fails: bool = parameter(False, help="Raise in the middle.")
    hangs: bool = parameter(False, help="Never return.")


class CrossRunner:
    """Registered for tests only, by `install`."""

    def parameters(self, strategy: str) -> type[CrossParameters]:
        return CrossParameters

    def check(self, config: RunConfig) -> None:
        if config.strategy != KIND:
            raise NotFound(f"There is no strategy {config.strategy!r}.", where="strategy", hint=f"Known: {KIND}.")
        build_parameters(CrossParameters, dict(config.parameters))

    def run(
        self, config: RunConfig, bars: Sequence[BarWindow], *, progress: ReportProgress, is_cancelled: IsCancelled, seed: int
    ) -> RunRecords:
        values = build_parameters(CrossParameters, dict(config.parameters))
        window = bars[0]
        for step in range(20):
            progress(step * len(window) // 20, len(window))
            time.sleep(values.seconds / 20)
            if is_cancelled():
                raise RunCancelled("The run was cancelled.")
        if values.fails:
            raise ZeroDivisionError("the strategy divided by zero")
        while values.hangs:
            sum(range(100))
        columns = BarColumns(
            *(np.ascontiguousarray(getattr(window, name)) for name in ("opened_at", "closed_at", "open", "high", "low", "close")),
            np.full(len(window), -1, np.int64),
        )
        simulation = simulate_signals(
            window.instrument, engine_profile(config), columns, self._signals(config, window, values), cash=config.capital
        )
        progress(len(window), len(window))
        return simulation.records()

    @staticmethod
    def _signals(config: RunConfig, window: BarWindow, values: CrossParameters) -> Signals:
        closes = window.close.astype(np.float64)
        sums = np.concatenate([[0.0], np.cumsum(closes)])
        averages = [np.full(len(closes), np.nan) for _ in range(2)]
        for average, length in zip(averages, (values.fast, values.slow), strict=True):
            average[length - 1 :] = (sums[length:] - sums[:-length]) / length
        is_up = averages[0] > averages[1]
        if config.trade_from is not None:
            is_up &= window.opened_at >= int(config.trade_from.timestamp() * 1_000_000)
        if config.closes_at_end:
            is_up[-2:] = False
        bits = np.where(is_up, ENTER_LONG, EXIT_LONG).astype(np.int8)
        return Signals(bits, np.array([values.lots], np.int64))


def install() -> None:
    """Let event runs be made by this runner in this process."""
    runner(RunMode.EVENT)(CrossRunner)
