"""The why page of a bar on which an event strategy gave several orders, and of each of them; the API says the same."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.access.models import User
from apps.orders.models import Order
from apps.strategies.models import Decision
from tests.minute_series import walk
from tests.minutes import MinuteWorld

pytestmark = pytest.mark.django_db
PARAMETERS = {"fast_bars": 2, "slow_bars": 3, "quantity": 2.0, "stop_loss_percent": 0.5, "take_profit_percent": 0.5}


def test_a_decision_with_several_orders_lists_them_all_and_each_finds_its_decision(client: Client) -> None:
    client.force_login(User.objects.create_user("a-trader", role="trader"))
    world = MinuteWorld(walk(60, seed=5))
    session_id = world.open_session("ema_cross", **PARAMETERS)
    world.step_until(Order.objects.exists, bars=50)
    decision = Decision.objects.get(order_id__isnull=False)
    entry, *legs = Order.objects.order_by("id")
    assert decision.order_ids == [entry.id, *(leg.id for leg in legs)]
    assert {order.decision_id for order in (entry, *legs)} == {decision.id}
    page = client.get(f"/decisions/{decision.id}/").content.decode()
    assert page.count("Waits for its entry") == len(legs) == 2
    assert page.count("data-call=") == 3
    assert "Buy 2 market" in page
    assert "Sell 2 stop, stop -0.5 %" in page
    leg_page = client.get(f"/orders/{legs[0].id}/").content.decode()
    assert decision.sentence in leg_page
    said = client.get(f"/api/v1/decisions/{decision.id}/").json()
    assert said["order_ids"] == [str(order.id) for order in (entry, *legs)]
    assert [call["call"] for call in said["actions"]["calls"]] == ["submit", "state", "submit", "submit"]
    quiet = Decision.objects.filter(session_id=session_id, order_id=None).order_by("id")[0]
    assert "asked for nothing" in client.get(f"/decisions/{quiet.id}/").content.decode()


def test_strategies_of_every_form_are_listed_with_what_they_do(client: Client) -> None:
    client.force_login(User.objects.create_user("an-admin", role="admin", is_staff=True, is_superuser=True))
    world = MinuteWorld(walk(5, seed=1))
    world.open_session("vector:ema_cross", **PARAMETERS)
    listed = {item["kind"]: item for item in client.get("/api/v1/strategies/").json()["results"]}
    item = listed["vector:ema_cross"]
    assert (item["title"], item["help"]) == (
        "EMA cross (arrays)",
        "Long when the short average crosses above the long one, out when it crosses back.",
    )
    assert item["parameters"]["slow_bars"] == 3
    page = client.get("/admin/strategies/strategy/add/").content.decode()
    assert 'value="ema_cross"' in page
    assert 'value="vector:ema_cross"' in page
