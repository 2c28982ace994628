"""A strategy as arrays, as events, and in paper in either form: the same fills to the unit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from django.db.models import Count

from apps.backtests.domain.event_run import simulate_event_bars
from apps.backtests.domain.vector_run import simulate_signals
from apps.backtests.services.repeating import repeat_paper
from apps.orders.domain.profiles import EngineProfile
from apps.orders.models import Fill
from apps.orders.selectors.simulated import simulated_profile
from apps.strategies.domain.event_strategy import build_event_strategy
from apps.strategies.domain.vector_strategy import VectorBars, build_vector_strategy
from tests.minutes import CAPITAL, MinuteWorld, Traded, columns_of, minutes_of_file, paper_fills, run_fills, walk
from tests.outside import case_path

pytestmark = pytest.mark.django_db

BARS = 150
CROSS = {
    "fast_bars": 3,
    "slow_bars": 8,
    "quantity": 4.0,
    "stop_loss_percent": 0.1,
    "take_profit_percent": 0.5,
    "trailing_stop_percent": 0.4,
}
BITCOIN = {**CROSS, "quantity": 8.0, "stop_loss_percent": 0.08, "take_profit_percent": 0.1, "trailing_stop_percent": 0.12}


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


def check_forms(world: MinuteWorld, parameters: Mapping[str, object]) -> list[Traded]:
    """Paper, the two plain runs, and the run of sessions in memory: the fills that all of them have."""
    paper = paper_fills(world.account_id, world.instrument)
    assert paper == event_fills(world, parameters)
    assert paper == vector_fills(world, parameters)
    repeated = repeat_paper(world.account_id)
    assert repeated.differences == []
    assert run_fills(repeated.run.engine.fill_rows(), world.instrument) == paper
    return paper


@pytest.mark.parametrize("kind", ["ema_cross", "vector:ema_cross"])
def test_arrays_events_and_paper_fill_alike_on_a_random_walk(kind: str) -> None:
    world = MinuteWorld(walk(BARS, seed=20260102))
    world.open_session(kind, **CROSS)
    world.step(BARS - 1)
    reasons = [fill.reason for fill in check_forms(world, CROSS)]
    assert {"MARKET_AT_OPEN", "STOP_TRIGGERED", "TRAIL_TRIGGERED", "LIMIT_CROSSED"} <= set(reasons)
    assert len(reasons) > 20
    assert orders_in_parts(world) > 2


def test_arrays_events_and_paper_fill_alike_on_minutes_of_bitcoin() -> None:
    path = case_path("bars", "btc-perp-1m-20211231-20220201.csv.gz")
    world = MinuteWorld(minutes_of_file(path, first=9_000, bars=BARS))
    world.open_session("ema_cross", **BITCOIN)
    world.step(BARS - 1)
    assert len(check_forms(world, BITCOIN)) > 10
    assert orders_in_parts(world) > 0


def orders_in_parts(world: MinuteWorld) -> int:
    """Orders that more than one fill was needed for."""
    fills = Fill.objects.filter(account_id=world.account_id).values("order").annotate(parts=Count("id"))
    return fills.filter(parts__gt=1).count()
