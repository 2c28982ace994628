"""The admin of the log: everything to see, nothing to change, dead letters to settle."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.events.models import ConsumerCheckpoint, DeadLetter, HandlerRetry, LoggedEvent
from apps.events.services import project_activity, record_events
from tests.integration.events.conftest import sealed_log, some_events

pytestmark = pytest.mark.django_db

MODELS = ["loggedevent", "consumercheckpoint", "handlerretry", "deadletter", "activitycount"]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(username="ada", password="a long enough password"))
    return client


@pytest.fixture
def letter() -> DeadLetter:
    sealed_log(3)
    record_events(some_events(1))
    project_activity()
    event = LoggedEvent.objects.get(position=2)
    ConsumerCheckpoint.objects.create(consumer="telegram:high", position=2, handled=4, seconds_total=0.01)
    HandlerRetry.objects.create(event=event, handler="telegram", attempts=1, next_attempt_at=timezone.now(), error="ValueError: x")
    return DeadLetter.objects.create(event=event, handler="mail", attempts=5, error="ValueError: y")


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_and_offers_no_change(staff: Client, letter: DeadLetter, model: str) -> None:
    page = staff.get(reverse(f"admin:events_{model}_changelist"))
    assert page.status_code == 200
    assert staff.get(reverse(f"admin:events_{model}_add")).status_code == 403


def test_an_event_shows_its_payload_and_hash(staff: Client, letter: DeadLetter) -> None:
    row = LoggedEvent.objects.get(position=2)
    text = staff.get(reverse("admin:events_loggedevent_change", args=[row.pk])).content.decode()
    assert bytes(row.hash or b"").hex() in text
    unsealed = LoggedEvent.objects.get(position=None)
    assert "not sealed yet" in staff.get(reverse("admin:events_loggedevent_change", args=[unsealed.pk])).content.decode()
    assert staff.post(reverse("admin:events_loggedevent_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(("action", "retries"), [("retry", 2), ("resolve", 1)])
def test_a_dead_letter_is_settled_by_an_action_with_its_actor(staff: Client, letter: DeadLetter, action: str, retries: int) -> None:
    data = {"action": action, "_selected_action": [str(letter.pk)]}
    page = staff.post(reverse("admin:events_deadletter_changelist"), data, follow=True)
    assert f"mail: {action} of the event at position 2." in page.content.decode()
    letter.refresh_from_db()
    assert letter.resolved_at is not None
    assert HandlerRetry.objects.count() == retries
    assert LoggedEvent.objects.get(event_type="system.dead_letter_settled").actor == "ada"
    page = staff.post(reverse("admin:events_deadletter_changelist"), data, follow=True)
    assert "was settled at" in page.content.decode()
