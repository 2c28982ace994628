"""Parity in the browser: before there is a day, clean days, a day that differs, the breaker."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from apps.access.models import User
from apps.backtests.models import ParityDay, ParityTolerance
from apps.backtests.services.parity import check_account
from tests.integration.backtests.paper_world import account_of_world, entry, fill_of, open_world, tamper, wall

pytestmark = pytest.mark.django_db


def log_in(client: Client, role: str) -> Client:
    client.force_login(User.objects.create_user(f"a-{role}", role=role))
    return client


def test_the_page_says_what_it_is_before_there_is_anything(client: Client) -> None:
    assert "No account yet" in log_in(client, "viewer").get("/backtests/parity/").content.decode()


def test_the_page_says_when_it_first_runs(client: Client) -> None:
    open_world(1)
    text = log_in(client, "viewer").get("/backtests/parity/").content.decode()
    assert "No day is compared yet" in text and "ten past midnight UTC" in text and "Compare" not in text


def test_days_differences_and_the_breaker_are_shown(client: Client) -> None:
    open_world(6)
    account_id = account_of_world()
    check_account(account_id=account_id, now=wall())
    text = log_in(client, "risk").get("/backtests/parity/").content.decode()
    days = ParityDay.objects.count()
    assert text.count("data-day=") == days > 3 and f'data-field="parity.clean_days" data-value="{days}"' in text and ">armed<" in text
    fill = fill_of(entry())
    tamper("UPDATE orders_fill SET price = %s WHERE id = %s", [fill.price + 100, fill.id])
    check_account(account_id=account_id, now=wall(), day=fill.occurred_at.date())
    text = client.get("/backtests/parity/?only=different").content.decode()
    day = ParityDay.objects.get(differences__gt=0)
    assert text.count("data-day=") == 1 and "The breaker has halted this account" in text and "price, quantity or reason of a fill" in text
    shown = client.get(f"/backtests/parity/{day.id}/").content.decode()
    assert "Beyond the tolerance" in shown and f"/halt/{day.halt_id}/" in shown and "Fill" in shown
    client.post("/backtests/parity/tolerance/", {"account": str(account_id), "tolerance_bps": "25", "halts": ""})
    found = ParityTolerance.objects.get(account_id=account_id)
    assert (found.tolerance_bps, found.halts) == (Decimal(25), False)


def test_only_risk_sets_the_tolerance_and_only_traders_compare(client: Client) -> None:
    assert log_in(client, "trader").post("/backtests/parity/tolerance/", {}).status_code == 403
    assert log_in(client, "viewer").post("/backtests/parity/check/", {}).status_code == 403
    assert client.get("/backtests/parity/?before=x").status_code == 400
