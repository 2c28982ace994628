"""Runs are started again, stopped and deleted in the admin; results and the ledger are only looked at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from apps.access.models import User
from apps.backtests import selectors, services
from apps.backtests.contracts import RunState, SweepMethod
from apps.backtests.models import BacktestRun, TrialEntry
from tests.integration.backtests.conftest import Market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="a long enough pass phrase"))
    return client


def act(client: Client, action: str, run_id: UUID) -> Any:
    answer = client.post("/admin/backtests/backtestrun/", {"action": action, "_selected_action": [str(run_id)]}, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


def test_a_run_is_started_again_cancelled_and_deleted(market: Market, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.backtests.services.queue.send", lambda task, **ids: None)
    run_id = services.request_run(market.config(), "tester", is_queued=False)
    services.execute_run(run_id)
    assert "queued" in act(admin, "run_again", run_id)[0]
    again = BacktestRun.objects.exclude(id=run_id).get()
    assert (again.requested_by, again.state, again.config) == ("root", RunState.QUEUED, BacktestRun.objects.get(id=run_id).config)
    assert "Cancel it first" in act(admin, "delete_runs", again.id)[0]
    act(admin, "cancel_selected", again.id)
    assert BacktestRun.objects.get(id=again.id).state == RunState.CANCELLED
    act(admin, "delete_runs", again.id)
    assert not BacktestRun.objects.filter(id=again.id).exists()


@pytest.mark.parametrize("model", ["backtestrun", "sweep", "trialfamily", "trialentry"])
def test_every_list_and_row_opens_and_nothing_can_be_edited(market: Market, admin: Client, model: str) -> None:
    services.execute_run(services.request_run(market.config(), "tester", is_queued=False))
    services.request_sweep(market.config(), {"fast": [2, 3]}, "tester", method=SweepMethod.GRID)
    listed = admin.get(f"/admin/backtests/{model}/")
    assert listed.status_code == 200
    (row, *_) = listed.context["cl"].result_list
    assert admin.get(f"/admin/backtests/{model}/{row.pk}/change/").status_code == 200
    assert admin.get(f"/admin/backtests/{model}/add/").status_code == 403
    assert admin.post(f"/admin/backtests/{model}/{row.pk}/change/", {}).status_code == 403


def test_the_ledger_refuses_to_be_changed_even_by_hand(market: Market) -> None:
    services.execute_run(services.request_run(market.config(), "tester", is_queued=False))
    for change in (lambda: TrialEntry.objects.update(sharpe=9.9), lambda: TrialEntry.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert len(selectors.trials()) == 1
