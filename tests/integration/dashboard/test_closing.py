"""Closing and reducing by hand: through the gate, never twice, never past zero."""

from __future__ import annotations

import re
import threading
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client

from apps.access.models import User
from apps.markets import selectors as markets
from apps.orders.models import Order
from apps.portfolio import selectors as portfolio
from apps.portfolio.contracts import PositionView
from apps.strategies.models import TradingSession
from tests.world import World


@pytest.fixture
def world(transactional_db: None) -> World:
    found = World()
    found.step(2)
    return found


@pytest.fixture
def trader(client: Client) -> Client:
    client.force_login(User.objects.create_user("a-trader", role="trader"))
    return client


def held(world: World) -> PositionView:
    """The position in MSFT, which no session trades."""
    instrument = markets.instrument_by_symbol(world.venue_id, "MSFT")
    return next(item for item in portfolio.positions(account_id()) if item.instrument_id == instrument.id)


def account_id() -> UUID:
    found = portfolio.default_account_id()
    assert found is not None
    return found


def buy(world: World, client: Client, quantity: str) -> PositionView:
    instrument = markets.instrument_by_symbol(world.venue_id, "MSFT")
    form = {"instrument": str(instrument.id), "side": "BUY", "order_type": "MARKET", "quantity": quantity}
    assert client.post("/orders/new/", form).status_code == 302
    world.settle()
    world.step()
    return held(world)


def forms(client: Client, position: PositionView) -> dict[str, dict[str, str]]:
    """The hidden fields of each form on the page, by share."""
    text = client.get(f"/positions/{position.instrument_id}/close/").content.decode()
    parts = re.split(r'<section class="card" data-exit="', text)[1:]
    return {part.split('"')[0]: dict(re.findall(r'name="(request_id|share|quantity)" value="([^"]*)"', part)) for part in parts}


def test_a_position_is_closed_by_one_order_through_the_gate(world: World, trader: Client) -> None:
    position = buy(world, trader, "11")
    assert f"/positions/{position.instrument_id}/close/" in trader.get("/portfolio/").content.decode()
    page = trader.get(f"/positions/{position.instrument_id}/close/").content.decode()
    assert "<strong>Sell 11 MSFT</strong> at the market" in page
    assert "PAPER · REPLAY · Replay" in page
    answer = trader.post(f"/positions/{position.instrument_id}/close/", forms(trader, position)["all"])
    order = Order.objects.latest("id")
    assert answer["Location"] == f"/orders/{order.id}/"
    assert (order.side, order.quantity, order.is_reducing, order.verdict_id is not None) == ("SELL", Decimal(11), True, True)
    world.settle()
    world.step()
    assert position.instrument_id not in {item.instrument_id for item in portfolio.positions(account_id())}
    assert trader.get(f"/positions/{position.instrument_id}/close/").status_code == 404


def test_half_is_rounded_down_to_whole_lots(world: World, trader: Client) -> None:
    position = buy(world, trader, "11")
    trader.post(f"/positions/{position.instrument_id}/close/", forms(trader, position)["half"])
    assert Order.objects.latest("id").quantity == Decimal(5)
    assert {share: form["quantity"] for share, form in forms(trader, position).items()} == {"all": "6", "half": "3"}


def test_a_second_page_never_sells_what_is_sold_already(world: World, trader: Client) -> None:
    position = buy(world, trader, "11")
    first, second = forms(trader, position)["all"], forms(trader, position)["all"]
    assert first["request_id"] != second["request_id"]
    path = f"/positions/{position.instrument_id}/close/"
    assert trader.post(path, first).status_code == 302
    answer = trader.post(path, second)
    assert answer.status_code == 409
    assert "Nothing was sent" in answer.content.decode()
    assert "All of it is on its way out" in answer.content.decode()
    assert Order.objects.filter(side="SELL", instrument_id=position.instrument_id).count() == 1


@pytest.mark.parametrize("changed", [{"quantity": "12"}, {"quantity": "9999"}, {"quantity": ""}, {"share": "more"}, {"share": "half"}])
def test_only_what_was_offered_is_sent(world: World, trader: Client, changed: dict[str, str]) -> None:
    position = buy(world, trader, "11")
    before = Order.objects.count()
    answer = trader.post(f"/positions/{position.instrument_id}/close/", forms(trader, position)["all"] | changed)
    assert answer.status_code == 409
    assert Order.objects.count() == before


def test_a_viewer_neither_sees_nor_sends_it(world: World, trader: Client) -> None:
    position = buy(world, trader, "11")
    viewer = Client()
    viewer.force_login(User.objects.create_user("a-viewer", role="viewer"))
    path = f"/positions/{position.instrument_id}/close/"
    assert path not in viewer.get("/portfolio/").content.decode()
    assert [viewer.get(path).status_code, viewer.post(path, {"share": "all"}).status_code] == [403, 403]


def test_the_session_that_trades_it_is_stopped_if_asked_for(world: World, trader: Client) -> None:
    for _ in range(60):
        found = next(iter(portfolio.positions(account_id())), None)
        if found is not None:
            break
        world.step()
    assert found is not None
    session = TradingSession.objects.filter(instrument_id=found.instrument_id, state="RUNNING").first()
    assert session is not None
    trader.post(f"/positions/{found.instrument_id}/close/", forms(trader, found)["all"] | {"stop_sessions": "yes"})
    world.settle()
    session.refresh_from_db()
    assert (session.state in ("STOPPING", "STOPPED"), session.keep_positions) == (True, True)


def test_the_same_form_sent_at_the_same_moment_makes_one_order(world: World, trader: Client) -> None:
    instrument = markets.instrument_by_symbol(world.venue_id, "MSFT")
    form = {"instrument": str(instrument.id), "side": "BUY", "order_type": "MARKET", "quantity": "3", "request_id": str(uuid4())}
    before, answers = Order.objects.count(), []

    def send() -> None:
        client = Client()
        client.cookies = trader.cookies
        answers.append(client.post("/orders/new/", form).status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Order.objects.count() == before + 1
    assert set(answers) <= {302, 422}
    again = trader.post("/orders/new/", form, follow=True).content.decode()
    assert Order.objects.count() == before + 1
    assert "sent before" in again or "Refused" in again
