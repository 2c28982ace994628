"""A strategy as `decide(bars)`, whatever its form, so that it can be checked for looking ahead and for its warm-up.

Vector strategies decide by their signals, sessions' strategies by their signal without a position and without a forecast, event strategies by
the orders that they give. Orders depend on what was held, so the warm-up of an event strategy cannot be told from them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
import numpy as np

from apps.backtests.domain.config import RunConfig, RunMode
from apps.backtests.domain.look_ahead import LookAheadReport, WarmUpReport, check_look_ahead, check_warm_up
from apps.backtests.domain.pool import bar_columns
from apps.backtests.domain.research_run import run_events, run_pool_events
from apps.backtests.domain.runners import check_strategy
from apps.core.ids import deterministic_uuid
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.forecasts.contracts import ForecastRefusal, NoForecast
from apps.markets.contracts import BarWindow
from apps.orders.domain.engine import NewOrder
from apps.orders.domain.engine_codes import Reason
from apps.strategies.domain.event_strategy import Desk, EventStrategy, build_event_strategy, event_strategy_class
from apps.strategies.domain.strategy import Context, build_strategy
from apps.strategies.domain.vector_strategy import BY_BAR, VectorBars, build_vector_strategy

Decide = Callable[[BarWindow], list[Any]]
A = TypeVar("A")

_NO_FORECAST = NoForecast(ForecastRefusal.NO_MODEL, "Strategies are checked without a model.")
_FIRST_DAY = 14_610
_DAY = 86_400_000_000


@dataclass(frozen=True)
class StrategyCheck:
    """What was found; `warm_up` is None where it cannot be told. `notes` say what was not checked."""

    look_ahead: LookAheadReport
    warm_up: WarmUpReport | None
    notes: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        return self.look_ahead.is_clean and (self.warm_up is None or self.warm_up.is_clean)


def check_decisions(
    config: RunConfig,
    bars: BarWindow,
    *,
    seed: int,
    cuts: int,
    warmup_bars: int | None,
    tolerance: float,
    beside: Sequence[BarWindow] = (),
) -> StrategyCheck:
    """Check the configuration's strategy on these bars. `warmup_bars` replaces what the strategy declares. `beside` are the bars of all instruments
    of a run, these among them: a strategy that trades several is told them all, while only the future of these is changed.

    Raises NotFound for an unknown strategy, InvalidInput for too few bars and where the strategy raises."""
    check_strategy(config)
    decide = decide_of(config, beside)
    look_ahead = check_look_ahead(decide, bars, seed=seed, cuts=cuts)
    declared = declared_warmup(config) if warmup_bars is None else warmup_bars
    if config.mode is RunMode.EVENT:
        return StrategyCheck(look_ahead, None, ("The warm-up of an event strategy shows in its orders only, so it was not checked.",))
    if declared is None:
        note = "It declares no warm-up; give --warm-up to check one."
        return StrategyCheck(look_ahead, None, (note,))
    warm_up = check_warm_up(decide, bars, warmup_bars=declared, seed=seed, starts=cuts, tolerance=tolerance)
    notes = ("Forecasts were not given: what it does with one was not checked.",) if config.mode is RunMode.SESSION else ()
    return StrategyCheck(look_ahead, warm_up, notes)


def decide_of(config: RunConfig, beside: Sequence[BarWindow] = ()) -> Decide:
    """One decision per bar of a window; see `check_decisions` for what is beside it."""
    if config.mode is RunMode.VECTOR:
        return lambda bars: _signals(config, bars)
    if config.mode is RunMode.SESSION:
        return lambda bars: _judgements(config, bars)
    if len(beside) > 1 and event_strategy_class(config.strategy).trades_several:
        return lambda bars: _orders_of_several(config, bars, beside)
    return lambda bars: _orders(config, bars)


def declared_warmup(config: RunConfig) -> int | None:
    """The bars that the strategy says it needs; None where it says nothing."""
    if config.mode is RunMode.SESSION:
        return build_strategy(config.strategy, dict(config.parameters)).warmup_bars
    return None


def sample_bars(count: int, *, seed: int, timeframe: Timeframe) -> BarWindow:
    """Bars of a random walk, for a check that needs no data: the same seed gives the same bars."""
    source = np.random.Generator(np.random.PCG64(seed))
    closes = np.rint(10_000 * np.exp(np.cumsum(source.normal(0.0, 0.01, count)))).astype(np.int64).clip(100)
    opens = np.concatenate([closes[:1], closes[:-1]])
    reach = source.integers(0, 100, (2, count))
    length = int(timeframe.duration.total_seconds()) * 1_000_000
    opened = _FIRST_DAY * _DAY + np.arange(count, dtype=np.int64) * length
    return BarWindow(
        _sample_instrument(), timeframe, opened, opened + length, opens, np.maximum(opens, closes) + reach[0],
        (np.minimum(opens, closes) - reach[1]).clip(1), closes, source.integers(1, 1_000, count), np.zeros(count, np.int64),
    )  # fmt: skip


def _sample_instrument() -> InstrumentSpec:
    return InstrumentSpec(
        id=deterministic_uuid("sample"), venue_id=deterministic_uuid("samples"), symbol="SAMPLE", base_asset="SAMPLE", quote_asset="USD",
        price_scale=2, volume_scale=0, cash_scale=8, tick_size=Decimal("0.01"), lot_size=Decimal(1), min_quantity=Decimal(1),
        min_notional=Decimal(0), max_price=Decimal(100_000), max_quantity=Decimal(100_000),
    )  # fmt: skip


def _signals(config: RunConfig, bars: BarWindow) -> list[Any]:
    given = VectorBars.of(bars.instrument, bar_columns(bars))
    strategy = build_vector_strategy(config.strategy, dict(config.parameters))
    signals = strategy.signals(given, bits=np.zeros(len(bars), np.int8))
    signals.check(len(bars))
    columns_of = [getattr(signals, name) for name in ("bits", *BY_BAR)]
    return list(zip(*(np.broadcast_to(array, len(bars)).tolist() for array in columns_of), strict=True))


def _judgements(config: RunConfig, bars: BarWindow) -> list[Any]:
    """Each bar with no more than the history in front of it; before the warm-up there is no decision."""
    strategy = build_strategy(config.strategy, dict(config.parameters))
    needed = strategy.warmup_bars
    found: list[Any] = [None] * len(bars)
    for bar in range(needed - 1, len(bars)):
        window = _until(bars, bar + 1)
        signal = strategy.decide(Context(bars.instrument, window, {}, _NO_FORECAST, Decimal(0)))
        found[bar] = (str(signal.direction), signal.strength, signal.confidence, signal.is_refused)
    return found


def _orders(config: RunConfig, bars: BarWindow) -> list[Any]:
    """What was asked of the desk since the bar before: orders as they were given, whatever became of them."""
    alone = msgspec.structs.replace(config, currency=bars.instrument.quote_asset)
    strategy = build_event_strategy(config.strategy, dict(config.parameters))
    heard = _Listener(strategy)
    run_events(strategy, alone, bars)
    return heard.by_bar(bars)


def _orders_of_several(config: RunConfig, bars: BarWindow, beside: Sequence[BarWindow]) -> list[Any]:
    """The same of a strategy that is told other instruments' bars as well; orders between two bars belong to the second."""
    strategy = build_event_strategy(config.strategy, dict(config.parameters))
    heard = _Listener(strategy)
    run_pool_events(lambda: strategy, config, [bars if window.instrument == bars.instrument else window for window in beside])
    return heard.by_bar(bars)


class _Listener:
    """Takes down each call of a strategy with the time of the event that brought it."""

    def __init__(self, strategy: EventStrategy) -> None:
        self.calls: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        self._now = 0
        start_on, on_bar, on_fill = strategy.start_on, strategy.on_bar, strategy.on_fill
        strategy.start_on = lambda desks: start_on([_HeardDesk(desk, self, of_several=len(desks) > 1) for desk in desks])  # type: ignore[method-assign]
        strategy.on_bar = lambda bar: self._tell(on_bar, bar)  # type: ignore[method-assign]
        strategy.on_fill = lambda fill: self._tell(on_fill, fill)  # type: ignore[method-assign]

    def by_bar(self, bars: BarWindow) -> list[Any]:
        """The calls up to each close, from the close before on."""
        found: list[list[tuple[Any, ...]]] = [[] for _ in range(len(bars))]
        for at in sorted(self.calls):
            bar = int(np.searchsorted(bars.closed_at, at))
            if bar < len(bars):
                found[bar] += self.calls[at]
        return found

    def note(self, call: str, terms: object, answer: A) -> A:
        """Take down a call."""
        self.calls[self._now].append((call, terms, answer))
        return answer

    def _tell(self, hear: Callable[[Any], None], event: Any) -> None:
        self._now = event.at
        hear(event)


class _HeardDesk:
    """A desk whose calls are taken down."""

    def __init__(self, desk: Desk, heard: _Listener, *, of_several: bool) -> None:
        self._desk, self._heard, self._of_several = desk, heard, of_several

    def submit(self, order: NewOrder) -> int:
        return self._note("submit", order, self._desk.submit(order))

    def cancel(self, ticket: int) -> Reason:
        return self._note("cancel", ticket, self._desk.cancel(ticket))

    def cancel_all(self, *, only_exits: bool = False) -> int:
        return self._note("cancel all", only_exits, self._desk.cancel_all(only_exits=only_exits))

    def amend(self, ticket: int, *, lots: int | None, limit: int | None, stop: int | None) -> Reason:
        return self._note("amend", (ticket, lots, limit, stop), self._desk.amend(ticket, lots=lots, limit=limit, stop=stop))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    def _note(self, call: str, terms: object, answer: A) -> A:
        return self._heard.note(call, (self._desk.instrument.symbol, terms) if self._of_several else terms, answer)


def _until(bars: BarWindow, stop: int) -> BarWindow:
    return BarWindow(
        bars.instrument, bars.timeframe, bars.opened_at[:stop], bars.closed_at[:stop], bars.open[:stop], bars.high[:stop], bars.low[:stop],
        bars.close[:stop], bars.volume[:stop], bars.flags[:stop],
    )  # fmt: skip
