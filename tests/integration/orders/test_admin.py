"""The admin reads orders, asks for cancels through the service, and edits costs with an event."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.access.models import User
from apps.events.models import LoggedEvent
from apps.orders import selectors
from apps.orders.contracts import OrderStatus
from apps.orders.models import SimulatedAccount
from tests.factories.trading_world import open_world, place

pytestmark = pytest.mark.django_db


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
    refused = staff.post(address, {"fee_bps": "1.005", "spread_bps": "3", "slippage_bps": "0"})
    assert "at most two decimals" in refused.content.decode()
    assert SimulatedAccount.objects.get(pk=world.account_id).fee_bps == Decimal(5)
    staff.post(address, {"fee_bps": "1.5", "spread_bps": "3", "slippage_bps": "0"})
    assert SimulatedAccount.objects.get(pk=world.account_id).fee_bps == Decimal("1.5")
    logged = LoggedEvent.objects.get(event_type="orders.costs_changed")
    assert (logged.actor, logged.subject, logged.payload["fee_bps"]) == ("root", str(world.account_id), "1.5")
