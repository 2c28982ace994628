"""Alive asks nothing; ready asks everything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.common.heartbeats import beat
from apps.common.models import Heartbeat
from tests.factories.trading_world import World
from trading_system import health


@pytest.fixture
def working(market: World) -> World:
    for process in health.TRADING_PROCESSES:
        beat(process)
    return market


def ready() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()


def test_healthz_answers_without_a_database() -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_when_everything_works(working: World) -> None:
    status, body = ready()
    assert (status, body["status"]) == (200, "ready")
    assert set(body["checks"]) == {"postgresql", "redis", "migrations", "processes", "event_log", "market"}
    assert all(check["ok"] for check in body["checks"].values())


def test_frozen_process_is_not_ready(working: World) -> None:
    Heartbeat.objects.filter(process="executor").update(completed_at=timezone.now() - timedelta(minutes=5))
    status, body = ready()
    assert status == 503
    assert not body["checks"]["processes"]["ok"]
    assert body["checks"]["processes"]["detail"].startswith("no work completed lately: executor (300 s)")


def test_missing_process_and_market_are_named(db: None) -> None:
    status, body = ready()
    assert status == 503
    assert body["checks"]["processes"]["detail"] == "never seen: streams, executor, sessions, events"
    assert body["checks"]["market"] == body["checks"]["market"] | {"ok": False, "detail": "no market is open yet"}


def test_lost_redis_is_named_without_its_address(working: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise ConnectionError("redis://:secret@host")

    monkeypatch.setattr(health, "_check_redis", gone)
    status, body = ready()
    assert status == 503
    assert body["checks"]["redis"]["detail"] == "does not answer (ConnectionError)"


def test_lost_database_is_the_only_thing_said_of_it(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise health.NotReady("gone")

    monkeypatch.setattr(health, "_check_database", gone)
    status, body = ready()
    assert status == 503
    assert set(body["checks"]) == {"postgresql", "redis"}


def test_stuck_sealer_is_not_ready(working: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "SLOWEST_SEALING", timedelta(seconds=-1))
    status, body = ready()
    assert status == 503
    assert "wait for the sealer" in body["checks"]["event_log"]["detail"]
