"""The check finds a strategy that peeks and one that needs more history than it says, in every form of strategy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pytest

from apps.backtests.domain.config import RunConfig, RunMode
from apps.backtests.domain.strategy_check import StrategyCheck, check_decisions, sample_bars
from apps.core.errors import NotFound
from apps.core.vocabulary import Direction, Timeframe
from apps.markets.contracts import BarWindow
from apps.strategies.domain import event_strategy as events
from apps.strategies.domain import strategy as sessions
from apps.strategies.domain import vector_strategy as vectors
from apps.strategies.domain.exit_plan import ExitPlan
from apps.strategies.domain.signals import Signal


@dataclass(frozen=True)
class Nothing:
    """No parameters."""


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    kept = [(module, dict(module._registry)) for module in (sessions, vectors, events)]
    yield
    for module, before in kept:
        registry: dict[str, Any] = module._registry
        registry.clear()
        registry.update(before)


def checked(mode: RunMode, kind: str, *, bars: int = 120, warmup_bars: int | None = None) -> StrategyCheck:
    config = RunConfig(strategy=kind, timeframe=Timeframe.D1, mode=mode, capital=Decimal(1_000_000))
    return check_decisions(
        config, sample_bars(bars, seed=5, timeframe=Timeframe.D1), seed=5, cuts=8, warmup_bars=warmup_bars, tolerance=1e-9
    )


def vector(kind: str, wanted: Any) -> None:
    @vectors.vector_strategy(kind, title=kind)
    class Made(vectors.VectorStrategy):
        Parameters = Nothing

        def signals(self, bars: vectors.VectorBars, *, bits: npt.NDArray[np.int8]) -> vectors.Signals:
            bits[:] = wanted(bars)
            return vectors.Signals(bits=bits, lots=np.array([1], np.int64))


def test_a_vector_strategy_that_sees_tomorrow_is_caught() -> None:
    vector("honest_vector", lambda bars: np.where(np.diff(bars.close, prepend=bars.close[:1]) > 0, 1, 2))
    vector("peeking_vector", lambda bars: np.where(np.roll(bars.close, -1) > bars.close, 1, 2))
    assert checked(RunMode.VECTOR, "honest_vector", warmup_bars=2).is_clean
    peeking = checked(RunMode.VECTOR, "peeking_vector").look_ahead
    assert not peeking.is_clean and peeking.peeks[0].bars_ahead == 1


def test_an_exit_price_that_knows_tomorrow_is_caught() -> None:
    @vectors.vector_strategy("peeking_price", title="Peeking price")
    class Made(vectors.VectorStrategy):
        Parameters = Nothing

        def signals(self, bars: vectors.VectorBars, *, bits: npt.NDArray[np.int8]) -> vectors.Signals:
            bits[:] = np.where(bars.close > bars.open, 1, 2)
            prices = np.ascontiguousarray(np.roll(bars.high, -1))
            return vectors.Signals(bits=bits, lots=np.array([1], np.int64), exits=ExitPlan(stop_ppm=50_000), exit_prices=prices)

    assert not checked(RunMode.VECTOR, "peeking_price").look_ahead.is_clean


def test_a_vector_strategy_that_normalises_by_all_bars_is_caught() -> None:
    vector("normalised_vector", lambda bars: np.where(bars.close > bars.close.mean(), 1, 2))
    assert not checked(RunMode.VECTOR, "normalised_vector").is_clean


def test_a_session_strategy_that_needs_more_than_it_says_is_caught() -> None:
    @sessions.strategy("forgetful", title="Forgetful")
    class Forgetful(sessions.Strategy):
        Parameters = Nothing

        @property
        def warmup_bars(self) -> int:
            return 5

        def decide(self, context: sessions.Context) -> Signal:
            strength = float(context.window.close[-12:].mean())
            return Signal(Direction.LONG, strength, 0.5, "")

    found = checked(RunMode.SESSION, "forgetful")
    assert found.look_ahead.is_clean
    assert found.warm_up is not None and found.warm_up.needed_bars == 12
    assert checked(RunMode.SESSION, "forgetful", warmup_bars=12).is_clean


def test_an_event_strategy_is_judged_by_its_orders() -> None:
    @events.event_strategy("in_and_out", title="In and out")
    class InAndOut(events.EventStrategy):
        Parameters = Nothing

        def on_bar(self, bar: events.BarEvent) -> None:
            if not self.position:
                self.buy(1)
            elif bar.close < bar.open:
                self.close()

    found = checked(RunMode.EVENT, "in_and_out")
    assert found.look_ahead.is_clean and found.warm_up is None and found.notes

    closes = sample_bars(120, seed=5, timeframe=Timeframe.D1).close * 0.01

    @events.event_strategy("remembering", title="Remembering")
    class Remembering(events.EventStrategy):
        """Knows these very bars by heart, so it acts otherwise when the future is another one: it reads the last bar told in the run before."""

        Parameters = Nothing
        last_close = float(closes[-1])

        def on_bar(self, bar: events.BarEvent) -> None:
            if not self.position and type(self).last_close > bar.close:
                self.buy(1)
            elif self.position:
                self.close()
            if bar.index == 119:
                type(self).last_close = bar.close

    assert not checked(RunMode.EVENT, "remembering").look_ahead.is_clean


def test_orders_are_judged_as_they_were_given_not_by_what_later_bars_made_of_them() -> None:
    """Protection is sized and priced by fills of later bars, and moved by the strategy later: none of that is looking ahead."""

    @events.event_strategy("protected", title="Protected")
    class Protected(events.EventStrategy):
        Parameters = Nothing
        ticket = -1

        def on_bar(self, bar: events.BarEvent) -> None:
            if not self.position:
                self.buy(stop_loss_percent=2, trailing_stop_percent=3)
                self.ticket = self.sell(5, limit=bar.close * 1.5)
            elif bar.index % 7 == 0:
                self.amend(self.ticket, limit=bar.close * 1.4)

        def on_fill(self, fill: events.FillEvent) -> None:
            if fill.tag == events.TAG_STOP:
                self.desk.cancel_all()

    assert checked(RunMode.EVENT, "protected").look_ahead.is_clean


def test_sample_bars_are_bars_and_the_same_for_a_seed() -> None:
    bars = sample_bars(500, seed=9, timeframe=Timeframe.H1)
    again = sample_bars(500, seed=9, timeframe=Timeframe.H1)
    assert np.array_equal(bars.close, again.close) and (np.diff(bars.opened_at) > 0).all()
    assert (bars.low > 0).all() and (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()


def test_an_unknown_strategy_is_named() -> None:
    with pytest.raises(NotFound):
        checked(RunMode.VECTOR, "nonsense")


def test_a_strategy_of_several_is_checked_with_all_of_them_beside() -> None:
    """The honest one looks at both instruments; the other one remembers how the second one ended in the run before."""
    first, second = (sample_bars(60, seed=seed, timeframe=Timeframe.D1) for seed in (5, 6))
    second = replace(second, instrument=replace(second.instrument, id=uuid4(), symbol="OTHER"))
    config = RunConfig(strategy="both", timeframe=Timeframe.D1, mode=RunMode.EVENT, capital=Decimal(1_000_000))

    @events.event_strategy("both", title="Both")
    class Both(events.EventStrategy):
        Parameters = Nothing
        trades_several = True
        last_of_other = 0.0
        remembers = False

        def on_bar(self, bar: events.BarEvent) -> None:
            if bar.symbol == "OTHER" and bar.index == 59:
                type(self).last_of_other = bar.close
            is_up = type(self).last_of_other > bar.close if self.remembers else bar.close > bar.open
            if is_up and not self.position_of("OTHER"):
                self.buy(1, symbol="OTHER")
            elif self.position_of("OTHER"):
                self.close("OTHER")

    def found(bars: BarWindow) -> StrategyCheck:
        return check_decisions(config, bars, seed=5, cuts=6, warmup_bars=None, tolerance=0.0, beside=[first, second])

    assert found(first).is_clean and found(second).is_clean
    Both.remembers = True
    assert not found(second).look_ahead.is_clean
