"""The runners of vector and event strategies: research at the speed of the engine, without risk gate and database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import ROUND_DOWN
from itertools import count
from typing import Any

import numpy as np

from apps.backtests.domain.coarse_bars import CoarseBars, coarse_bars, spread
from apps.backtests.domain.config import RunConfig, RunMode, SizingMethod, Value
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.event_run import EventPlan, simulate_event_bars
from apps.backtests.domain.points import PointResult, point_result
from apps.backtests.domain.pool import bar_columns, pool_of
from apps.backtests.domain.pool_events import PoolEvents
from apps.backtests.domain.pool_signals import PoolSignals
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.runners import IsCancelled, ReportProgress, RunCancelled, runner
from apps.backtests.domain.vector_run import SignalRunner
from apps.core.errors import InvalidInput, NotFound, OutOfBounds, TradingError
from apps.core.values import INT64_SAFE, InstrumentSpec
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import to_micros
from apps.orders.domain.engine_codes import PPM
from apps.orders.domain.sizing_nb import BY_EQUITY, BY_LOTS, BY_VALUE
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.event_strategy import EventStrategy, build_event_strategy, event_strategy_class, hears_bars
from apps.strategies.domain.parameters import build_parameters
from apps.strategies.domain.vector_strategy import Signals, VectorBars, VectorStrategy, build_vector_strategy, vector_strategy_class

MOST_LATENCY_BARS, MOST_LATENCY_MS = 1_000, 86_400_000
POINT_THREADS = 2
"""The kernels of a point run without the interpreter's lock."""


@runner(RunMode.VECTOR)
class VectorRunner:
    """Arrays of signals, made once over all bars."""

    def parameters(self, strategy: str) -> type[Any]:
        return vector_strategy_class(strategy).Parameters

    def check(self, config: RunConfig) -> None:
        build_parameters(self.parameters(config.strategy), dict(config.parameters))
        _check_shape(config)

    def run(
        self, config: RunConfig, bars: Sequence[BarWindow], *, progress: ReportProgress, is_cancelled: IsCancelled, seed: int
    ) -> RunRecords:
        total = sum(len(window) for window in bars)
        progress(0, total)
        records = _bench(config, bars).run(build_vector_strategy(config.strategy, dict(config.parameters)))
        _stop_if(is_cancelled)
        progress(total, total)
        return records

    def run_points(
        self,
        config: RunConfig,
        bars: Sequence[BarWindow],
        points: Sequence[dict[str, Value]],
        *,
        progress: ReportProgress,
        is_cancelled: IsCancelled,
        seed: int,
    ) -> list[PointResult]:
        """Every point on its own tables, in threads."""
        objective = config.walk_forward.objective
        results: list[PointResult | None] = [None] * len(points)
        done = count(1)

        def work(first: int) -> None:
            bench = _bench(config, bars)
            for index in range(first, len(points), POINT_THREADS):
                _stop_if(is_cancelled)
                results[index] = bench.point(points[index], objective)
                progress(next(done), len(points))

        with ThreadPoolExecutor(POINT_THREADS) as pool:
            for future in [pool.submit(work, first) for first in range(POINT_THREADS)]:
                future.result()
        return [result for result in results if result is not None]


@runner(RunMode.EVENT)
class EventRunner:
    """A class that is told bar by bar."""

    def parameters(self, strategy: str) -> type[Any]:
        cls = event_strategy_class(strategy)
        if not hears_bars(cls):
            raise NotFound(
                f"The event strategy {strategy!r} trades on ticks, it has no on_bar.", where="strategy", hint="Run it over a file of ticks."
            )
        return cls.Parameters

    def check(self, config: RunConfig) -> None:
        build_parameters(self.parameters(config.strategy), dict(config.parameters))
        _check_shape(config)

    def run(
        self, config: RunConfig, bars: Sequence[BarWindow], *, progress: ReportProgress, is_cancelled: IsCancelled, seed: int
    ) -> RunRecords:
        total = sum(len(window) for window in bars)

        def build() -> EventStrategy:
            return build_event_strategy(config.strategy, dict(config.parameters))

        def watch(done: int) -> None:
            _stop_if(is_cancelled)
            progress(done, total)

        if _is_pool(config, bars):
            return run_pool_events(build, config, bars, watch=watch)
        return run_events(build(), config, bars[0], watch=watch)


def run_events(strategy: EventStrategy, config: RunConfig, window: BarWindow, *, watch: Callable[[int], None] | None = None) -> RunRecords:
    """Tell the strategy the bars as the configuration wants it; `watch` hears how many are done."""
    columns = bar_columns(window)
    sizing, size = sizing_of(config, window.instrument)
    plan = EventPlan(_first_bar(config, window), sizing, size, config.closes_at_end, watch=watch, coarse=coarse_of(config, columns))
    return simulate_event_bars(strategy, window.instrument, engine_profile(config), columns, cash=config.capital, plan=plan).records()


def run_pool_events(
    build: Callable[[], EventStrategy], config: RunConfig, windows: Sequence[BarWindow], *, watch: Callable[[int], None] | None = None
) -> RunRecords:
    """The same over several instruments on one account; `build` makes an instance of the strategy."""
    pool = pool_of(config, windows)
    plans = [
        EventPlan(_first_bar(config, window), *sizing_of(config, spec), coarse=coarse_of(config, bars) if len(bars) else None)
        for spec, window, bars in zip(pool.specs, windows, pool.bars, strict=True)
    ]
    return PoolEvents(pool, build, plans).run(closes_at_end=config.closes_at_end, watch=watch)


class _Asked:
    """What a strategy is asked of one instrument, again and again in the same memory."""

    def __init__(self, config: RunConfig, window: BarWindow, spec: InstrumentSpec, columns: BarColumns) -> None:
        self.columns = columns
        self._coarse = coarse_of(config, columns) if len(columns) else None
        seen = columns if self._coarse is None else self._coarse.bars
        self._bits = np.zeros(len(seen), np.int8)
        self._sizing, self._size = sizing_of(config, spec)
        self._first = _first_bar(config, window)
        self._bars = VectorBars.of(spec, seen)

    def signals(self, strategy: VectorStrategy) -> Signals:
        """The signals of every bar that orders fill on; none before the end of the warm-up. The size is the run's where the strategy leaves it open."""
        if not len(self.columns):
            return Signals(self._bits)
        try:
            signals = strategy.signals(self._bars, bits=self._bits)
        except TradingError:
            raise
        except Exception as error:
            raise InvalidInput(f"{type(strategy).__name__} raised {type(error).__name__}: {error}", where="strategy") from error
        signals.check(len(self._bits))
        if self._coarse is not None:
            signals = spread(signals, self._coarse, len(self.columns))
        signals.bits[: self._first] = 0
        if len(signals.lots) == 1 and not signals.lots[0]:
            return replace(signals, sizing=self._sizing, size=self._size, lots=np.array([self._size], np.int64))
        return signals


class _Bench:
    """Bars, tables and rules of a configuration of one instrument, for one thread."""

    def __init__(self, config: RunConfig, window: BarWindow) -> None:
        self.config, self.window = config, window
        columns = bar_columns(window)
        self._runner = SignalRunner(window.instrument, engine_profile(config), columns, cash=config.capital)
        self._asked = _Asked(config, window, window.instrument, columns)

    def run(self, strategy: VectorStrategy) -> RunRecords:
        return self._runner.run(self._asked.signals(strategy), closes_at_end=self.config.closes_at_end).records()

    def point(self, values: dict[str, Value], objective: str) -> PointResult:
        """What came of the strategy with some parameters replaced; what cannot be run says so."""
        try:
            chosen = {**self.config.parameters, **values}
            records = self.run(build_vector_strategy(self.config.strategy, chosen))
        except TradingError as error:
            return PointResult(error=str(error))
        return point_result(records, [self.window], objective=objective)


class _PoolBench:
    """The same for several instruments on one account: each has signals of its own."""

    def __init__(self, config: RunConfig, windows: Sequence[BarWindow]) -> None:
        self.config, self.windows = config, windows
        pool = pool_of(config, windows)
        self._runner = PoolSignals(pool)
        self._asked = [_Asked(config, window, spec, bars) for window, spec, bars in zip(windows, pool.specs, pool.bars, strict=True)]

    def run(self, strategy: VectorStrategy) -> RunRecords:
        signals = [asked.signals(strategy) for asked in self._asked]
        return self._runner.run(signals, closes_at_end=self.config.closes_at_end)

    def point(self, values: dict[str, Value], objective: str) -> PointResult:
        """What came of the strategy with some parameters replaced; what cannot be run says so."""
        try:
            records = self.run(build_vector_strategy(self.config.strategy, {**self.config.parameters, **values}))
        except TradingError as error:
            return PointResult(error=str(error))
        return point_result(records, self.windows, objective=objective)


def coarse_of(config: RunConfig, columns: BarColumns) -> CoarseBars | None:
    """What the strategy sees where it is not the bars that orders fill on."""
    if config.signal_timeframe is None or config.signal_timeframe is config.timeframe:
        return None
    return coarse_bars(columns, int(config.signal_timeframe.duration.total_seconds()) * 1_000_000)


def sizing_of(config: RunConfig, instrument: InstrumentSpec) -> tuple[int, int]:
    """The method and size of `sizing_nb`: lots, a share of equity in millionths, or cash units. Raises OutOfBounds beyond all of them."""
    amount = config.sizing.amount
    method = config.sizing.method
    if method is SizingMethod.ALL or amount is None:
        return BY_EQUITY, PPM
    if method is SizingMethod.FRACTION:
        return BY_EQUITY, int((amount * PPM).to_integral_value(rounding=ROUND_DOWN))
    way, unit = (BY_VALUE, instrument.cash_unit) if method is SizingMethod.VALUE else (BY_LOTS, instrument.lot_size)
    if amount / unit > INT64_SAFE:
        raise OutOfBounds(f"A size of {amount:.6g} is more than {instrument.symbol} can be reckoned with exactly.", where="sizing.amount")
    return way, int((amount / unit).to_integral_value(rounding=ROUND_DOWN))


def _check_shape(config: RunConfig) -> None:
    if config.signal_timeframe is not None and config.signal_timeframe.duration < config.timeframe.duration:
        raise InvalidInput(
            f"The strategy cannot see {config.signal_timeframe} bars made of {config.timeframe} bars.",
            where="signal_timeframe",
            hint="Choose a finer timeframe for the bars, or a longer one for the strategy.",
        )
    if not (0 <= config.latency_bars <= MOST_LATENCY_BARS and 0 <= config.latency_ms <= MOST_LATENCY_MS):
        raise InvalidInput(
            f"Latency must be 0 to {MOST_LATENCY_BARS} bars and 0 to {MOST_LATENCY_MS} milliseconds.",
            where="latency_bars" if not 0 <= config.latency_bars <= MOST_LATENCY_BARS else "latency_ms",
        )
    if config.sizing.method is SizingMethod.RISK:
        raise InvalidInput(
            "Sizing by risk belongs to the decision cycle of a session.",
            where="sizing.method",
            hint="Use mode session, or all, fraction, value or quantity.",
        )


def _is_pool(config: RunConfig, bars: Sequence[BarWindow]) -> bool:
    """Whether the run needs more than the fast path of one instrument in the account's currency."""
    return len(bars) > 1 or bars[0].instrument.quote_asset != config.currency


def _bench(config: RunConfig, bars: Sequence[BarWindow]) -> _Bench | _PoolBench:
    return _PoolBench(config, bars) if _is_pool(config, bars) else _Bench(config, bars[0])


def _first_bar(config: RunConfig, window: BarWindow) -> int:
    """Bars before it are warm-up."""
    return 0 if config.trade_from is None else int(np.searchsorted(window.opened_at, to_micros(config.trade_from)))


def _stop_if(is_cancelled: IsCancelled) -> None:
    if is_cancelled():
        raise RunCancelled("The run was cancelled.")
