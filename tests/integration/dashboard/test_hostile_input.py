"""What a hostile or hurried person sends: each answer is a plain page, and nothing is done."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.access.models import User
from apps.markets import selectors as markets
from apps.orders.models import Order
from apps.risk.models import Halt
from apps.strategies.models import ReplayRequest
from tests.world import World

PAGES = ["/", "/decisions/", "/orders/", "/portfolio/", "/models/", "/events/", "/system/", "/replays/", "/halt/", "/events/export/"]


def log_in(client: Client, role: str) -> Client:
    client.force_login(User.objects.create_user(f"a-{role}", role=role))
    return client


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*(f"{page}?venue=%00" for page in PAGES), "/orders/?symbol=%00", "/events/?subject=%00", "/chart/%00/"])
def test_what_no_text_can_hold_is_refused_by_every_page(client: Client, path: str) -> None:
    answer = log_in(client, "viewer").get(path)
    assert answer.status_code == 400
    assert "NUL character" in answer.content.decode()


def test_a_reason_that_no_text_can_hold_halts_nothing(world: World, client: Client) -> None:
    assert log_in(client, "trader").post("/halt/", {"reason": "abc\0"}).status_code == 400
    assert Halt.objects.count() == 0


@pytest.mark.parametrize("quantity", ["1e999", "1e400000000", "9" * 40, "1,000", "1_000", "\u0663", "Infinity", "0x10", "1 000"])
def test_a_quantity_that_is_not_plain_digits_is_never_guessed(world: World, client: Client, quantity: str) -> None:
    world.step()
    instrument = markets.instrument_by_symbol(world.venue_id, "SP500")
    form = {"instrument": str(instrument.id), "side": "BUY", "order_type": "MARKET", "quantity": quantity}
    before = Order.objects.count()
    answer = log_in(client, "trader").post("/orders/new/", form)
    assert answer.status_code == 400
    assert "must be a number" in answer.content.decode()
    assert Order.objects.count() == before


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2199-01-01", "2008-13-01", "tomorrow"])
def test_a_jump_to_no_day_of_the_replay_is_refused_at_once(world: World, client: Client, day: str) -> None:
    page = log_in(client, "trader").post("/transport/", {"action": "jump", "jump_to": day}, follow=True)
    assert 'class="alert alert-danger"' in page.content.decode()
    assert markets.venue(world.venue_id).jump_to is None
    assert ReplayRequest.objects.count() == 0


@pytest.mark.parametrize("path", ["/transport/", "/orders/new/", "/orders/cancel-all/"])
@pytest.mark.django_db
def test_a_command_that_is_merely_opened_does_nothing_and_says_so(client: Client, path: str) -> None:
    answer = log_in(client, "trader").get(path, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "Nothing was done" in answer.content.decode()


@pytest.mark.django_db
def test_a_form_sent_after_the_log_in_has_ended_leads_back_to_its_page(client: Client) -> None:
    answer = client.post("/transport/", {"action": "pause"}, headers={"referer": "http://testserver/orders/?status=OPEN"})
    assert answer["Location"] == "/login/?next=/orders/%3Fstatus%3DOPEN"
    assert "Nothing was done: your log-in had ended." in client.get(answer["Location"]).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("referer", ["https://evil.example/x", "//evil.example", "javascript:alert(1)", ""])
def test_a_form_never_leads_to_another_site(client: Client, referer: str) -> None:
    answer = log_in(client, "trader").post("/orders/cancel-all/", headers={"referer": referer})
    assert answer["Location"] == "/"
