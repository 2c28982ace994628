"""Arrays told as events give the fills of the compiled rule: the rule of `simulate_nb` has a second, plain form that sessions run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.backtests.domain.event_run import simulate_event_bars
from apps.backtests.domain.vector_run import simulate_signals
from apps.orders.domain.profiles import DEFAULT, FREQTRADE, IDEAL, EngineProfile
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.vector_events import VectorAsEvents
from apps.strategies.domain.vector_strategy import Signals, VectorBars, VectorStrategy
from tests.factories.windows import make_spec

BARS = 80
MINUTE = 60_000_000
SPEC = make_spec(price_scale=2)
PROFILES = [
    replace(DEFAULT, volume_share=Decimal("0.2")),
    replace(DEFAULT, allows_short=True, leverage=Decimal(3)),
    IDEAL,
    FREQTRADE,
]


@dataclass(frozen=True)
class Plan:
    signals: Signals


class Planned(VectorStrategy):
    """Signals that were drawn before, cut to the bars so far."""

    kind = "planned"
    title = "Planned"
    Parameters = Plan

    def signals(self, bars: VectorBars, *, bits: npt.NDArray[np.int8]) -> Signals:
        plan: Signals = self.parameters.signals
        count = len(bars)
        bits[:] = plan.bits[:count]
        return replace(plan, bits=bits, lots=_cut(plan.lots, count), stops=_cut(plan.stops, count), targets=_cut(plan.targets, count))


def _cut(column: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    return column if len(column) == 1 else column[:count]


def bars_of(seed: int) -> BarColumns:
    chance = np.random.default_rng(seed)
    close = np.maximum(np.rint(10_000 * np.exp(np.cumsum(chance.normal(0, 0.01, BARS)))), 500).astype(np.int64)
    open_ = np.maximum(np.concatenate([close[:1], close[:-1]]) + chance.integers(-80, 81, BARS), 100)
    high = np.maximum(open_, close) + chance.integers(0, 150, BARS)
    low = np.maximum(np.minimum(open_, close) - chance.integers(0, 150, BARS), 50)
    opened = np.arange(BARS, dtype=np.int64) * MINUTE
    return BarColumns(opened, opened + MINUTE, open_, high, low, close, chance.integers(-1, 200, BARS))


@st.composite
def signals_and_bars(draw: st.DrawFn) -> tuple[Signals, BarColumns]:
    bars = bars_of(draw(st.integers(0, 10**6)))
    chance = np.random.default_rng(draw(st.integers(0, 10**6)))
    bits = (chance.integers(0, 16, BARS) * (chance.random(BARS) < draw(st.sampled_from([0.1, 0.4, 0.9])))).astype(np.int8)
    lots = np.array([20], np.int64) if draw(st.booleans()) else chance.integers(0, 40, BARS)
    none = np.zeros(1, np.int64)
    has_prices = draw(st.booleans())
    stops = np.maximum(bars.close - 200, 1) if has_prices else none
    targets = bars.close + 250 if has_prices else none
    ppm = st.sampled_from([0, 5_000, 20_000])
    signals = Signals(bits, lots, stops, targets, stop_ppm=draw(ppm), target_ppm=draw(ppm), trail_ppm=draw(ppm))
    return signals, bars


@settings(max_examples=100, deadline=None)
@given(drawn=signals_and_bars(), profile=st.sampled_from(PROFILES))
def test_both_forms_of_the_rule_fill_alike(drawn: tuple[Signals, BarColumns], profile: EngineProfile) -> None:
    signals, bars = drawn
    compiled = simulate_signals(SPEC, profile, bars, signals, cash=Decimal(100_000))
    told = simulate_event_bars(VectorAsEvents(Planned(Plan(signals))), SPEC, profile, bars, cash=Decimal(100_000))
    assert told.fills.tolist() == compiled.fills.tolist()
    assert told.orders[:, :12].tolist() == compiled.orders[:, :12].tolist()
    assert told.equity.tolist() == compiled.equity.tolist()
