"""The admin shows models, runs and forecasts, changes none of them, and can ask for a training."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from apps.forecasts.contracts import TrainingStatus
from apps.forecasts.models import Forecast, ForecastModel, TrainingRun
from apps.forecasts.services import forecast, queue
from tests.integration.forecasts.worlds import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    world = make_world()
    world.train()
    forecast(window=world.window(), horizon_bars=1)
    return world


@pytest.fixture
def admin(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(queue.current_app, "send_task", lambda *args, **kwargs: None)
    client.force_login(get_user_model().objects.create_superuser(username="ada", email="ada@example.org", password="x"))
    return client


@pytest.mark.parametrize("model", [TrainingRun, ForecastModel, Forecast])
def test_lists_and_rows_are_shown_and_cannot_be_changed(world: World, admin: Client, model: type) -> None:
    name = f"admin:forecasts_{model.__name__.lower()}"
    listing = admin.get(reverse(f"{name}_changelist"))
    assert listing.status_code == 200
    row = model.objects.first()  # type: ignore[attr-defined]
    page = admin.get(reverse(f"{name}_change", args=[row.id]))
    assert page.status_code == 200
    assert "tree_sizes" not in page.content.decode()
    assert admin.post(reverse(f"{name}_change", args=[row.id]), {}).status_code == 403
    assert admin.get(reverse(f"{name}_add")).status_code == 403
    assert admin.post(reverse(f"{name}_delete", args=[row.id]), {"post": "yes"}).status_code == 403
    assert model.objects.filter(id=row.id).exists()  # type: ignore[attr-defined]


def ask(client: Client) -> str:
    url = reverse("admin:forecasts_trainingrun_changelist")
    answer = client.post(
        url, {"action": "train_now", "_selected_action": [str(TrainingRun.objects.earliest("created_at").id)]}, follow=True
    )
    return str(answer.content.decode())


def test_a_training_can_be_asked_for(world: World, admin: Client) -> None:
    assert "is queued; its progress shows here." in ask(admin)
    run = TrainingRun.objects.get(status=TrainingStatus.QUEUED)
    assert run.reason == "Asked for by ada in the admin."
    assert run.instrument_ids == [str(world.specs["NASDAQ"].id)]
    ask(admin)
    assert TrainingRun.objects.filter(status=TrainingStatus.QUEUED).count() == 1


def test_staff_who_may_only_look_cannot_ask(world: World, admin: Client) -> None:
    get_user_model().objects.update(is_superuser=False, is_staff=True)
    ask(admin)
    assert not TrainingRun.objects.filter(status=TrainingStatus.QUEUED).exists()
