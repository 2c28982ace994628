"""Whatever is sent, the answer is a problem that names what is wrong; never a trace, never a 500."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from apps.common.api.parsers import LARGEST_BODY
from apps.orders.models import Order
from tests.factories.trading_world import World

FIELDS = {"type", "title", "status", "detail", "code", "where", "hint", "errors", "request_id"}
ORDER: dict[str, Any] = {"symbol": "SYM0", "side": "BUY", "quantity": 10, "order_type": "MARKET"}


def is_problem(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) >= FIELDS
    assert body["status"] == status
    assert body["type"] == f"urn:trading-system:problem:{body['code']}"
    assert body["detail"]
    if code is not None:
        assert body["code"] == code
    return body


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b'{"symbol": ', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"quantity": NaN}', "NaN"),
        (b'{"quantity": -Infinity}', "Infinity"),
        (b'{"side": "BUY", "side": "SELL"}', "same field twice"),
        (b"[" * 60_000, "nested too deep"),
        (b'{"quantity": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_what_is_not_json_is_refused(trader: APIClient, market: World, raw: bytes, says: str) -> None:
    body = is_problem(trader.generic("POST", "/api/v1/orders/", raw, "application/json"), 400, "parse_error")
    assert says in body["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "Infinity"}, "quantity"),
        ({"quantity": "-5"}, "quantity"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": "1e30"}, "quantity"),
        ({"quantity": 1e300}, "quantity"),
        ({"quantity": "0.00000000001"}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"quantity": [10]}, "quantity"),
        ({"side": "HOLD"}, "side"),
        ({"side": 1}, "side"),
        ({"side": ["BUY"]}, "side"),
        ({"order_type": "market"}, "order_type"),
        ({"limit_price": "-1", "order_type": "LIMIT"}, "limit_price"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": "S\0"}, "symbol"),
        ({"symbol": "\ud800"}, "symbol"),
        ({"symbol": "x" * 41}, "symbol"),
        ({"instrument_id": "not-a-uuid"}, "instrument_id"),
        ({"account_id": 5.5}, "account_id"),
        ({"qty": 10}, "qty"),
    ],
)
def test_each_bad_field_is_named(trader: APIClient, market: World, change: dict[str, Any], field: str) -> None:
    raw = json.dumps(ORDER | change)
    body = is_problem(trader.generic("POST", "/api/v1/orders/", raw, "application/json"), 400, "invalid_input")
    assert field in {item["field"] for item in body["errors"]}
    assert not Order.objects.exists()


@pytest.mark.parametrize("body", [[], "text", 5, None, [ORDER]])
def test_a_body_that_is_no_object_is_refused(trader: APIClient, market: World, body: Any) -> None:
    assert is_problem(trader.post("/api/v1/orders/", body), 400)


@pytest.mark.parametrize(
    ("change", "status", "where"),
    [
        ({"symbol": "NOPE"}, 404, "symbol"),
        ({"account_id": str(uuid4())}, 404, "account_id"),
        ({"quantity": "1.5"}, 400, "quantity"),
        ({"order_type": "LIMIT"}, 400, "limit_price"),
        ({"order_type": "LIMIT", "limit_price": "99.123456"}, 400, "limit_price"),
    ],
)
def test_what_cannot_be_an_order_here_is_refused_with_its_field(
    trader: APIClient, market: World, change: dict[str, Any], status: int, where: str
) -> None:
    assert is_problem(trader.post("/api/v1/orders/", ORDER | change), status)["where"] == where
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("status=DONE", "status", "PENDING, SENDING"),
        ("limit=0", "limit", "1"),
        ("limit=100000", "limit", "200"),
        ("limit=1e9", "limit", "integer"),
        ("cursor=abc", "cursor", "UUID"),
        ("colour=red", "colour", "Unknown field"),
        ("status=FILLED&status=PENDING", "status", "more than once"),
        ("status=FILLED&is_open=true", "is_open", "not both"),
    ],
)
def test_bad_filters_are_refused_with_what_is_allowed(viewer: APIClient, query: str, field: str, says: str) -> None:
    body = is_problem(viewer.get(f"/api/v1/orders/?{query}"), 400, "invalid_input")
    found = {item["field"]: item["message"] for item in body["errors"]}
    assert says in found[field]


@pytest.mark.parametrize(
    "path", ["/api/v1/orders/not-a-uuid/", "/api/v1/nothing/", "/api/", "/api/v2/orders/", "/api/v1/orders/%00/", "/api/v1/orders/x/cancel"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
def test_unknown_addresses_are_problems(trader: APIClient, path: str, method: str) -> None:
    assert is_problem(trader.generic(method, path), 404, "not_found")


def test_missing_things_are_problems(viewer: APIClient) -> None:
    for name in ("orders", "decisions", "forecasts", "models", "sessions", "strategies", "accounts", "venues", "instruments", "risk/halts"):
        assert is_problem(viewer.get(f"/api/v1/{name}/{uuid4()}/"), 404, "not_found")


def test_other_methods_media_types_and_answers_are_problems(trader: APIClient) -> None:
    assert is_problem(trader.put("/api/v1/orders/", {}), 405, "method_not_allowed")
    assert is_problem(trader.generic("OPTIONS", "/api/v1/orders/"), 405)
    assert is_problem(trader.generic("POST", "/api/v1/orders/", "a=1", "application/x-www-form-urlencoded"), 415)
    assert is_problem(trader.generic("POST", "/api/v1/orders/", "<a/>", "text/xml"), 415)
    assert is_problem(trader.get("/api/v1/orders/", headers={"Accept": "text/html"}), 406)


def test_large_bodies_are_refused(trader: APIClient) -> None:
    raw = b'{"symbol": "' + b"x" * LARGEST_BODY + b'"}'
    assert is_problem(trader.generic("POST", "/api/v1/orders/", raw, "application/json"), 413, "body_too_large")


def test_anonymous_gets_a_problem_and_how_to_log_in() -> None:
    answer = APIClient().get("/api/v1/orders/")
    assert is_problem(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_unknown_error_tells_its_id_and_nothing_else(trader: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> Any:
        raise RuntimeError("the secret path /etc/passwd")

    monkeypatch.setattr("apps.orders.web.api.selectors.orders", broken)
    trader.raise_request_exception = False
    answer = trader.get("/api/v1/orders/", headers={"X-Request-ID": "my-request-7"})
    body = is_problem(answer, 500, "internal_error")
    assert body["request_id"] == answer.headers["X-Request-ID"] == "my-request-7"
    assert "passwd" not in answer.content.decode()
    assert "RuntimeError" not in answer.content.decode()


def test_lost_database_is_a_503_that_says_to_try_again(trader: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(**_: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("apps.orders.web.api.selectors.orders", gone)
    answer = trader.get("/api/v1/orders/")
    assert is_problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "2"


def test_request_ids_that_could_forge_a_log_line_are_replaced(viewer: APIClient) -> None:
    answer = viewer.get("/api/v1/auth/me/", headers={"X-Request-ID": "a b{}"})
    assert len(answer.headers["X-Request-ID"]) == 32
