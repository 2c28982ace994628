"""Backtests over REST: asked for, followed, read page by page, taken away as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pyarrow.parquet
import pytest
from rest_framework.test import APIClient

from apps.access.contracts import Role
from apps.backtests import selectors, services
from apps.backtests.contracts import RunState
from apps.backtests.models import BacktestRun, SweepChunk
from apps.common.throttling import WindowThrottle
from tests.integration.api.conftest import user_of
from tests.integration.backtests.conftest import Market
from tests.integration.backtests.cross_runner import KIND

pytestmark = pytest.mark.django_db(transaction=True)

sent: list[dict[str, Any]] = []


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wake-ups are noted, not sent; nothing is throttled."""
    sent.clear()
    monkeypatch.setattr("apps.backtests.services.queue.send", lambda task, **ids: sent.append({"task": task, **ids}))
    monkeypatch.setattr(WindowThrottle, "limit", 10_000)
    yield


def client(role: Role = Role.TRADER) -> APIClient:
    found = APIClient()
    found.force_login(user_of(role))
    return found


def body(market: Market, **changes: Any) -> dict[str, Any]:
    return {"strategy": KIND, "mode": "event", "instrument_ids": [str(market.spec.id)], "parameters": {"fast": 3, "slow": 8}, **changes}


def made(market: Market, **changes: Any) -> str:
    answer = client().post("/api/v1/backtests/", body(market, **changes))
    assert answer.status_code == 202, answer.content
    run_id = answer.json()["summary"]["id"]
    assert services.execute_run(UUID(run_id))
    return str(run_id)


def test_a_backtest_is_asked_for_and_followed(market: Market) -> None:
    answer = client().post("/api/v1/backtests/", body(market, capital="50000.5", costs={"fee_taker_ppm": 250}))
    assert answer.status_code == 202
    found = answer.json()
    run_id = found["summary"]["id"]
    assert answer.headers["Location"].endswith(f"/api/v1/backtests/{run_id}/")
    assert sent == [{"task": "apps.backtests.tasks.run_backtest", "run_id": UUID(run_id)}]
    assert found["summary"]["state"] == "QUEUED" and found["config"]["capital"] == "50000.5"
    assert found["summary"]["requested_by"] == "trader-user"
    services.execute_run(UUID(run_id))
    done = client(Role.VIEWER).get(f"/api/v1/backtests/{run_id}/").json()
    assert done["summary"]["state"] == "DONE" and done["judgement"]["trials"] == 1
    listed = client(Role.VIEWER).get("/api/v1/backtests/", {"state": "DONE", "strategy": KIND}).json()
    assert [row["id"] for row in listed["results"]] == [run_id]
    assert client().get("/api/v1/backtests/", {"state": "FAILED"}).json()["results"] == []


def test_the_mode_is_found_where_none_is_named(market: Market) -> None:
    wanted = {name: value for name, value in body(market).items() if name != "mode"}
    assert client().post("/api/v1/backtests/", wanted).json()["summary"]["mode"] == "event"


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"strategy": "nonsense"}, 404, "strategy"),
        ({"instrument_ids": [str(uuid4())]}, 404, ""),
        ({"instrument_ids": []}, 400, "instrument_ids"),
        ({"parameters": {"fast": "three"}}, 400, "fast"),
        ({"parameters": {"fast": 10**20}}, 400, "fast"),
        ({"parameters": {"slow": 100_000}}, 400, "slow"),
        ({"start": "2030-01-01T00:00:00Z", "end": "2020-01-01T00:00:00Z"}, 400, "start"),
        ({"capital": "1e999"}, 400, "capital"),
        ({"capital": "99999999999999"}, 400, "capital"),
        ({"bar_file": {"path": "/etc/passwd"}}, 400, "bar_file"),
        ({"walk_forward": {"search": {"fast": []}}}, 400, "fast"),
        ({"walk_forward": {"objective": "luck"}}, 400, "walk_forward.objective"),
        ({"timeframe": "7m"}, 400, "timeframe"),
    ],
)
def test_a_request_that_cannot_be_run_is_answered_with_a_problem(market: Market, changes: dict[str, Any], status: int, field: str) -> None:
    answer = client().post("/api/v1/backtests/", body(market, **changes))
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert field in answer.content.decode()
    assert not BacktestRun.objects.exists() and not sent


def test_only_a_trader_may_ask_cancel_and_delete(market: Market) -> None:
    viewer = client(Role.VIEWER)
    assert viewer.post("/api/v1/backtests/", body(market)).status_code == 403
    run_id = made(market)
    for method, address in (("delete", ""), ("post", "cancel/"), ("post", "repeat/")):
        assert getattr(viewer, method)(f"/api/v1/backtests/{run_id}/{address}").status_code == 403


def test_records_come_page_by_page(market: Market) -> None:
    run_id = made(market)
    total = selectors.run(UUID(run_id)).record_rows["trades"]
    seen: list[int] = []
    cursor: str | None = None
    while True:
        query = {"table": "trades", "limit": 7} | ({"cursor": cursor} if cursor else {})
        page = client().get(f"/api/v1/backtests/{run_id}/records/", query).json()
        seen += [row["number"] for row in page["results"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == list(range(total))
    row = client().get(f"/api/v1/backtests/{run_id}/records/", {"table": "fills", "limit": 1}).json()["results"][0]
    assert row["symbol"] == "TEST" and row["side"] == "BUY" and Decimal(row["value"]) == Decimal(row["price"]) * 10
    curve = client().get(f"/api/v1/backtests/{run_id}/equity/", {"limit": 30}).json()["results"]
    assert len(curve) == 30
    sheet = client().get(f"/api/v1/backtests/{run_id}/tear-sheet/").json()
    assert {"equity", "months", "figures", "costs", "exits"} <= set(sheet)


def test_a_table_is_the_same_in_every_format(market: Market) -> None:
    run_id = made(market)

    def taken(file_format: str) -> bytes:
        answer = client().get(f"/api/v1/backtests/{run_id}/export/", {"table": "fills", "file_format": file_format})
        assert answer.status_code == 200 and f'fills.{file_format}"' in answer.headers["Content-Disposition"]
        return b"".join(answer.streaming_content)  # type: ignore[attr-defined]

    lines = list(csv.DictReader(io.StringIO(taken("csv").decode())))
    rows = json.loads(taken("json"))
    table = pyarrow.parquet.read_table(io.BytesIO(taken("parquet"))).to_pylist()
    assert len(lines) == len(rows) == len(table) == selectors.run(UUID(run_id)).record_rows["fills"]
    for line, row, cells in zip(lines, rows, table, strict=True):
        assert Decimal(line["price"]) == Decimal(row["price"]) == cells["price"]
        assert Decimal(line["fee"]) == Decimal(row["fee"]) == cells["fee"]
        assert line["reason"] == row["reason"] == cells["reason"]
        assert line["at"] == cells["at"].isoformat()
        assert int(line["number"]) == row["number"] == cells["number"]


def test_what_is_not_done_has_no_tear_sheet_and_empty_records(market: Market) -> None:
    run_id = client().post("/api/v1/backtests/", body(market)).json()["summary"]["id"]
    answer = client().get(f"/api/v1/backtests/{run_id}/tear-sheet/")
    assert answer.status_code == 404 and "queued" in answer.json()["detail"]
    assert client().get(f"/api/v1/backtests/{run_id}/records/").json()["results"] == []
    assert client().delete(f"/api/v1/backtests/{run_id}/").status_code == 409
    assert client().post(f"/api/v1/backtests/{run_id}/cancel/").json()["summary"]["state"] == "CANCELLED"
    assert client().delete(f"/api/v1/backtests/{run_id}/").status_code == 204
    assert client().get(f"/api/v1/backtests/{run_id}/").status_code == 404
    (line,) = client().get("/api/v1/backtests/trials/").json()["results"]
    assert (line["run_id"], line["state"], line["judgement"]) == (run_id, "CANCELLED", None)


def test_a_backtest_is_repeated_with_the_same_fills(market: Market) -> None:
    run_id = made(market)
    again = client().post(f"/api/v1/backtests/{run_id}/repeat/").json()["summary"]["id"]
    services.execute_run(UUID(again))
    assert selectors.run(UUID(again)).fills_hash == selectors.run(UUID(run_id)).fills_hash


def test_a_sweep_is_asked_for_made_and_read(market: Market) -> None:
    wanted = body(market, space={"fast": {"minimum": 2, "maximum": 4}, "slow": [8, 13]}, objective="total_return")
    answer = client().post("/api/v1/sweeps/", wanted)
    assert answer.status_code == 202, answer.content
    sweep_id = answer.json()["id"]
    assert answer.json()["budget"] == 6
    for chunk_id in SweepChunk.objects.values_list("id", flat=True):
        services.execute_chunk(chunk_id)
    found = client().get(f"/api/v1/sweeps/{sweep_id}/").json()
    assert found["state"] == RunState.DONE and found["progress"]["done"] == 6
    best = client().get(f"/api/v1/sweeps/{sweep_id}/points/", {"best_first": "true", "limit": 1}).json()["results"][0]
    assert best["number"] == found["best_number"] and best["score"] == best["metrics"]["total_return"]
    page = client().get(f"/api/v1/sweeps/{sweep_id}/points/", {"limit": 4}).json()
    assert [row["number"] for row in page["results"]] == [0, 1, 2, 3] and page["next_cursor"] == "3"
    table = client().get(f"/api/v1/sweeps/{sweep_id}/heat-map/", {"across": "fast", "down": "slow"}).json()
    assert table["across"]["values"] == [2, 3, 4] and len(table["cells"]) == 2
    assert client().get(f"/api/v1/sweeps/{sweep_id}/heat-map/", {"across": "fast", "down": "quick"}).status_code == 404
    run = client().post(f"/api/v1/sweeps/{sweep_id}/points/", {"number": best["number"]})
    assert run.status_code == 202 and run.json()["summary"]["sweep_id"] == sweep_id
    assert client().post(f"/api/v1/sweeps/{sweep_id}/cancel/").json()["state"] == "DONE"
    assert client().delete(f"/api/v1/sweeps/{sweep_id}/").status_code == 204
