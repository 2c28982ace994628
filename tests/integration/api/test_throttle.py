"""A hundred requests in any thirty seconds, counted where it cannot be raced; what reduces risk always passes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from rest_framework.test import APIClient

from apps.access.contracts import Role
from apps.common import throttling
from apps.common.throttling import Admission, LocalWindow, SharedWindow, WindowThrottle, shared_window
from tests.factories.trading_world import World
from tests.integration.api.conftest import ClientOf


@pytest.fixture
def three_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WindowThrottle, "limit", 3)


def test_local_window_slides() -> None:
    window = LocalWindow()
    admitted = [window.admit("a", limit=2, window=30, now=at) for at in (0.0, 20.0, 29.9, 30.1, 49.0, 50.5)]
    assert [item.allowed for item in admitted] == [True, True, False, True, False, True]
    assert admitted[2] == Admission(False, 2, 0, pytest.approx(0.1))


def test_local_window_forgets_the_least_seen_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "MOST_LOCAL_KEYS", 2)
    window = LocalWindow()
    for key in ("a", "b", "c"):
        window.admit(key, limit=1, window=30, now=0)
    assert window.admit("a", limit=1, window=30, now=1).allowed
    assert not window.admit("c", limit=1, window=30, now=1).allowed


def test_shared_window_admits_exactly_the_limit_of_many_at_once() -> None:
    window = shared_window()
    with ThreadPoolExecutor(20) as pool:
        admitted = list(pool.map(lambda _: window.admit("race", limit=100, window=30).allowed, range(400)))
    assert sum(admitted) == 100


def test_shared_window_tells_what_is_left_and_when_it_opens() -> None:
    first, second = (shared_window().admit("told", limit=2, window=30) for _ in range(2))
    third = shared_window().admit("told", limit=2, window=30)
    assert (first.remaining, second.remaining, third.remaining, third.allowed) == (1, 0, 0, False)
    assert 29 < third.reset_seconds <= 30


def test_key_does_not_outlive_its_window() -> None:
    shared_window().admit("short", limit=2, window=30)
    left = shared_window()._redis.pttl(f"{throttling.KEY_PREFIX}short")
    assert 29_000 < left <= 30_000


def test_without_redis_the_process_counts_for_itself() -> None:
    window = SharedWindow("redis://127.0.0.1:1/0")
    assert [window.admit("a", limit=2, window=30).allowed for _ in range(3)] == [True, True, False]


def test_redis_that_comes_back_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    window = shared_window()

    def down(*_: object) -> Admission:
        raise redis.ConnectionError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(window, "_admit_shared", down)
        window.admit("back", limit=5, window=30)
    assert window._retry_at > 0
    window._retry_at = 0.0
    assert window.admit("back", limit=5, window=30).remaining == 4


def test_too_many_requests_are_told_when_to_come_back(viewer: APIClient, three_requests: None) -> None:
    answers = [viewer.get("/api/v1/auth/me/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    last = answers[-1]
    assert last.headers["RateLimit-Limit"] == "3"
    assert last.headers["RateLimit-Policy"] == "3;w=30"
    assert 1 <= int(last.headers["Retry-After"]) <= 30
    assert last.json()["code"] == "throttled"


def test_users_are_counted_apart_and_refused_requests_count(client_of: ClientOf, three_requests: None) -> None:
    nobody = client_of(None)
    assert [nobody.get("/api/v1/orders/").status_code for _ in range(4)] == [401, 401, 401, 429]
    assert client_of(Role.VIEWER).get("/api/v1/auth/me/").status_code == 200
    assert client_of(Role.TRADER).get("/api/v1/auth/me/").status_code == 200


def test_bad_tokens_count_for_their_address(client_of: ClientOf, three_requests: None) -> None:
    client = client_of(None)
    answers = [client.get("/api/v1/auth/me/", headers={"Authorization": "Bearer nonsense"}).status_code for _ in range(4)]
    assert answers == [401, 401, 401, 429]


def test_address_cannot_be_chosen_by_a_header(client_of: ClientOf, three_requests: None) -> None:
    client = client_of(None)
    answers = [client.get("/api/v1/auth/me/", headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code for number in range(4)]
    assert answers == [401, 401, 401, 429]


def test_what_reduces_risk_always_passes(trader: APIClient, market: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WindowThrottle, "limit", 1)
    order_id = "00000000-0000-7000-8000-000000000000"
    assert trader.get("/api/v1/auth/me/").status_code == 200
    assert trader.get("/api/v1/auth/me/").status_code == 429
    assert trader.post("/api/v1/orders/", {}).status_code == 429
    assert trader.delete(f"/api/v1/orders/{order_id}/").status_code == 404
    assert trader.post(f"/api/v1/orders/{order_id}/cancel/", {}).status_code == 404
    assert trader.post("/api/v1/orders/cancel-all/", {}).status_code == 202
    assert trader.post(f"/api/v1/sessions/{order_id}/stop/", {}).status_code == 404
    assert trader.post("/api/v1/trading/stop").status_code == 202
    assert trader.post("/api/v1/risk/halts/", {}).status_code == 201
