"""A strategy as arrays, as events, and in paper in either form: the same fills to the unit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from apps.backtests.domain.event_run import simulate_event_bars
from apps.backtests.domain.vector_run import simulate_signals
from apps.backtests.services.repeating import repeat_paper
from apps.orders.domain.profiles import EngineProfile
from apps.orders.selectors.simulated import simulated_profile
from apps.strategies.domain.event_strategy import build_event_strategy
from apps.strategies.domain.vector_strategy import VectorBars, build_vector_strategy
from tests.minutes import CAPITAL, MinuteWorld, Traded, columns_of, paper_fills, run_fills, walk

pytestmark = pytest.mark.django_db

BARS = 120
CROSS = {
    "fast_bars": 3,
    "slow_bars": 8,
    "quantity": 4.0,
    "stop_loss_percent": 0.35,
    "take_profit_percent": 0.6,
    "trailing_stop_percent": 0.5,
}


def vector_fills(world: MinuteWorld, parameters: Mapping[str, object]) -> list[Traded]:
    columns, spec = columns_of(world.window()), world.instrument
    bars = VectorBars(spec, columns.opened_at, columns.closed_at, columns.open, columns.high, columns.low, columns.close, columns.volume)
    signals = build_vector_strategy("ema_cross", dict(parameters)).signals(bars, bits=np.zeros(len(bars), np.int8))
    return run_fills(simulate_signals(spec, profile_of(world), columns, signals, cash=CAPITAL).fills, spec)


def event_fills(world: MinuteWorld, parameters: Mapping[str, object]) -> list[Traded]:
    strategy, spec = build_event_strategy("ema_cross", dict(parameters)), world.instrument
    return run_fills(simulate_event_bars(strategy, spec, profile_of(world), columns_of(world.window()), cash=CAPITAL).fills, spec)


def profile_of(world: MinuteWorld) -> EngineProfile:
    return simulated_profile(world.account_id)


@pytest.mark.parametrize("kind", ["ema_cross", "vector:ema_cross"])
def test_arrays_events_and_paper_fill_alike_on_a_random_walk(kind: str) -> None:
    world = MinuteWorld(walk(BARS, seed=20260102))
    world.open_session(kind, **CROSS)
    world.step(BARS - 1)
    paper = paper_fills(world.account_id, world.instrument)
    assert paper == event_fills(world, CROSS) == vector_fills(world, CROSS)
    assert len(paper) > 12
    repeated = repeat_paper(world.account_id)
    assert repeated.differences == []
    assert len(repeated.run.fills) == len(paper)
