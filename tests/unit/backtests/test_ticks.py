"""Ticks: a run over a tape is what the oracle makes of the same ticks, whatever of them the engine skips."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.backtests.domain.event_ticks import simulate_event_ticks
from apps.core.errors import OutOfBounds
from apps.orders.domain import engine_codes as code
from apps.orders.domain.profiles import IDEAL
from tests.unit.backtests.engine_driver import EngineDriver
from tests.unit.backtests.seeds import fresh_seed
from tests.unit.backtests.tick_world import BesideTheOracle, one_instrument, tape_of, ticks_of
from tests.unit.backtests.worlds import Dice


@pytest.mark.parametrize("round_", range(25))
def test_a_run_over_a_tape_is_what_the_oracle_makes_of_it(round_: int) -> None:
    dice = Dice(fresh_seed())
    world = one_instrument(dice)
    ticks = ticks_of(dice, world, 80)
    tape, driver = tape_of(ticks), EngineDriver(world)
    strategy = BesideTheOracle(dice, world, ticks)
    profile = replace(IDEAL, latency_us=world.latency_us)
    try:
        run = simulate_event_ticks(strategy, driver.engine.instruments[0], profile, tape, cash=Decimal(1))
    except OutOfBounds as error:
        assert strategy.overflows_at(int(error.where[6:-1]))
        return
    driver.engine = run.engine
    run.engine.places[0, code.I_MARK] = strategy.oracle.venue.state.places[0].mark
    assert driver.books() == strategy.oracle.books()
    opening = run.opening_cash - world.cash[0]
    assert (run.equity - opening).tolist() == list(strategy.equity_then.values())
    assert run.closed_at.tolist() == list(strategy.equity_then)
