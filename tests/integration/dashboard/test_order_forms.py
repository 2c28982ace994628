"""Orders by hand on the pages: the fields of every type, brackets, changes, and what belongs to an order."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.access.models import User
from apps.markets import selectors as markets
from apps.orders.models import Order, OrderAmendment
from tests.world import World


@pytest.fixture
def world(transactional_db: None) -> World:
    found = World()
    found.step()
    return found


@pytest.fixture
def trader(client: Client) -> Client:
    client.force_login(User.objects.create_user("a-trader", role="trader"))
    return client


def form(world: World, **changes: str) -> dict[str, str]:
    instrument = markets.instrument_by_symbol(world.venue_id, "MSFT")
    return {"instrument": str(instrument.id), "side": "BUY", "order_type": "MARKET", "quantity": "1"} | changes


def test_the_form_says_which_fields_belong_to_which_type(world: World, trader: Client) -> None:
    page = trader.get("/chart/MSFT/").content.decode()
    for name, applies in (
        ("limit_price", "order_type:LIMIT,STOP_LIMIT"),
        ("stop_price", "order_type:STOP,STOP_LIMIT"),
        ("trail_amount", "order_type:TRAILING"),
        ("trail_percent", "order_type:TRAILING"),
        ("expires_at", "time_in_force:GTD"),
    ):
        before = page[: page.index(f'name="{name}"')]
        assert before.rindex(f'data-applies="{applies}"') > before.rindex('<div class="form-grid">')
    assert "<option>MARKET_ON_CLOSE</option>" in page


def test_a_bracket_of_the_form_shows_its_orders_on_each_page(world: World, trader: Client) -> None:
    assert trader.post("/orders/new/", form(world, stop_loss="1", exit_trail_percent="5")).status_code == 302
    entry = Order.objects.get(parent=None, origin="MANUAL")
    stop, trailing = Order.objects.filter(parent=entry).order_by("id")
    page = trader.get(f"/orders/{entry.id}/").content.decode()
    assert page.count("Opens with its fill") == 2
    page = trader.get(f"/orders/{stop.id}/").content.decode()
    assert "Its entry" in page
    assert f'data-order="{trailing.id}"' in page
    assert "Shares what is left" in page
    world.settle()
    world.step()
    stop.refresh_from_db()
    assert stop.status == "ACKNOWLEDGED"


def test_what_cannot_be_keeps_what_was_typed(world: World, trader: Client) -> None:
    answer = trader.post("/orders/new/", form(world, order_type="TRAILING", exit_trail_percent="5"))
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "needs a trail_amount or a trail_percent" in page
    assert 'name="exit_trail_percent" inputmode="decimal" value="5"' in page


def test_a_change_is_asked_for_and_shown_with_its_answer(world: World, trader: Client) -> None:
    trader.post("/orders/new/", form(world, order_type="LIMIT", limit_price="1.00"))
    order = Order.objects.get(origin="MANUAL")
    world.settle()
    assert trader.post(f"/orders/{order.id}/amend/", {"limit_price": "1.50"}).status_code == 302
    assert OrderAmendment.objects.get().status == "REQUESTED"
    world.settle()
    page = trader.get(f"/orders/{order.id}/").content.decode()
    assert "limit price 1.5" in page
    assert "Confirmed" in page
    order.refresh_from_db()
    assert order.limit_price == 1.5
