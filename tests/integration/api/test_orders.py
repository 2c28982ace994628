"""Orders by hand: the same gate, one answer for one key, cancels that always pass."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.access.contracts import Role
from apps.access.models import IdempotentRequest
from apps.core.vocabulary import Side
from apps.events.models import LoggedEvent
from apps.orders.models import Order
from apps.portfolio.models import Account
from apps.risk.models import RiskVerdict
from tests.factories.trading_world import World, place
from tests.integration.api.conftest import ClientOf, open_market, user_of

ORDER: dict[str, Any] = {"symbol": "SYM0", "side": "BUY", "quantity": 10, "order_type": "MARKET"}


def enter(client: APIClient, body: dict[str, Any] | None = None, *, key: str | None = None, path: str = "/api/v1/orders") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(path, body or ORDER, headers=headers)


def test_order_on_the_default_account_is_recorded_with_its_actor(trader: APIClient, market: World) -> None:
    answer = enter(trader)
    assert answer.status_code == 201
    order = answer.json()["order"]
    assert (order["symbol"], order["side"], order["quantity"], order["status"]) == ("SYM0", "BUY", "10", "PENDING")
    assert order["account_id"] == str(market.account_id)
    stored = Order.objects.get(id=order["id"])
    assert RiskVerdict.objects.get(id=order["verdict_id"]).order_id == stored.id
    assert LoggedEvent.objects.get(event_type="orders.order_created").actor == "trader-user"
    assert trader.get(f"/api/v1/orders/{order['id']}/").json() == answer.json()


def test_order_with_prices_keeps_every_digit(trader: APIClient, market: World) -> None:
    body = ORDER | {"order_type": "LIMIT", "limit_price": 99.55, "quantity": "7", "time_in_force": "DAY"}
    order = enter(trader, body).json()["order"]
    assert (order["limit_price"], order["quantity"], order["time_in_force"]) == ("99.55", "7", "DAY")
    assert Order.objects.get().limit_price == Decimal("99.55")


def test_refused_order_lists_every_check_and_leaves_no_order(trader: APIClient, market: World) -> None:
    answer = enter(trader, ORDER | {"quantity": 90_000})
    assert answer.status_code == 422
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["code"] == "refused_by_risk"
    failed = [check for check in body["checks"] if not check["passed"]]
    assert body["where"] == failed[0]["code"]
    assert body["detail"] == failed[0]["message"]
    assert all(set(check) == {"code", "passed", "value", "limit", "message"} for check in body["checks"])
    assert not Order.objects.exists()
    assert not RiskVerdict.objects.get(id=body["verdict_id"]).approved


def test_halt_refuses_an_order(trader: APIClient, market: World) -> None:
    assert trader.post("/api/v1/risk/halts/", {}).status_code == 201
    answer = enter(trader)
    assert (answer.status_code, answer.json()["where"]) == (422, "HALT")


def test_same_key_gets_the_same_answer_and_one_order(trader: APIClient, market: World) -> None:
    first, second = enter(trader, key="k1"), enter(trader, key="k1")
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Order.objects.count() == 1


def test_same_key_with_another_body_is_a_conflict(trader: APIClient, market: World) -> None:
    enter(trader, key="k1")
    other = enter(trader, ORDER | {"quantity": 11}, key="k1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_refusal_is_repeated_too(trader: APIClient, market: World) -> None:
    body = ORDER | {"quantity": 90_000}
    first, second = enter(trader, body, key="k1"), enter(trader, body, key="k1")
    assert (first.status_code, second.status_code) == (422, 422)
    assert second.json()["verdict_id"] == first.json()["verdict_id"]
    assert second.headers["Content-Type"] == "application/problem+json"


def test_impossible_order_leaves_the_key_free(trader: APIClient, market: World) -> None:
    assert enter(trader, ORDER | {"symbol": "NOPE"}, key="k1").status_code == 404
    assert not IdempotentRequest.objects.exists()
    assert enter(trader, key="k1").status_code == 201


def test_keys_of_two_people_do_not_meet(client_of: ClientOf, market: World) -> None:
    assert enter(client_of(Role.TRADER), key="k1").status_code == 201
    other = enter(client_of(Role.RISK), ORDER | {"symbol": "SYM1"}, key="k1")
    assert other.status_code == 201
    assert Order.objects.count() == 2


def test_older_path_takes_an_order(trader: APIClient, market: World) -> None:
    assert enter(trader, path="/api/trade/execute").status_code == 201
    assert trader.get("/api/trade/execute").status_code == 405


def test_cancel_is_asked_for_once_and_may_be_repeated(trader: APIClient, market: World) -> None:
    order_id = enter(trader).json()["order"]["id"]
    first = trader.delete(f"/api/v1/orders/{order_id}/")
    assert (first.status_code, first.json()["order"]["status"]) == (202, "CANCELLED")
    assert first.json()["order"]["cancel_requested_by"] == "trader-user"
    again = trader.post(f"/api/v1/orders/{order_id}/cancel", {"reason": "once more"})
    assert again.json() == first.json()


def test_cancel_all_takes_the_account_named(trader: APIClient, market: World) -> None:
    for symbol in ("SYM0", "SYM1"):
        enter(trader, ORDER | {"symbol": symbol})
    answer = trader.post("/api/v1/orders/cancel-all/", {"account_id": str(market.account_id)})
    assert answer.json() == {"account_id": str(market.account_id), "requested": 2}
    assert set(Order.objects.values_list("status", flat=True)) == {"CANCELLED"}
    assert trader.post("/api/v1/orders/cancel-all/", {"account_id": str(uuid.uuid4())}).status_code == 404


def test_pages_are_stable_while_orders_come_in(viewer: APIClient, market: World) -> None:
    old = {str(place(market, quantity=str(number + 1))) for number in range(7)}
    seen: list[str] = []
    address: str | None = "/api/v1/orders/?limit=3"
    while address:
        page = viewer.get(address).json()
        seen += [row["id"] for row in page["results"]]
        assert len(page["results"]) <= 3
        place(market, side=Side.SELL)
        address = page["next"]
    assert len(seen) == len(set(seen)) == 7
    assert set(seen) == old
    assert seen == sorted(seen, reverse=True)


def test_filters_narrow_the_list(viewer: APIClient, trader: APIClient, market: World) -> None:
    open_id = str(place(market))
    gone_id = str(place(market, quantity="3"))
    trader.delete(f"/api/v1/orders/{gone_id}/")

    def ids(query: str) -> list[str]:
        return [row["id"] for row in viewer.get(f"/api/v1/orders/?{query}").json()["results"]]

    assert ids("is_open=true") == [open_id]
    assert ids("status=CANCELLED") == [gone_id]
    assert ids(f"instrument_id={market.instruments[1].id}") == []
    assert ids(f"account_id={market.account_id}&is_open=false") == [gone_id]


@pytest.mark.django_db(transaction=True)
def test_a_hundred_posts_at_once_with_one_key_make_one_order() -> None:
    open_market()
    user = user_of(Role.TRADER)
    assert Account.objects.filter(is_default=True).count() == 1

    def one(number: int) -> tuple[int, str]:
        client = APIClient()
        client.force_authenticate(user)
        try:
            answer = enter(client, key="one-key")
            return answer.status_code, answer.json().get("order", {}).get("id", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(one, range(100)))
    assert answers == {(201, str(Order.objects.get().id))}
