"""The admin of markets."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.access.models import User
from apps.core.errors import Conflict, NotFound, OutOfBounds
from apps.core.ids import uuid7
from apps.events.models import LoggedEvent
from apps.markets import selectors, services
from apps.markets.contracts import VenueView
from apps.markets.models import Instrument

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", "a long pass phrase"))
    return client


@pytest.fixture
def venue() -> VenueView:
    return services.open_replay_venue(starts_at=None, reason="test", actor="tester")


def form_of(client: Client, url: str) -> dict[str, object]:
    """What a browser would send back unchanged."""
    form = client.get(url).context["adminform"].form
    return {name: "" if value is None else value for name, value in form.initial.items() if name in form.fields and value is not False}


@pytest.mark.parametrize("model", ["venue", "venueclock", "instrument", "quarantinedcandle", "sourcepull"])
def test_every_list_opens(admin: Client, venue: VenueView, model: str) -> None:
    assert admin.get(reverse(f"admin:markets_{model}_changelist")).status_code == 200


def test_venues_and_clocks_are_read(admin: Client, venue: VenueView) -> None:
    page = admin.get(reverse("admin:markets_venue_change", args=[venue.id]))
    assert page.status_code == 200
    assert "PREPARING" in page.content.decode()
    assert admin.post(reverse("admin:markets_venue_change", args=[venue.id]), {"name": "x"}).status_code == 403
    assert admin.get(reverse("admin:markets_venue_add")).status_code == 403


def test_venues_can_be_archived(admin: Client, venue: VenueView) -> None:
    admin.post(reverse("admin:markets_venue_changelist"), {"action": "archive", "_selected_action": [str(venue.id)]})
    assert selectors.venue(venue.id).status == "ARCHIVED"
    assert LoggedEvent.objects.filter(event_type="market.clock_changed", actor="root").count() == 1


def test_the_grid_is_read_only_once_bars_exist(admin: Client, venue: VenueView) -> None:
    row = Instrument.objects.get(venue_id=venue.id, symbol="SP500")
    fields = admin.get(reverse("admin:markets_instrument_change", args=[row.id])).context["adminform"].form.fields
    assert "price_scale" not in fields
    assert "tick_size" not in fields
    assert "max_quantity" in fields


def test_a_change_is_checked_and_on_the_log(admin: Client, venue: VenueView) -> None:
    row = Instrument.objects.get(venue_id=venue.id, symbol="SP500")
    url = reverse("admin:markets_instrument_change", args=[row.id])
    form = form_of(admin, url)
    refused = admin.post(url, {**form, "max_quantity": "1000000000000"})
    assert refused.status_code == 200
    assert "more than" in str(refused.context["adminform"].form.errors)
    assert admin.post(url, {**form, "max_quantity": "150000"}).status_code == 302
    row.refresh_from_db()
    assert row.max_quantity == Decimal(150_000)
    changed = LoggedEvent.objects.get(event_type="market.instrument_changed")
    assert (changed.actor, changed.payload["new_values"]["max_quantity"]) == ("root", "150000")


def test_the_service_refuses_what_the_admin_does_not_offer(venue: VenueView) -> None:
    spec = selectors.instrument_by_symbol(venue.id, "AAPL")
    with pytest.raises(Conflict, match="price_scale"):
        services.change_instrument(spec.id, values={"price_scale": 6}, actor="tester")
    with pytest.raises(OutOfBounds):
        services.change_instrument(spec.id, values={"max_price": Decimal(10**12)}, actor="tester")
    with pytest.raises(NotFound):
        services.change_instrument(uuid7(), values={}, actor="tester")
    assert LoggedEvent.objects.filter(event_type="market.instrument_changed").count() == 0
