"""Declared pages: the risk page that ships, the navigation, roles, and addresses that are taken."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.urls import path

from apps.access.contracts import Role
from apps.access.models import User
from apps.dashboard.domain import pages
from apps.dashboard.domain.blocks import Text
from apps.dashboard.domain.pages import PageContext, declared_pages, page
from apps.dashboard.web import navigation
from apps.dashboard.web.views import declared
from apps.markets.selectors import venue
from apps.portfolio.models import Account
from apps.risk.services import change_limit, seed_default_limits
from tests.factories.trading_world import open_world
from tests.integration.risk.orders import NOW, assess, propose
from trading_system import urls as root

pytestmark = pytest.mark.django_db


def log_in(client: Client, role: str) -> Client:
    client.force_login(User.objects.create_user(f"a-{role}", role=role))
    return client


def test_the_risk_page_shows_every_limit_and_what_was_refused(client: Client) -> None:
    world = open_world()
    Account.objects.filter(id=world.account_id).update(is_default=True)
    seed_default_limits()
    change_limit(code="MAX_OPEN_ORDERS", value=Decimal(7), strategy="momentum", actor="ada", now=NOW)
    assess(propose(world, quantity=10))
    refusal = assess(propose(world, quantity=300)).first_failure
    assert refusal is not None
    shown = log_in(client, "viewer").get(f"/risk/?venue={world_code(world.venue_id)}").content.decode()
    assert refusal.message in shown
    assert 'data-value="MAX_ORDER_NOTIONAL">Max order notional<' in shown
    assert "of the newest 2 orders" in shown
    assert shown.count('data-field="Limit" data-value="MAX_OPEN_ORDERS"') == 3
    assert "Most orders that may be open at once, this one included." in shown
    assert '<a href="/risk/' in shown


def world_code(venue_id: UUID) -> str:

    return venue(venue_id).code


def test_the_risk_page_stands_before_there_is_anything(client: Client) -> None:
    answer = log_in(client, "viewer").get("/risk/")
    assert answer.status_code == 200
    assert "No order was judged yet" in answer.content.decode()


def test_declared_pages_stand_in_their_group_and_only_for_their_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_pages", {})
    for name, section in (("costs", ""), ("backups", "Operations"), ("alpha", "Research"), ("beta", "Research")):
        page(path=name, title=name.capitalize(), section=section)(lambda context: [])
    page(path="secret", title="Secret", role=Role.ADMIN)(lambda context: [])
    items = navigation.nav_items("/costs/", is_staff=True, may=lambda role: role is Role.VIEWER)
    labels = [item.label for item in items]
    assert labels[-8:] == ["Replay runs", "Costs", "Events", "System", "Backups", "Alpha", "Beta", "Admin"]
    assert [item.group for item in items[-3:]] == ["Research", "", ""]
    assert [item.label for item in items if item.is_current] == ["Costs"]


def test_a_page_of_a_higher_role_is_refused(client: Client, settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_pages", {})

    @page(path="secret", title="Secret", role=Role.RISK)
    def show(context: PageContext) -> list[Text]:
        return [Text("Plan", f"asked with {context.query['word']}")]

    (item,) = declared_pages()
    settings.ROOT_URLCONF = (path("secret/", declared.show, {"item": item}), *root.urlpatterns)  # type: ignore[attr-defined]
    assert log_in(client, "trader").get("/secret/?word=yes").status_code == 403
    assert "asked with yes" in log_in(client, "risk").get("/secret/?word=yes").content.decode()


def test_a_taken_address_and_a_missing_icon_are_found_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_checks(tags=["dashboard"]) == []
    monkeypatch.setattr(pages, "_pages", {})
    page(path="orders", title="Mine", icon="unicorn")(lambda context: [])
    assert [message.id for message in run_checks(tags=["dashboard"])] == ["dashboard.E001", "dashboard.E002"]
