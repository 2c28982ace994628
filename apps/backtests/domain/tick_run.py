"""The runners over ticks: event strategies that listen to quotes, trades or depth, and signals over quotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from apps.backtests.domain.config import RunConfig, RunMode, SizingMethod
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.event_run import EventPlan
from apps.backtests.domain.event_ticks import simulate_event_ticks
from apps.backtests.domain.quote_signals import simulate_quote_signals
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.research_run import MOST_LATENCY_MS, sizing_of
from apps.backtests.domain.runners import IsCancelled, ReportProgress, RunCancelled, runner
from apps.backtests.domain.tick_bars import tape_of
from apps.backtests.domain.tick_equity import equity_by_moment
from apps.backtests.domain.ticks import Tape, TickKind
from apps.core.errors import InvalidInput, NotFound, TradingError
from apps.core.values import InstrumentSpec
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import to_micros
from apps.orders.domain.sizing_nb import BY_LOTS
from apps.strategies.domain.event_strategy import build_event_strategy, event_strategy_class, hears_ticks
from apps.strategies.domain.parameters import build_parameters
from apps.strategies.domain.vector_strategy import (
    Int8Array,
    Signals,
    VectorBars,
    VectorStrategy,
    build_vector_strategy,
    vector_strategy_class,
)


@runner(RunMode.EVENT, over_ticks=True)
class TickEventRunner:
    """A class that is told tick by tick."""

    def parameters(self, strategy: str) -> type[Any]:
        cls = event_strategy_class(strategy)
        if not hears_ticks(cls):
            raise NotFound(
                f"The event strategy {strategy!r} does not listen to ticks.",
                where="strategy",
                hint="Give it on_quote, on_trade or on_depth, or run it over bars.",
            )
        return cls.Parameters

    def check(self, config: RunConfig) -> None:
        build_parameters(self.parameters(config.strategy), dict(config.parameters))
        _check_shape(config)

    def run(
        self, config: RunConfig, bars: Sequence[BarWindow], *, progress: ReportProgress, is_cancelled: IsCancelled, seed: int
    ) -> RunRecords:
        spec, tape = bars[0].instrument, tape_of(bars[0])

        def watch(done: int) -> None:
            _stop_if(is_cancelled)
            progress(done, len(tape))

        sizing, size = sizing_of(config, spec)
        plan = EventPlan(_first_tick(config, tape), sizing, size, config.closes_at_end, watch=watch)
        strategy = build_event_strategy(config.strategy, dict(config.parameters))
        return simulate_event_ticks(strategy, spec, engine_profile(config), tape, cash=config.capital, plan=plan).records()


@runner(RunMode.VECTOR, over_ticks=True)
class TickVectorRunner:
    """Arrays of signals over quotes: a bar of the strategy is a quote, its prices are the middle. Market orders of one size, in and out."""

    def parameters(self, strategy: str) -> type[Any]:
        return vector_strategy_class(strategy).Parameters

    def check(self, config: RunConfig) -> None:
        build_parameters(self.parameters(config.strategy), dict(config.parameters))
        _check_shape(config)

    def run(
        self, config: RunConfig, bars: Sequence[BarWindow], *, progress: ReportProgress, is_cancelled: IsCancelled, seed: int
    ) -> RunRecords:
        spec, whole = bars[0].instrument, tape_of(bars[0])
        tape = _quoted(whole)
        progress(0, len(whole))
        signals = _signals(build_vector_strategy(config.strategy, dict(config.parameters)), spec, tape)
        signals.bits[: _first_tick(config, tape)] = 0
        lots = _lots(config, spec, signals)
        closes_at = int(whole.at[-1]) if config.closes_at_end and len(whole) else None
        run = simulate_quote_signals(
            spec, engine_profile(config), tape.quotes, signals.bits, lots=lots, cash=config.capital, closes_at=closes_at
        )
        _stop_if(is_cancelled)
        moments, equity = equity_by_moment(run.engine, whole, run.opening_cash)
        progress(len(whole), len(whole))
        return replace(run, equity=equity, closed_at=moments).records()


def _quoted(tape: Tape) -> Tape:
    """The quotes of a tape alone: market orders meet nothing else."""
    if tape.count(TickKind.DEPTH):
        raise InvalidInput(
            "Signals are traded on quotes, and the file has depth.",
            where="ticks",
            hint="Use an event strategy with on_depth, or leave it out.",
        )
    return Tape.of(quotes=tape.quotes)


def _signals(strategy: VectorStrategy, spec: InstrumentSpec, tape: Tape) -> Signals:
    middle, unknown = (tape.bid + tape.ask) // 2, np.full(len(tape), -1, np.int64)
    bits: Int8Array = np.zeros(len(tape), np.int8)
    try:
        signals = strategy.signals(VectorBars(tape.at, tape.at, middle, middle, middle, middle, unknown, spec), bits=bits)
    except TradingError:
        raise
    except Exception as error:
        raise InvalidInput(f"{type(strategy).__name__} raised {type(error).__name__}: {error}", where="strategy") from error
    signals.check(len(bits))
    return signals


def _lots(config: RunConfig, spec: InstrumentSpec, signals: Signals) -> int:
    """What every entry buys. Raises InvalidInput for signals that ask for more than going in and out with one size."""
    prices = (signals.stops, signals.targets, signals.entry_prices, signals.entry_moves)
    has_prices = any(column.any() for column in prices) or signals.stop_ppm or signals.target_ppm or signals.trail_ppm
    if has_prices or signals.exits is not None or len(signals.lots) > 1 or signals.sizing != BY_LOTS:
        raise InvalidInput(
            "Over quotes signals go in and out at market with one size, without stops, targets or limits.",
            where="signals",
            hint="Write it as an event strategy with on_quote.",
        )
    if signals.lots[0]:
        return int(signals.lots[0])
    if config.sizing.method is not SizingMethod.QUANTITY:
        raise InvalidInput(
            f"Over quotes signals trade one size, and sizing by {config.sizing.method} changes with each entry.",
            where="sizing.method",
            hint="Give a quantity, such as --sizing quantity=1.",
        )
    return sizing_of(config, spec)[1]


def _check_shape(config: RunConfig) -> None:
    if config.signal_timeframe is not None or config.latency_bars:
        raise InvalidInput(
            "Ticks have no bars: neither another timeframe for signals nor a latency in bars.",
            where="latency_bars" if config.latency_bars else "signal_timeframe",
            hint="Give the latency in milliseconds.",
        )
    if not 0 <= config.latency_ms <= MOST_LATENCY_MS:
        raise InvalidInput(f"Latency must be 0 to {MOST_LATENCY_MS} milliseconds.", where="latency_ms")
    if config.sizing.method is SizingMethod.RISK:
        raise InvalidInput(
            "Sizing by risk belongs to the decision cycle of a session.",
            where="sizing.method",
            hint="Use all, fraction, value or quantity.",
        )


def _first_tick(config: RunConfig, tape: Tape) -> int:
    """Ticks before it are warm-up."""
    return 0 if config.trade_from is None else int(np.searchsorted(tape.at, to_micros(config.trade_from)))


def _stop_if(is_cancelled: IsCancelled) -> None:
    if is_cancelled():
        raise RunCancelled("The run was cancelled.")
