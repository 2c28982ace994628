"""The admin reads orders, asks for cancels through the service, and edits costs with an event."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.access.models import User
from apps.core.vocabulary import Side
from apps.events.models import LoggedEvent
from apps.orders import selectors
from apps.orders.contracts import OrderStatus
from apps.orders.models import SimulatedAccount
from tests.factories.trading_world import open_world, place

pytestmark = pytest.mark.django_db


TERMS = {
    "profile": "lean", "volume_percent": "10", "latency_ms": "0", "fee_bps": "1.5", "maker_fee_bps": "", "fee_flat": "0", "fee_per_unit": "0",
    "fee_minimum": "0", "fee_cap_bps": "0", "fee_tiers": "[[100000, 1, 2]]", "spread_bps": "3", "slippage_bps": "0",
    "slippage_model": "FIXED", "impact_bps": "0", "leverage": "1", "maintenance_percent": "0",
}  # fmt: skip


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser(username="root", email="root@example.com", password="a-long-password"))
    return client


def test_an_order_is_shown_with_its_history_and_cannot_be_changed(staff: Client) -> None:
    order_id = place(open_world())
    page = staff.get(reverse("admin:orders_order_change", args=[order_id]))
    assert page.status_code == 200
    assert "CREATE" in page.content.decode()
    assert staff.get(reverse("admin:orders_order_changelist")).status_code == 200
    assert staff.get(reverse("admin:orders_order_add")).status_code == 403
    assert staff.post(reverse("admin:orders_order_change", args=[order_id]), {"status": "FILLED"}).status_code == 403


def test_the_action_asks_for_a_cancel(staff: Client) -> None:
    order_id = place(open_world())
    staff.post(reverse("admin:orders_order_changelist"), {"action": "request_cancel", "_selected_action": [str(order_id)]})
    order = selectors.order(order_id)
    assert (order.status, order.cancel_requested_by) == (OrderStatus.CANCELLED, "root")


def test_costs_are_edited_with_an_event_and_refused_off_the_grid(staff: Client) -> None:
    world = open_world()
    address = reverse("admin:orders_simulatedaccount_change", args=[world.account_id])
    assert staff.get(address).status_code == 200
    refused = staff.post(address, TERMS | {"fee_bps": "1.005"})
    assert "at most two decimals" in refused.content.decode()
    assert SimulatedAccount.objects.get(pk=world.account_id).fee_bps == Decimal(5)
    assert staff.post(address, TERMS).status_code == 302
    account = SimulatedAccount.objects.get(pk=world.account_id)
    assert (account.fee_bps, account.profile, account.volume_percent) == (Decimal("1.5"), "lean", Decimal(10))
    assert account.fee_tiers == [["100000", "1", "2"]]
    assert LoggedEvent.objects.get(event_type="orders.venue_terms_changed").actor == "root"
    logged = LoggedEvent.objects.get(event_type="orders.costs_changed")
    assert (logged.actor, logged.subject, logged.payload["fee_bps"]) == ("root", str(world.account_id), "1.5")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("volume_percent", "101", "must be 0 to 100"),
        ("leverage", "0.5", "must be 1 to 1000"),
        ("fee_tiers", "[[1, 2]]", "Each fee tier is"),
        ("fee_tiers", "[[2, 1, 1], [1, 1, 1]]", "must ascend"),
        ("fee_minimum", "-1", "must be 0 to"),
        ("maintenance_percent", "0.00001", "at most four decimals"),
    ],
)
def test_terms_that_cannot_be_are_refused_at_their_field(staff: Client, field: str, value: str, words: str) -> None:
    world = open_world()
    page = staff.post(reverse("admin:orders_simulatedaccount_change", args=[world.account_id]), TERMS | {field: value})
    assert page.status_code == 200
    assert words in page.content.decode()
    assert not LoggedEvent.objects.filter(event_type="orders.venue_terms_changed").exists()


def test_a_parent_is_shown_with_its_children(staff: Client) -> None:
    world = open_world()
    parent = place(world)
    place(world, Side.SELL, stop_price="90", parent_id=parent, is_reduce_only=True, is_reducing=True)
    page = staff.get(reverse("admin:orders_order_change", args=[parent])).content.decode()
    assert "Children" in page
    assert "STOP" in page
