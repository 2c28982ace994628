"""Sessions of event strategies: restarts, kills, late bars, stopping, failing, other parameters."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connections

from apps.backtests.domain.event_run import simulate_event_bars
from apps.backtests.services.repeating import repeat_paper
from apps.common.failpoints import EXIT_CODE, arm_failpoints
from apps.markets import selectors as markets
from apps.orders import selectors as orders
from apps.orders.contracts import OPEN_STATUSES
from apps.orders.models import Order
from apps.orders.selectors.simulated import simulated_profile
from apps.orders.services import request_cancel
from apps.risk.models import Reservation
from apps.strategies import selectors, services
from apps.strategies.contracts import Outcome, SessionState
from apps.strategies.domain.event_session import EventSession
from apps.strategies.management.commands.run_sessions import SessionOwner
from apps.strategies.models import Decision, TradingSession
from apps.strategies.services import event_sessions
from tests.factories.scripted import KIND, Scripted, ScriptedParameters, registered
from tests.minute_series import walk
from tests.minutes import CAPITAL, MinuteWorld, columns_of, paper_fills, run_fills

BARS = 50


@pytest.fixture(autouse=True)
def scripted() -> Iterator[None]:
    with registered():
        event_sessions._living.clear()
        yield
        event_sessions._living.clear()


def open_world(*, bars: int = BARS, seed: int = 5) -> MinuteWorld:
    return MinuteWorld(walk(bars + 1, seed=seed))


def living(session_id: UUID) -> EventSession:
    return event_sessions._living[session_id].session


@pytest.mark.django_db
def test_every_kind_of_order_fills_as_in_the_plain_run_and_a_restart_at_every_bar_changes_nothing() -> None:
    world = open_world()
    session_id = world.open_session(KIND, seed=11)
    for bar in range(BARS):
        if bar % 3:
            event_sessions._living.clear()
            world.reopen_after_death()
        world.step()
    strategy = Scripted(ScriptedParameters(seed=11))
    plain = simulate_event_bars(strategy, world.instrument, simulated_profile(world.account_id), columns_of(world.window()), cash=CAPITAL)
    assert paper_fills(world.account_id, world.instrument) == run_fills(plain.fills, world.instrument)
    assert len(plain.fills) > 15
    told = living(session_id).strategy
    assert isinstance(told, Scripted)
    assert (told.told, told.tickets) == (strategy.told, strategy.tickets)
    assert list(living(session_id).desk.tickets) == list(range(len(plain.orders)))
    assert repeat_paper(world.account_id).differences == []


def decide_in_child(failpoint: str) -> int:
    """Let a process of its own decide the bar and die at a failpoint; its exit status."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            arm_failpoints(failpoint)
            SessionOwner().work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_before_or_after_its_commit_leaves_the_same_orders_and_the_same_strategy() -> None:
    world = open_world(bars=24, seed=8)
    session_id = world.open_session(KIND, seed=3)
    for bar in range(23):
        world.play()
        world.executor.work()
        if bar % 2:
            world.reopen_after_death()
            name = "cycle.before_decision_stored" if bar % 4 == 1 else "cycle.after_decisions_committed"
            assert decide_in_child(name) == EXIT_CODE
            event_sessions._living.clear()
            world.reopen_after_death()
        world.settle()
    strategy = Scripted(ScriptedParameters(seed=3))
    plain = simulate_event_bars(strategy, world.instrument, simulated_profile(world.account_id), columns_of(world.window()), cash=CAPITAL)
    assert paper_fills(world.account_id, world.instrument) == run_fills(plain.fills, world.instrument)
    assert len(plain.fills) > 5
    told = living(session_id).strategy
    assert isinstance(told, Scripted)
    assert (told.told, told.tickets) == (strategy.told, strategy.tickets)
    assert orders.audit() == []


@pytest.mark.django_db
def test_a_strategy_that_raises_fails_its_session_orders_nothing_and_keeps_its_protection() -> None:
    world = open_world()
    session_id = world.open_session("ema_cross", fast_bars=2, slow_bars=3, quantity=1.0, stop_loss_percent=20.0, exits_on_cross=False)
    world.step_until(lambda: orders.session_position(session_id, world.instrument.id))
    failing = world.open_session(KIND, seed=1, fails_at=2)
    world.step(3)
    row = selectors.session(failing)
    assert (row.state, row.state_reason) == (
        SessionState.FAILED,
        "Scripted raised ZeroDivisionError: planned. The session stops and keeps what it holds.",
    )
    assert Decision.objects.filter(session_id=failing).order_by("-bar_at")[0].outcome == Outcome.FAILED
    assert not Order.objects.filter(origin_id=failing, market_at=markets.venue(world.venue_id).now_at).exists()
    assert selectors.session(session_id).state is SessionState.RUNNING
    assert orders.orders(origin_id=session_id, statuses=OPEN_STATUSES), "the stop still protects"


@pytest.mark.django_db
def test_an_endless_loop_of_orders_fails_the_session_and_nothing_of_it_is_left() -> None:
    world = open_world()
    session_id = world.open_session(KIND, loops_at=0)
    world.step()
    row = selectors.session(session_id)
    assert row.state is SessionState.FAILED
    assert row.state_reason.startswith("Scripted raised The strategy gave more than 100 orders on one bar.")
    assert not Order.objects.filter(origin_id=session_id).exists()
    assert not Reservation.objects.filter(ended_at=None).exists()


@pytest.mark.django_db
def test_stopping_cancels_what_is_open_and_sells_what_is_held() -> None:
    world = open_world()
    session_id = world.open_session(
        "vector:ema_cross", fast_bars=2, slow_bars=3, quantity=4.0, stop_loss_percent=20.0, take_profit_percent=20.0
    )
    world.step_until(lambda: orders.session_position(session_id, world.instrument.id))
    services.stop_session(session_id=session_id, keep_positions=False, actor="test", reason="enough")
    world.step_until(lambda: selectors.session(session_id).state is SessionState.STOPPED, bars=30)
    assert orders.session_position(session_id, world.instrument.id) == 0
    assert not orders.orders(origin_id=session_id, statuses=OPEN_STATUSES)
    assert Decision.objects.filter(session_id=session_id, sentence__startswith="The session is stopping. Sell").count() == 1


@pytest.mark.django_db
def test_stopping_may_keep_the_position_and_starting_again_tells_the_strategy_from_then_on() -> None:
    world = open_world()
    session_id = world.open_session("ema_cross", fast_bars=2, slow_bars=3, quantity=1.0, stop_loss_percent=20.0, exits_on_cross=False)
    world.step_until(lambda: orders.session_position(session_id, world.instrument.id))
    services.stop_session(session_id=session_id, keep_positions=True, actor="test", reason="enough")
    world.step(2)
    assert selectors.session(session_id).state is SessionState.STOPPED
    assert orders.session_position(session_id, world.instrument.id) == 1
    services.start_session(session_id=session_id, actor="test")
    world.step(2)
    assert TradingSession.objects.get(id=session_id).bars_told == 2
    assert living(session_id).bars_told == 2


@pytest.mark.django_db
def test_new_parameters_make_a_strategy_that_knows_the_bars_and_the_twin_follows() -> None:
    world = open_world()
    session_id = world.open_session(KIND, seed=21)
    strategy_id = TradingSession.objects.get(id=session_id).strategy_id
    world.step(15)
    services.update_parameters(strategy_id=strategy_id, values={"seed": 22}, actor="test", reason="another plan")
    world.step(15)
    strategy = living(session_id).strategy
    assert isinstance(strategy, Scripted)
    assert strategy.parameters.seed == 22
    assert sum(1 for item in strategy.told if item[0] == "bar") == 30
    event_sessions._living.clear()
    world.step()
    again = living(session_id).strategy
    assert isinstance(again, Scripted)
    assert again.told[: len(strategy.told)] == strategy.told
    repeated = repeat_paper(world.account_id)
    assert repeated.differences == []
    assert len(repeated.run.fills) > 5


@pytest.mark.django_db
def test_a_bar_that_comes_late_in_its_order_is_told_and_not_traded_and_one_out_of_order_is_only_recorded() -> None:
    world = open_world()
    session_id = world.open_session(KIND, seed=2)
    world.step(3)
    world.play()
    world.executor.work()
    now_at = markets.venue(world.venue_id).now_at
    late = services.decide_bar(session_id=session_id, bar_at=now_at, is_late=True)
    assert late is not None
    assert late.outcome is Outcome.LATE_BAR
    assert TradingSession.objects.get(id=session_id).bars_told == 4
    assert not Order.objects.filter(origin_id=session_id, market_at=now_at).exists()
    Decision.objects.filter(session_id=session_id, bar_at=now_at - timedelta(minutes=2)).delete()
    missed = services.decide_bar(session_id=session_id, bar_at=now_at - timedelta(minutes=2), is_late=True)
    assert missed is not None
    assert missed.outcome is Outcome.LATE_BAR
    assert TradingSession.objects.get(id=session_id).bars_told == 4


@pytest.mark.django_db
def test_an_order_that_the_gate_refuses_is_told_to_the_strategy_and_stands_in_the_decision() -> None:
    world = open_world()
    session_id = world.open_session("ema_cross", fast_bars=2, slow_bars=3, quantity=900.0, stop_loss_percent=1.0)
    world.step_until(lambda: Decision.objects.filter(session_id=session_id, outcome=Outcome.REFUSED_BY_RISK).exists())
    decision = selectors.latest_decision(session_id)
    assert decision is not None
    assert decision.sentence.startswith("Nothing ordered. Refused: The order may need ")
    assert [call["call"] for call in decision.actions["calls"]] == ["submit", "state"]
    assert decision.actions["calls"][0]["order_id"] is None
    assert decision.order_ids == []
    assert Decimal(decision.position_before) == 0
    assert not Order.objects.filter(origin_id=session_id).exists()


@pytest.mark.django_db
def test_a_replay_waits_until_the_venue_has_answered_a_cancel() -> None:
    world = open_world()
    session_id = world.open_session(KIND, seed=11)
    world.step_until(lambda: orders.orders(origin_id=session_id, statuses=OPEN_STATUSES))
    now_at = markets.venue(world.venue_id).now_at
    order = orders.orders(origin_id=session_id, statuses=OPEN_STATUSES)[-1]
    request_cancel(order_id=order.id, actor=f"session {session_id}", reason="test")
    assert services.SessionBarrier().waiting_for(world.venue_id, now_at) == "1 cancel or change of orders not answered yet."
    world.settle()
    assert services.SessionBarrier().waiting_for(world.venue_id, now_at) == ""
