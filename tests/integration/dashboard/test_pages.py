"""Pages over real tables: before there is anything, who may do what, commands, downloads, plain errors."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client

from apps.access.models import User
from apps.events.models import LoggedEvent
from apps.markets import selectors as markets
from apps.orders.models import Order
from apps.risk.models import Halt
from apps.strategies.models import ReplayRequest, TradingSession
from tests.world import World

PAGES = ["/", "/chart/", "/decisions/", "/orders/", "/portfolio/", "/models/", "/events/", "/system/", "/replays/", "/halt/"]
DOWNLOADS = ["/decisions/export.csv", "/orders/export.csv", "/portfolio/equity.csv", "/portfolio/journal.csv", "/events/export/?format=csv"]
COMMANDS = ["/transport/", "/orders/new/", "/orders/cancel-all/", f"/orders/{uuid4()}/cancel/", f"/sessions/{uuid4()}/stop/"]


def log_in(client: Client, role: str) -> Client:
    client.force_login(User.objects.create_user(f"a-{role}", role=role))
    return client


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES + DOWNLOADS)
def test_pages_stand_before_there_is_anything(client: Client, path: str) -> None:
    assert log_in(client, "viewer").get(path).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*PAGES, *DOWNLOADS, "/equity-data/", "/chart-data/SP500/"])
def test_nothing_is_shown_without_a_log_in(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/login/")


@pytest.mark.django_db
@pytest.mark.parametrize("path", COMMANDS)
def test_a_viewer_commands_nothing(client: Client, path: str) -> None:
    answer = log_in(client, "viewer").post(path)
    assert answer.status_code == 403
    assert "This needs the role trader; yours is viewer." in answer.content.decode()


@pytest.mark.django_db
def test_a_viewer_cannot_halt_and_a_trader_cannot_reset(client: Client) -> None:
    assert log_in(client, "viewer").post("/halt/", {"reason": "because"}).status_code == 403
    assert Halt.objects.count() == 0
    assert log_in(client, "trader").post(f"/halt/{uuid4()}/reset/", {"reason": "because"}).status_code == 403


@pytest.mark.django_db
def test_a_form_without_its_token_does_nothing() -> None:
    client = log_in(Client(enforce_csrf_checks=True), "trader")
    answer = client.post("/halt/", {"reason": "because"})
    assert answer.status_code == 403
    assert "nothing was done" in answer.content.decode()
    assert Halt.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing/", 404), (f"/decisions/{uuid4()}/", 404), (f"/orders/{uuid4()}/", 404), (f"/halt/{uuid4()}/", 404),
        ("/?venue=none", 404), ("/chart/NONE/", 404), ("/decisions/?before=x", 400), ("/decisions/?outcome=x", 400),
        ("/orders/?status=x", 400), ("/events/?before=x", 400), ("/events/?priority=x", 400), ("/decisions/?session=%00", 400),
    ],
)  # fmt: skip
def test_errors_are_plain_pages(client: Client, path: str, status: int) -> None:
    answer = log_in(client, "viewer").get(path)
    text = answer.content.decode()
    assert answer.status_code == status
    for heading in ("What happened", "Is money at risk?", "What to do"):
        assert heading in text
    assert "Traceback" not in text


@pytest.mark.django_db
def test_a_failing_page_shows_no_trace(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.dashboard.web.views.overview.overview", fail)
    client.raise_request_exception = False
    answer = log_in(client, "viewer").get("/")
    assert answer.status_code == 500
    assert "The page failed" in answer.content.decode()
    assert "secret detail" not in answer.content.decode()


@pytest.mark.django_db
def test_pages_allow_no_code_but_their_own(client: Client) -> None:
    policy = log_in(client, "viewer").get("/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


def test_a_halt_needs_a_reason_and_is_logged(world: World, client: Client) -> None:
    log_in(client, "trader")
    assert client.post("/halt/", {"reason": "  a "}).status_code == 400
    assert Halt.objects.count() == 0
    answer = client.post("/halt/", {"reason": "numbers look wrong", "flatten": "yes"})
    halt = Halt.objects.get()
    assert answer["Location"] == f"/halt/{halt.id}/"
    assert (halt.reason, halt.flatten, halt.engaged_by) == ("numbers look wrong", True, "a-trader")
    assert LoggedEvent.objects.get(event_type="trading.emergency_stop").actor == "a-trader"
    assert "being verified" in client.get(f"/halt/{halt.id}/").content.decode()
    world.settle()
    assert "Trading is halted, verified" in client.get(f"/halt/{halt.id}/").content.decode()


def test_the_transport_commands_the_clock(world: World, client: Client) -> None:
    log_in(client, "trader")
    client.post("/transport/", {"action": "pause"})
    assert markets.venue(world.venue_id).status == "PAUSED"
    client.post("/transport/", {"action": "speed", "bars_per_second": "5"})
    assert markets.venue(world.venue_id).bars_per_second == Decimal(5)
    client.post("/transport/", {"action": "resume"})
    client.post("/transport/", {"action": "jump", "jump_to": "2008-09-15"})
    venue = markets.venue(world.venue_id)
    assert venue.status == "RUNNING"
    assert venue.jump_to is not None
    assert f"{venue.jump_to:%Y-%m-%d}" == "2008-09-15"


@pytest.mark.parametrize(
    "fields", [{"action": "restart"}, {"action": "fly"}, {}, {"action": "speed", "bars_per_second": "fast"}, {"action": "jump"}]
)
def test_what_the_transport_cannot_do_is_said(world: World, client: Client, fields: dict[str, str]) -> None:
    before = markets.venue(world.venue_id)
    page = log_in(client, "trader").post("/transport/", fields, follow=True)
    assert 'class="alert alert-danger"' in page.content.decode()
    assert markets.venue(world.venue_id) == before
    assert ReplayRequest.objects.count() == 0


def test_jumping_back_and_restarting_ask_for_a_fresh_run(world: World, client: Client) -> None:
    log_in(client, "trader").post("/transport/", {"action": "jump", "jump_to": "2001-01-02"})
    request = ReplayRequest.objects.get()
    assert request.starts_at is not None
    assert (f"{request.starts_at:%Y-%m-%d}", request.requested_by) == ("2001-01-02", "a-trader")
    page = client.post("/transport/", {"action": "restart", "confirmed": "yes"}, follow=True).content.decode()
    assert "already under way" in page


def test_a_session_is_stopped(world: World, client: Client) -> None:
    session = TradingSession.objects.filter(state="RUNNING").first()
    assert session is not None
    log_in(client, "trader").post(f"/sessions/{session.id}/stop/")
    session.refresh_from_db()
    assert session.state == "STOPPING"


def test_orders_by_hand_pass_the_gate_or_say_what_refused_them(world: World, client: Client) -> None:
    world.step(2)
    instrument = markets.instrument_by_symbol(world.venue_id, "SP500")
    form = {"instrument": str(instrument.id), "side": "BUY", "order_type": "MARKET", "quantity": "1", "time_in_force": "GTC"}
    log_in(client, "trader")
    before = Order.objects.count()
    refused = client.post("/orders/new/", form | {"quantity": "100000"})
    assert refused.status_code == 422
    assert "Refused" in refused.content.decode()
    for wrong in ({"quantity": ""}, {"quantity": "NaN"}, {"quantity": "-1"}, {"order_type": "LIMIT"}, {"side": "UP"}):
        assert client.post("/orders/new/", form | wrong).status_code == 400, wrong
    assert Order.objects.count() == before
    taken = client.post("/orders/new/", form)
    order = Order.objects.order_by("-id").first()
    assert order is not None
    assert taken["Location"] == f"/orders/{order.id}/"
    assert (order.origin, order.quantity) == ("MANUAL", Decimal(1))
    client.post(f"/orders/{order.id}/cancel/")
    order.refresh_from_db()
    assert order.status in ("CANCELLED", "CANCEL_PENDING")


def test_downloads_hold_every_row_as_stored(world: World, client: Client) -> None:
    world.step(3)
    text = log_in(client, "viewer").get("/decisions/export.csv").content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 21
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    filtered = client.get("/decisions/export.csv?outcome=NO_SIGNAL").content.decode()
    assert {row["outcome"] for row in csv.DictReader(io.StringIO(filtered))} <= {"NO_SIGNAL"}
