"""One bar through the whole system: data, forecast, signal, size, risk, order, fill, ledger, in one process and on real history."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.forecasts.models import Forecast
from apps.orders.models import Fill, Order
from apps.portfolio import selectors as portfolio
from apps.risk.models import Reservation
from apps.strategies import selectors, services
from apps.strategies.contracts import Outcome, SessionState
from apps.strategies.models import Decision, TradingSession
from tests.world import World

pytestmark = pytest.mark.django_db


def test_every_session_decides_every_bar_once_and_orders_equal_trading_decisions() -> None:
    world = World()
    world.step(40)
    sessions = TradingSession.objects.count()
    assert sessions == 7
    assert Decision.objects.count() == 40 * sessions
    trades = Decision.objects.filter(outcome=Outcome.TRADE)
    assert trades.count() == Order.objects.count() > 0
    assert set(trades.values_list("order_id", flat=True)) == set(Order.objects.values_list("id", flat=True))
    assert portfolio.trial_balance().is_balanced


def test_an_order_fills_on_the_bar_after_its_decision_and_its_reservation_ends() -> None:
    world = World()
    world.step_until(Order.objects.exists)
    order = Order.objects.order_by("id").first()
    assert order is not None
    assert order.status == "ACKNOWLEDGED"
    assert Reservation.objects.get(order_id=order.id).ended_at is None
    closed_at = world.step()
    order.refresh_from_db()
    fill = Fill.objects.get(order=order)
    assert (order.status, fill.quantity) == ("FILLED", order.quantity)
    assert order.market_at < fill.occurred_at <= closed_at
    assert Reservation.objects.get(order_id=order.id).ended_at is not None
    assert selectors.decision_for_order(order.id) is not None


def test_with_models_every_decision_names_its_forecast_and_the_forecast_strategy_says_why_it_refuses() -> None:
    world = World(train=True)
    world.step(3)
    assert not Decision.objects.filter(forecast=None).exists()
    assert Forecast.objects.exclude(confidence__gte=0, confidence__lte=1).count() == 0
    refused = Decision.objects.filter(session__strategy__kind="forecast", outcome=Outcome.FORECAST_REFUSED).first()
    assert refused is not None
    assert "naive" in refused.sentence


def test_deciding_a_bar_again_changes_nothing() -> None:
    world = World()
    closed_at = world.step(2)
    before = list(Decision.objects.order_by("id").values_list("id", "outcome"))
    for session_id in TradingSession.objects.values_list("id", flat=True):
        assert services.decide_bar(session_id=session_id, bar_at=closed_at) is None
    assert list(Decision.objects.order_by("id").values_list("id", "outcome")) == before


def test_stopping_a_session_flattens_it_and_keeping_positions_does_not() -> None:
    world = World()
    world.step_until(lambda: Fill.objects.count() >= 2)
    first, second = Order.objects.filter(status="FILLED").order_by("id")[:2]
    assert first.origin_id is not None and second.origin_id is not None
    services.stop_session(session_id=first.origin_id, keep_positions=False, actor="test", reason="enough")
    services.stop_session(session_id=second.origin_id, keep_positions=True, actor="test", reason="enough")
    world.settle()
    assert selectors.session(second.origin_id).state is SessionState.STOPPED
    assert selectors.session(first.origin_id).state is SessionState.STOPPING
    world.step(3)
    assert selectors.session(first.origin_id).state is SessionState.STOPPED
    held = {position.instrument_id: position.quantity for position in portfolio.positions(selectors.session(first.origin_id).account_id)}
    assert held.get(first.instrument_id, Decimal(0)) == 0
    assert held[second.instrument_id] == second.quantity


def test_a_restart_opens_a_fresh_account_and_keeps_the_old_record() -> None:
    world = World()
    world.step(30)
    old_account = portfolio.default_account_id()
    decisions, fills = Decision.objects.count(), Fill.objects.count()
    services.request_replay_restart(venue_id=world.venue_id, starts_at=None, actor="test")
    assert services.serve_replay_requests()
    assert portfolio.default_account_id() != old_account
    assert (Decision.objects.count(), Fill.objects.count()) == (decisions, fills)
    assert old_account is not None
    assert portfolio.account_summary(old_account).equity > 0
    assert len(selectors.active_sessions()) == 7
    assert not services.serve_replay_requests()
