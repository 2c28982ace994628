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
from apps.risk.models import Reservation, RiskLimit, RiskVerdict
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


def test_a_bracket_is_recorded_with_its_exits(trader: APIClient, market: World) -> None:
    body = ORDER | {"take_profit": {"percent": 10}, "stop_loss": {"price": "95.00"}, "trailing": {"percent": "2.5"}}
    detail = enter(trader, body).json()
    target, stop, trailing = detail["children"]
    assert (target["order_type"], target["limit_offset_percent"], target["limit_price"]) == ("LIMIT", "10", None)
    assert (stop["order_type"], stop["stop_price"], stop["side"]) == ("STOP", "95", "SELL")
    assert (trailing["order_type"], trailing["trail_percent"]) == ("TRAILING", "2.5")
    assert {leg["parent_id"] for leg in detail["children"]} == {detail["order"]["id"]}
    assert len({leg["group_id"] for leg in detail["children"]}) == 1
    assert all(leg["is_reduce_only"] and leg["is_reducing"] for leg in detail["children"])
    of_a_leg = trader.get(f"/api/v1/orders/{stop['id']}/").json()
    assert of_a_leg["parent"]["id"] == detail["order"]["id"]
    assert [leg["id"] for leg in of_a_leg["group"]] == [target["id"], trailing["id"]]


def test_a_pair_is_one_group(trader: APIClient, market: World) -> None:
    other = {"order_type": "STOP", "stop_price": "105.00"}
    detail = enter(trader, ORDER | {"order_type": "LIMIT", "limit_price": "99.00", "other": other}).json()
    assert [leg["order_type"] for leg in detail["group"]] == ["STOP"]
    assert detail["group"][0]["group_id"] == detail["order"]["group_id"]


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"order_type": "TRAILING"}, "trail_amount", "needs a trail_amount or a trail_percent"),
        ({"order_type": "STOP_LIMIT", "stop_price": "105.00"}, "limit_price", "needs a limit_price"),
        ({"time_in_force": "GTD"}, "expires_at", "needs expires_at"),
        ({"is_post_only": True}, "is_post_only", "cannot be post-only"),
        ({"stop_loss": {"price": "110.00"}}, "stop_loss", "must be below the entry"),
        ({"take_profit": {"price": "90.00"}}, "take_profit", "must be above the entry"),
        ({"take_profit": {"price": "120.00", "percent": 5}}, "take_profit_percent", "not both"),
        ({"stop_loss": {"percent": 100}}, "stop_offset_percent", "above -100"),
        ({"stop_loss": {"percent": 5}, "other": {"order_type": "MARKET"}}, "other", "no exits of its own"),
        ({"time_in_force": "GTD", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at", "not after the market's time"),
    ],
)
def test_what_cannot_be_an_order_says_which_field_and_why(
    trader: APIClient, market: World, changes: dict[str, Any], where: str, words: str
) -> None:
    answer = enter(trader, ORDER | changes)
    assert (answer.status_code, answer.json()["where"]) == (400, where)
    assert words in answer.json()["detail"]
    assert not Order.objects.exists()


def test_a_refused_exit_leaves_neither_entry_nor_reservation(trader: APIClient, market: World) -> None:
    body = ORDER | {"order_type": "LIMIT", "limit_price": "99.00", "quantity": 40}
    answer = enter(trader, body | {"other": {"order_type": "LIMIT", "limit_price": "98.00"}})
    assert answer.status_code == 201
    RiskLimit.objects.filter(code="MAX_GROSS_EXPOSURE").update(value=Decimal("0.0125"))
    answer = enter(trader, body | {"quantity": 41, "other": {"order_type": "LIMIT", "limit_price": "98.00"}})
    assert (answer.status_code, answer.json()["where"]) == (422, "MAX_GROSS_EXPOSURE")
    assert Order.objects.count() == 2
    assert Reservation.objects.filter(ended_at=None).count() == 2


def test_an_amendment_of_an_unsent_order_is_made_at_once(trader: APIClient, market: World) -> None:
    order_id = enter(trader, ORDER | {"order_type": "LIMIT", "limit_price": "99.00"}).json()["order"]["id"]
    answer = trader.patch(f"/api/v1/orders/{order_id}/", {"limit_price": "98.50", "quantity": 8})
    assert answer.status_code == 202
    detail = answer.json()
    assert (detail["order"]["limit_price"], detail["order"]["quantity"]) == ("98.5", "8")
    assert [step["trigger"] for step in detail["history"]] == ["CREATE", "AMEND"]
    assert Reservation.objects.get(order_id=order_id).quantity == 8


def test_an_amendment_is_refused_in_words(trader: APIClient, market: World) -> None:
    order_id = enter(trader, ORDER | {"order_type": "LIMIT", "limit_price": "99.00"}).json()["order"]["id"]
    address = f"/api/v1/orders/{order_id}/"
    for body, status, where in (
        ({}, 400, "quantity"),
        ({"stop_price": "90.00"}, 400, "stop_price"),
        ({"limit_price": "99.001"}, 400, "limit_price"),
        ({"quantity": 300}, 422, "MAX_ORDER_NOTIONAL"),
    ):
        answer = trader.patch(address, body)
        assert (answer.status_code, answer.json()["where"]) == (status, where)
    trader.delete(address)
    late = trader.patch(address, {"quantity": 5})
    assert (late.status_code, late.json()["detail"]) == (409, "The order is CANCELLED and cannot be changed any more.")
    assert trader.patch(f"/api/v1/orders/{uuid.uuid4()}/", {"quantity": 5}).status_code == 404


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
