"""Start, stop, transport, halt, limits and strategy parameters, each with who did it on the log."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.events.models import LoggedEvent
from apps.forecasts.models import TrainingRun
from apps.markets.models import VenueClock
from apps.risk.models import Halt, RiskLimit
from apps.strategies.models import ReplayRequest, Strategy, TradingSession
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def replay(db: None) -> World:
    return World()


def clock(world: World) -> VenueClock:
    return VenueClock.objects.get(venue_id=world.venue_id)


def transport(client: APIClient, world: World, **body: Any) -> Any:
    return client.post(f"/api/v1/venues/{world.venue_id}/clock/", body)


def actor_of(event_type: str) -> str:
    return LoggedEvent.objects.filter(event_type=event_type).order_by("-id")[0].actor


def test_transport_pauses_steps_speeds_and_resumes(replay: World, trader: APIClient) -> None:
    assert transport(trader, replay, action="pause").json()["status"] == "PAUSED"
    assert actor_of("market.clock_changed") == "trader-user"
    assert transport(trader, replay, action="step", steps=3).json()["steps_requested"] == 3
    assert transport(trader, replay, action="speed", bars_per_second="2.5").json()["bars_per_second"] == "2.5"
    assert transport(trader, replay, action="resume").json()["status"] == "RUNNING"


def test_jump_forward_only_sets_where_to(replay: World, trader: APIClient) -> None:
    answer = transport(trader, replay, action="jump", jump_to="2008-09-15")
    assert answer.status_code == 202
    assert answer.json()["jump_to"].startswith("2008-09-15")
    assert answer.json()["restart"] is None
    assert not ReplayRequest.objects.exists()


@pytest.mark.parametrize("body", [{"action": "jump", "jump_to": "2002-01-15"}, {"action": "restart", "starts_at": "2002-01-15"}])
def test_going_back_asks_for_a_fresh_run(replay: World, trader: APIClient, body: dict[str, str]) -> None:
    answer = transport(trader, replay, **body)
    assert answer.status_code == 202
    assert (answer.json()["restart"]["requested_by"], answer.json()["restart"]["is_done"]) == ("trader-user", False)
    request = ReplayRequest.objects.get()
    assert request.starts_at is not None
    assert request.starts_at.date().isoformat() == "2002-01-15"
    assert transport(trader, replay, **body).status_code == 409


def test_restart_without_a_date_begins_where_it_usually_does(replay: World, trader: APIClient) -> None:
    assert transport(trader, replay, action="restart").status_code == 202
    assert ReplayRequest.objects.get().starts_at is None


def test_commands_that_make_no_sense_are_refused(replay: World, trader: APIClient) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "action"),
        ({"action": "fly"}, "action"),
        ({"action": "jump"}, "jump_to"),
        ({"action": "speed"}, "bars_per_second"),
        ({"action": "speed", "bars_per_second": "0"}, "bars_per_second"),
        ({"action": "pause", "steps": 3}, "steps"),
        ({"action": "step", "steps": 0}, "steps"),
        ({"action": "jump", "jump_to": "yesterday"}, "jump_to"),
        ({"action": "jump", "jump_to": "0001-01-01T00:00:00+14:00"}, "jump_to"),
    ]
    for body, field in cases:
        answer = transport(trader, replay, **body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field), body


def test_trading_stops_and_starts_without_a_body(replay: World, trader: APIClient) -> None:
    sessions = TradingSession.objects.count()
    stopped = trader.post("/api/v1/trading/stop")
    assert stopped.status_code == 202
    assert len(stopped.json()["changed"]) == sessions
    assert set(TradingSession.objects.values_list("state", flat=True)) == {"STOPPING"}
    assert actor_of("trading.session_stopping") == "trader-user"
    TradingSession.objects.update(state="STOPPED")
    assert trader.get("/api/trading/status").json()["is_trading"] is False
    started = trader.post("/api/v1/trading/start")
    assert len(started.json()["changed"]) == sessions
    assert started.json()["is_trading"] is True
    assert actor_of("trading.session_started") == "trader-user"


def test_trading_without_a_market_is_a_conflict(trader: APIClient) -> None:
    answer = trader.post("/api/v1/trading/start")
    assert (answer.status_code, answer.json()["detail"]) == (409, "No market is open yet.")
    assert trader.get("/api/v1/trading/status").json()["sentence"] == "No market is open yet."


def test_session_is_created_started_and_stopped(replay: World, trader: APIClient) -> None:
    like = TradingSession.objects.select_related("strategy").first()
    assert like is not None
    body = {"strategy_id": str(like.strategy_id), "instrument_id": str(like.instrument_id), "capital": "5000.50"}
    created = trader.post("/api/v1/sessions/", body)
    assert created.status_code == 201
    session = created.json()
    assert (session["state"], session["capital"], session["risk_per_trade"]) == ("CREATED", "5000.5", "0.02")
    address = f"/api/v1/sessions/{session['id']}"
    assert trader.post(f"{address}/start").json()["state"] == "RUNNING"
    stopped = trader.post(f"{address}/stop", {"keep_positions": True, "reason": "enough"})
    assert (stopped.status_code, stopped.json()["state"], stopped.json()["keep_positions"]) == (202, "STOPPING", True)
    assert trader.post(f"{address}/start").status_code == 409


def test_bad_sessions_are_refused(replay: World, trader: APIClient) -> None:
    like = TradingSession.objects.first()
    assert like is not None
    before = TradingSession.objects.count()
    good = {"strategy_id": str(like.strategy_id), "instrument_id": str(like.instrument_id), "capital": "5000"}
    for change in ({"capital": "-1"}, {"risk_per_trade": "2"}, {"max_positions": -1}, {"mode": "real"}, {"extra": 1}):
        assert trader.post("/api/v1/sessions/", good | change).status_code == 400, change
    assert TradingSession.objects.count() == before


def test_live_session_does_not_start(replay: World, trader: APIClient) -> None:
    like = TradingSession.objects.first()
    assert like is not None
    body = {"strategy_id": str(like.strategy_id), "instrument_id": str(like.instrument_id), "capital": "5000", "mode": "live"}
    created = trader.post("/api/v1/sessions/", body)
    assert trader.post(f"/api/v1/sessions/{created.json()['id']}/start").status_code in {409, 422}


def test_halt_stops_everything_and_only_risk_takes_it_back(replay: World, trader: APIClient, risk_officer: APIClient) -> None:
    engaged = trader.post("/api/v1/risk/halts/", {"reason": "looks wrong", "flatten": True})
    halt = engaged.json()
    assert (engaged.status_code, halt["is_engaged"], halt["engaged_by"], halt["flatten"]) == (201, True, "trader-user", True)
    status = trader.get("/api/v1/trading/status/").json()
    assert (status["is_halted"], status["is_trading"], status["halt_reason"]) == (True, False, "looks wrong")
    assert trader.get("/api/risk/").json()["halt"]["id"] == halt["id"]
    reset = f"/api/v1/risk/halts/{halt['id']}/reset/"
    assert trader.post(reset, {"reason": "fine"}).status_code == 403
    assert risk_officer.post(reset, {}).status_code == 400
    taken_back = risk_officer.post(reset, {"reason": "it was a test"}).json()
    assert (taken_back["is_engaged"], taken_back["reset_by"], taken_back["reset_reason"]) == (False, "risk-user", "it was a test")
    assert Halt.objects.get().reset_at is not None
    assert actor_of("trading.emergency_stop") == "trader-user"
    assert actor_of("risk.halt_reset") == "risk-user"


def test_limit_is_set_by_risk_and_logged(replay: World, trader: APIClient, risk_officer: APIClient) -> None:
    body = {"code": "MAX_ORDER_NOTIONAL", "value": "1234.5", "mode": "paper", "note": "smaller"}
    assert trader.put("/api/v1/risk/limits/", body).status_code == 403
    answer = risk_officer.put("/api/v1/risk/limits/", body)
    assert (answer.status_code, answer.json()["value"], answer.json()["mode"]) == (200, "1234.5", "paper")
    assert RiskLimit.objects.get(id=answer.json()["id"]).value == Decimal("1234.5")
    assert actor_of("risk.limit_changed") == "risk-user"
    assert risk_officer.put("/api/v1/risk/limits/", body | {"value": "-1"}).status_code == 400
    assert risk_officer.put("/api/v1/risk/limits/", body | {"code": "MAX_LUCK"}).status_code == 400


def test_strategy_parameters_change_by_name_or_id_and_are_logged(replay: World, trader: APIClient) -> None:
    strategy = Strategy.objects.get(name="Momentum")
    by_name = trader.put("/api/strategy/config/", {"strategy": "Momentum", "parameters": {"fast_bars": 10}, "reason": "quicker"})
    assert (by_name.status_code, by_name.json()["parameters"]["fast_bars"]) == (200, 10)
    by_id = trader.put(f"/api/v1/strategies/{strategy.id}/parameters/", {"parameters": {"exit_band": 0.005}})
    assert (by_id.json()["parameters"]["fast_bars"], by_id.json()["parameters"]["exit_band"]) == (10, 0.005)
    assert actor_of("strategy.config_changed") == "trader-user"


def test_bad_parameters_are_refused(replay: World, trader: APIClient) -> None:
    before = Strategy.objects.get(name="Momentum").parameters
    for fast_bars in ("ten", -1, 1.5, 10**40, None, [10], {"value": 10}):
        body: dict[str, Any] = {"strategy": "Momentum", "parameters": {"fast_bars": fast_bars}}
        assert trader.put("/api/v1/strategy/config/", body).status_code == 400, fast_bars
    for parameters in ({"speed": 1}, [1], "fast"):
        body = {"strategy": "Momentum", "parameters": parameters}
        assert trader.put("/api/v1/strategy/config/", body).status_code == 400, parameters
    assert Strategy.objects.get(name="Momentum").parameters == before


def test_training_is_asked_for_up_to_the_venue_clock(replay: World, trader: APIClient) -> None:
    TrainingRun.objects.all().delete()
    assert trader.get("/api/models/status").status_code == 404
    answer = trader.post("/api/models/start-training")
    assert (answer.status_code, answer.json()["status"]) == (202, "QUEUED")
    run = TrainingRun.objects.get()
    assert run.trained_through == clock(replay).now_at
    assert "trader-user" in run.reason
    assert trader.get("/api/v1/training/").json() == answer.json()


def test_command_beyond_the_end_of_the_data_is_refused_or_bounded(replay: World, trader: APIClient) -> None:
    end = clock(replay).ends_at
    assert end is not None
    answer = transport(trader, replay, action="jump", jump_to=(end + timedelta(days=365)).isoformat())
    assert answer.status_code in {202, 400, 409}
