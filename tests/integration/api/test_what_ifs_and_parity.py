"""Questions about decisions and parity over REST: asked with 202, read back, refused at their fields."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from apps.access.contracts import Role
from apps.backtests.domain.what_if import WhatIfChanges
from apps.backtests.models import ParityTolerance, WhatIf
from apps.backtests.selectors.paper_runs import paper_run
from apps.backtests.services.parity import check_account
from apps.backtests.services.what_ifs import answer
from apps.events.models import LoggedEvent
from apps.strategies import selectors as strategies
from tests.integration.api.conftest import ClientOf
from tests.integration.backtests.paper_world import account_of_world, entry, fill_of, open_world, tamper, wall

pytestmark = pytest.mark.django_db


def test_a_question_is_taken_refused_and_read_back(client_of: ClientOf) -> None:
    open_world(2)
    client, decision = client_of(Role.TRADER), entry()
    body = {"decision_id": str(decision.id), "limits": {"MAX_ORDER_NOTIONAL": "100", "MAX_DRAWDOWN": None}, "is_lasting": True}
    asked = client.post("/api/v1/what-ifs/", body)
    assert (asked.status_code, asked.json()["state"], asked.json()["requested_by"]) == (202, "QUEUED", "trader-user")
    assert asked.json()["changes"] == {"limits": {"MAX_DRAWDOWN": None, "MAX_ORDER_NOTIONAL": "100"}, "is_lasting": True}
    row = WhatIf.objects.get()
    assert asked.headers["Location"].endswith(f"/api/v1/what-ifs/{row.id}/")
    assert client.post("/api/v1/what-ifs/", body).json()["id"] == str(row.id)

    wanted = strategies.decision(decision.id)
    from_engine = answer(paper_run(account_of_world()), wanted, WhatIfChanges(limits={"MAX_ORDER_NOTIONAL": Decimal(100)}), lambda *_: None)
    WhatIf.objects.update(state="DONE", result=from_engine.to_json())
    read = client.get(f"/api/v1/what-ifs/{row.id}/").json()
    assert (read["result"]["other"]["outcome"], read["result"]["is_same"]) == ("REFUSED_BY_RISK", False)
    assert [item["id"] for item in client.get(f"/api/v1/what-ifs/?decision_id={decision.id}").json()["results"]] == [str(row.id)]

    refused = client.post("/api/v1/what-ifs/", {"decision_id": str(decision.id), "confidence": "1.5"})
    assert (refused.status_code, refused.json()["where"]) == (400, "confidence")
    assert client.post("/api/v1/what-ifs/", {"decision_id": str(decision.id), "colour": 1}).status_code == 400
    assert client.post("/api/v1/what-ifs/", {"decision_id": str(row.id), "confidence": "0.5"}).status_code == 404
    assert client_of(Role.VIEWER).post("/api/v1/what-ifs/", body).status_code == 403


def test_parity_is_read_day_by_day(client_of: ClientOf) -> None:
    open_world(4)
    fill = fill_of(entry())
    tamper("UPDATE orders_fill SET fee = fee + 1 WHERE id = %s", [fill.id])
    check_account(account_id=account_of_world(), now=wall())
    client = client_of(Role.TRADER)
    summary = client.get("/api/v1/parity/").json()
    assert (summary["days"], summary["clean_days"], summary["kinds"], summary["is_behind"]) == (3, 2, {"fee": 1}, False)
    days = client.get("/api/v1/parity/days/?limit=2").json()
    assert len(days["results"]) == 2
    assert len(client.get(days["next"]).json()["results"]) == 1
    (day,) = client.get("/api/v1/parity/days/?only_different=true").json()["results"]
    assert (day["day"], day["is_breached"], day["deviation"]) == (str(fill.occurred_at.date()), False, "1")
    (found,) = client.get(f"/api/v1/parity/days/{day['id']}/differences/").json()["results"]
    assert (found["kind"], found["order_id"], found["amount"]) == ("fee", str(fill.order_id), "1")
    assert client.post("/api/v1/parity/", {"day": "2007-06-04"}).status_code == 202


def test_the_tolerance_is_changed_in_the_admin_and_on_the_log(admin_client: Client) -> None:
    row, _ = ParityTolerance.objects.get_or_create(account=None, defaults={"tolerance_bps": Decimal(1)})
    path = f"/admin/backtests/paritytolerance/{row.id}/change/"
    assert admin_client.post(path, {"tolerance_bps": "-1", "halts": "on"}).status_code == 200
    assert admin_client.post(path, {"tolerance_bps": "2.5", "halts": "on"}).status_code == 302
    assert ParityTolerance.objects.get().tolerance_bps == Decimal("2.5")
    payload = LoggedEvent.objects.get(event_type="backtests.parity_tolerance_changed").payload
    assert (payload["old_value"], payload["new_value"]) == ("1 bps, halts", "2.5 bps, halts")
