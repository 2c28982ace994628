"""Stress and re-runs of a stored run: asked for by page, API and command, made by the worker, kept, and the same again."""

from __future__ import annotations

import io
import json
import threading
import time
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from apps.access.models import User
from apps.backtests import selectors, services
from apps.backtests.contracts import RunConfig, RunMode, RunState
from apps.backtests.domain.config import Profile, config_from_json
from apps.backtests.domain.robustness import Crises, Reruns, Robustness
from apps.backtests.domain.stress_text import scenarios_of_lines
from apps.backtests.models import BacktestRun, RecordPart, TrialEntry
from apps.core.vocabulary import Timeframe
from tests.integration.backtests.conftest import BARS, Market, open_market
from tests.integration.backtests.cross_runner import KIND

pytestmark = pytest.mark.django_db(transaction=True)

STORM = "-20% in 3 days then flat 5 days; slippage x5; name Storm"
ASKED = Robustness(scenarios=scenarios_of_lines(STORM), reruns=Reruns(count=6))


def made(config: RunConfig) -> UUID:
    run_id = services.request_run(config, "tester", is_queued=False)
    assert services.execute_run(run_id)
    assert selectors.run(run_id).error == ""
    return run_id


def cross(market: Market, **changes: Any) -> RunConfig:
    given = {"strategy": "ema_cross", "mode": RunMode.VECTOR, "timeframe": Timeframe.D1, "instrument_ids": (market.spec.id,)} | changes
    return RunConfig(parameters={"fast_bars": 5, "slow_bars": 20, "quantity": 500.0}, **given)


def log_in(client: Client, role: str) -> Client:
    client.force_login(User.objects.create_user(f"a-{role}", role=role))
    return client


def test_what_was_asked_for_is_kept_and_the_same_again(market: Market) -> None:
    config = market.config(robustness=ASKED, seed=4)
    first, again = (selectors.tear_sheet(made(config)) for _ in range(2))
    assert first["reruns"] == again["reruns"] and first["stress"] == again["stress"]
    assert [(report["kind"], report["made"], report["seed"]) for report in first["reruns"]] == [("starts", 6, 4), ("costs", 6, 4)]
    assert [row["title"] for row in first["stress"]][-1] == "Storm" and len(first["stress"]) == 4
    plain = made(market.config(seed=4))
    assert selectors.run(plain).fills_hash == selectors.run(made(config)).fills_hash
    assert selectors.tear_sheet(plain)["reruns"] == []
    assert len({entry.fingerprint for entry in TrialEntry.objects.all()}) == 1, "tests are no tries"


def test_the_run_itself_is_marked_with_the_figures_of_its_tear_sheet(market: Market) -> None:
    run_id = made(cross(market, robustness=ASKED))
    plain = selectors.run(run_id).metrics["plain"]
    for report in selectors.tear_sheet(run_id)["reruns"]:
        for name, found in report["figures"].items():
            assert found["actual"] == pytest.approx(plain[name]), name
            assert sum(found["counts"]) == 6 and found["percentiles"] == sorted(found["percentiles"])
    costs = selectors.tear_sheet(run_id)["reruns"][1]["draws"]
    dearest, cheapest = (pick(costs, key=lambda row: row["fees"] + row["slippage"]) for pick in (max, min))
    assert dearest["total_return"] < cheapest["total_return"]


def test_progress_counts_the_re_runs_and_a_cancel_ends_them(market: Market) -> None:
    asked = Robustness(crises=Crises.NEVER, reruns=Reruns(count=20))
    run_id = services.request_run(market.config(parameters={"seconds": 0.3}, robustness=asked), "tester", is_queued=False)

    def execute() -> None:
        try:
            services.execute_run(run_id)
        finally:
            connection.close()

    worker = threading.Thread(target=execute)
    worker.start()
    deadline = time.monotonic() + 60
    while (row := BacktestRun.objects.get(id=run_id)).progress_done <= BARS * 2:
        assert time.monotonic() < deadline and row.state in (RunState.QUEUED, RunState.RUNNING)
        time.sleep(0.05)
    assert (row.progress_total, row.message) == (41 * BARS, "Running again with random starts")
    services.cancel_run(run_id=run_id, actor="tester")
    worker.join()
    row.refresh_from_db()
    assert (row.state, row.tear_sheet) == (RunState.CANCELLED, {}) and not RecordPart.objects.filter(run_id=run_id).exists()


def test_the_page_asks_for_them_and_shows_them(market: Market, client: Client) -> None:
    log_in(client, "trader")
    typed = {
        "strategy": "ema_cross", "market": market.venue.code, "p.fast_bars": "5", "p.slow_bars": "20", "p.quantity": "500",
        "p.stop_loss_percent": "0", "p.take_profit_percent": "0", "p.trailing_stop_percent": "0", "p.exits_on_cross": "yes",
        "instrument": str(market.spec.id), "timeframe": "1d", "capital": "100000", "leverage": "1", "sizing": "all", "amount": "",
        "profile": "default", "timing": "next-open", "score": "plain", "seed": "3", "mode": "", "crises": "never", "reruns": "5",
        "stress": f"{STORM}\r\n\r\nflat 10 days; volatility x2", "latest_start": "40", "lowest_costs": "1", "highest_costs": "3",
    }  # fmt: skip
    answer = client.post("/backtests/new/", typed)
    run = BacktestRun.objects.get()
    assert answer["Location"] == f"/backtests/{run.id}/"
    asked = config_from_json(run.config).robustness
    assert (asked.crises, len(asked.scenarios), asked.reruns.count) == (Crises.NEVER, 2, 5)
    assert f"{asked.reruns.latest_start} {asked.reruns.lowest_costs} {asked.reruns.highest_costs}" == "0.4 1 3"
    form = client.get(f"/backtests/new/?like={run.id}&market={market.venue.code}").content.decode()
    assert f">{STORM}\nflat 10 days; volatility x2</textarea>" in form and "<details open><summary>Crises" in form
    assert 'name="latest_start" type="text" value="40"' in form and '<option value="never" selected>' in form
    services.execute_run(run.id)
    text = client.get(f"/backtests/{run.id}/").content.decode()
    assert 'data-rerun="starts"' in text and 'data-rerun="costs"' in text and text.count('class="mark-actual"') == 6
    assert "5 runs that begin anywhere in the first 40 % of the bars" in text and "1 to 3 times as high" in text
    assert text.count("data-own") == 2 and "Storm" in text and "was asked to leave the known crises out" in text
    assert "By kind of market" in text and "Re-runs below it" in text


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("stress", "down a lot", "The move 'down a lot' is not understood"),
        ("stress", "-100%", "above -100 %"),
        ("reruns", "501", "0 to 500 times"),
        ("reruns", "-1", "reruns must be a whole number"),
        ("latest_start", "95", "must be from 0 to 0.9"),
        ("lowest_costs", "x", "The lowest costs must be a number"),
        ("highest_costs", "0.1", "is above the highest"),
        ("crises", "maybe", "crises must be one of"),
    ],
)
def test_each_complaint_stands_beside_its_field(client: Client, field: str, value: str, sentence: str) -> None:
    market = open_market()
    typed = {
        "strategy": "ema_cross", "market": market.venue.code, "p.fast_bars": "5", "p.slow_bars": "20", "p.quantity": "500",
        "p.stop_loss_percent": "0", "p.take_profit_percent": "0", "p.trailing_stop_percent": "0", "instrument": str(market.spec.id),
        "timeframe": "1d", "capital": "100000", "leverage": "1", "sizing": "all", "profile": "default", "timing": "next-open",
        "score": "plain", "seed": "3", "crises": "auto", "reruns": "0", "latest_start": "50", "lowest_costs": "0.5", "highest_costs": "2",
    }  # fmt: skip
    answer = log_in(client, "trader").post("/backtests/new/", typed | {field: value})
    text = answer.content.decode()
    assert answer.status_code == 400 and not BacktestRun.objects.exists() and "<details open><summary>Crises" in text
    assert sentence in text[text.index('id="robustness"') :].replace("&#x27;", "'")


def test_the_page_says_what_was_not_asked_for_and_what_could_not_be_made(market: Market, client: Client) -> None:
    log_in(client, "trader")
    plain = client.get(f"/backtests/{made(cross(market))}/").content.decode()
    assert "Not asked for" in plain and "tests=1#robustness" in plain and "Flash crash of 2010" in plain
    free = cross(market, profile=Profile.IDEAL, robustness=ASKED)
    told = client.get(f"/backtests/{made(free)}/").content.decode()
    assert "neither fees nor slippage (profile ideal)" in told and "has no slippage and no spread" in told
    older = made(cross(market))
    sheet = BacktestRun.objects.get(id=older).tear_sheet
    BacktestRun.objects.filter(id=older).update(tear_sheet={key: sheet[key] for key in sheet if key not in ("stress", "stress_note", "reruns", "markets", "markets_note")})  # fmt: skip
    text = client.get(f"/backtests/{older}/").content.decode()
    assert "Not kept with this run" in text and "It was not kept with this run" in text


def ran(*arguments: str) -> str:
    out = io.StringIO()
    call_command("backtest", "ema_cross", "--symbol", "TEST", "--set", "fast_bars=5", "--set", "slow_bars=20", *arguments, stdout=out, stderr=io.StringIO())  # fmt: skip
    return out.getvalue()


def test_the_command_asks_for_them_and_prints_them(market: Market) -> None:
    venue = ("--venue", market.venue.code)
    said = ran(
        *venue, "--stress", STORM, "--reruns", "4", "--latest-start", "0.3", "--costs-between", "1,2", "--seed", "2", "--crises", "never"
    )
    asked = config_from_json(BacktestRun.objects.get().config).robustness
    assert asked.scenarios == ASKED.scenarios and f"{asked.reruns.latest_start} {asked.reruns.highest_costs}" == "0.3 2"
    assert "Storm" in said and "4 re-runs with random starts, seed 2" in said and "4 re-runs with random costs, seed 2" in said
    assert "this run" in said and "Re-run" not in ran(*venue) and "Stress" not in ran(*venue)
    for arguments, sentence in (
        (("--stress", "down"), "'down' is not understood"),
        (("--costs-between", "2"), "names one multiple"),
        (("--reruns", "-3"), "0 to 500 times"),
    ):
        with pytest.raises(CommandError, match=sentence):
            ran(*venue, *arguments)


def test_the_api_asks_for_them_and_refuses_what_means_nothing(market: Market, client: Client) -> None:
    log_in(client, "trader")

    def ask(robustness: Any) -> Any:
        payload = {
            "strategy": "ema_cross", "mode": "vector", "instrument_ids": [str(market.spec.id)], "parameters": {"fast_bars": 5, "slow_bars": 20},
            "robustness": robustness,
        }  # fmt: skip
        return client.post("/api/v1/backtests/", json.dumps(payload), content_type="application/json")

    answer = ask(
        {
            "crises": "never",
            "scenarios": [{"legs": [{"change": "-0.2", "days": 3}, {"change": 0, "days": 5}], "title": "Storm", "slippage_multiple": 5}],
            "reruns": {"count": 2, "latest_start": 0.3},
        }
    )
    assert answer.status_code == 202, answer.content
    run = BacktestRun.objects.get()
    found = config_from_json(run.config).robustness
    assert found.scenarios == ASKED.scenarios and (found.reruns.count, f"{found.reruns.latest_start}") == (2, "0.3")
    services.execute_run(run.id)
    sheet = client.get(f"/api/v1/backtests/{run.id}/tear-sheet/").json()
    assert [row["title"] for row in sheet["stress"]] == ["Storm"] and [report["made"] for report in sheet["reruns"]] == [2, 2]
    refused: list[Any] = [
        {"scenarios": [{"legs": []}]},
        {"scenarios": [{"legs": [{"change": -1}]}]},
        {"scenarios": [{"legs": [{"change": "NaN"}]}]},
        {"scenarios": [{"legs": [{"change": -0.1}], "fear": 3}]},
        {"scenarios": [{"legs": [{"change": -0.1, "days": 200}, {"change": -0.1, "days": 200}]}]},
        {"scenarios": [{"legs": [{"change": -0.1}], "begins_at": "soon"}]},
        {"reruns": {"count": 501}},
        {"reruns": {"count": 1, "lowest_costs": 3}},
        {"crises": "maybe"},
        {"unknown": 1},
        [],
    ]
    for wrong in refused:
        answer = ask(wrong)
        assert answer.status_code == 400 and BacktestRun.objects.count() == 1, (wrong, answer.content)


def test_a_failing_strategy_still_fails_its_run(market: Market) -> None:
    run_id = services.request_run(market.config(parameters={"fails": True}, robustness=ASKED), "tester", is_queued=False)
    services.execute_run(run_id)
    row = BacktestRun.objects.get(id=run_id)
    assert (row.state, row.tear_sheet, row.strategy) == (RunState.FAILED, {}, KIND)
