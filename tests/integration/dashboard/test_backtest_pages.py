"""Backtests in the browser: asking, every state of a run, the tear sheet, comparing, sweeps, the ledger."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from msgspec import structs

from apps.access.models import User
from apps.backtests import selectors, services
from apps.backtests.contracts import RecordKind, RunConfig, RunMode, RunState, ScoreMode, SweepMethod
from apps.backtests.models import BacktestRun, Sweep, SweepChunk, TrialEntry
from apps.core.vocabulary import Timeframe
from tests.integration.backtests.conftest import BARS, Market, open_market

EMPTY = ["/backtests/", "/backtests/parity/", "/backtests/compare/", "/backtests/sweeps/", "/backtests/trials/"]
FORMS = ["/backtests/new/", "/backtests/sweeps/new/"]
COMMANDS = [f"/backtests/{uuid4()}/{name}/" for name in ("beside", "cancel", "repeat", "delete")] + [
    f"/backtests/sweeps/{uuid4()}/{name}/" for name in ("cancel", "run-point", "delete")
]


def log_in(client: Client, role: str) -> Client:
    client.force_login(User.objects.create_user(f"a-{role}", role=role))
    return client


@pytest.fixture
def market(transactional_db: None) -> Market:
    return open_market()


@pytest.fixture
def shelf(db: None) -> Market:
    """The same where nothing is run."""
    return open_market()


def config_of(market: Market, **parameters: Any) -> RunConfig:
    values = {"fast_bars": 5, "slow_bars": 20, "quantity": 50.0} | parameters
    return RunConfig(strategy="ema_cross", timeframe=Timeframe.D1, mode=RunMode.VECTOR, instrument_ids=(market.spec.id,), parameters=values)


def made(config: RunConfig) -> UUID:
    run_id = services.request_run(config, "tester", is_queued=False)
    assert services.execute_run(run_id)
    assert selectors.run(run_id).error == ""
    return run_id


def form_of(market: Market, **changes: Any) -> dict[str, Any]:
    fields = {
        "strategy": "ema_cross", "market": market.venue.code, "p.fast_bars": "5", "p.slow_bars": "20", "p.quantity": "50",
        "p.stop_loss_percent": "0", "p.take_profit_percent": "0", "p.trailing_stop_percent": "0", "p.exits_on_cross": "yes",
        "instrument": str(market.spec.id), "timeframe": "1d", "capital": "100000", "leverage": "1", "sizing": "all", "amount": "",
        "profile": "default", "timing": "next-open", "score": "walk-forward", "seed": "0", "mode": "",
    }  # fmt: skip
    return fields | changes


def sweep_of(market: Market) -> UUID:
    space = {"fast_bars": [3, 5], "slow_bars": [10, 20, 30]}
    sweep_id = services.request_sweep(config_of(market), space, "tester", method=SweepMethod.GRID)
    for chunk in SweepChunk.objects.filter(sweep_id=sweep_id):
        services.execute_chunk(chunk.id)
    return sweep_id


@pytest.mark.django_db
@pytest.mark.parametrize("path", EMPTY)
def test_pages_stand_before_there_is_anything(client: Client, path: str) -> None:
    text = log_in(client, "viewer").get(path).content.decode()
    assert 'class="empty"' in text


@pytest.mark.django_db
@pytest.mark.parametrize("path", FORMS)
def test_forms_say_what_is_missing_before_a_market_is_open(client: Client, path: str) -> None:
    answer = log_in(client, "trader").get(path)
    assert answer.status_code == 200 and "No market is open yet" in answer.content.decode()


@pytest.mark.django_db
def test_a_viewer_may_read_and_asks_for_nothing(client: Client) -> None:
    log_in(client, "viewer")
    assert {path: client.get(path).status_code for path in FORMS} == dict.fromkeys(FORMS, 403)
    assert {path: client.post(path).status_code for path in COMMANDS} == dict.fromkeys(COMMANDS, 403)
    assert "Run the first one" not in client.get("/backtests/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*EMPTY, *FORMS, f"/backtests/{uuid4()}/", f"/backtests/{uuid4()}/export/"])
def test_nothing_is_shown_without_a_log_in(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/login/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/backtests/{uuid4()}/", 404), (f"/backtests/{uuid4()}/curves/", 404), (f"/backtests/{uuid4()}/candles/", 404),
        (f"/backtests/{uuid4()}/histories/", 404), (f"/backtests/{uuid4()}/records/?table=none", 400), (f"/backtests/{uuid4()}/export/", 404),
        (f"/backtests/{uuid4()}/export/?format=exe", 400), ("/backtests/?state=x", 400), ("/backtests/?before=x", 400),
        ("/backtests/compare/?ids=x", 400), (f"/backtests/compare/?ids={','.join(str(uuid4()) for _ in range(9))}", 400),
        (f"/backtests/sweeps/{uuid4()}/", 404), (f"/backtests/sweeps/{uuid4()}/data/", 404), ("/backtests/trials/?before=x", 400),
        ("/backtests/new/?market=none", 404),
    ],
)  # fmt: skip
def test_errors_are_plain_pages(client: Client, path: str, status: int) -> None:
    answer = log_in(client, "trader").get(path)
    assert (answer.status_code, "What happened" in answer.content.decode()) == (status, True)


def test_the_form_shows_each_parameter_with_its_bounds_and_help(shelf: Market, client: Client) -> None:
    text = log_in(client, "trader").get(f"/backtests/new/?strategy=ema_cross&market={shelf.venue.code}").content.decode()
    assert 'name="p.fast_bars" type="number" step="1" min="2" max="1000" value="20"' in text
    assert "Bars of the short average. From 2 to 1,000." in text
    assert 'name="p.exits_on_cross" value="yes" checked' in text
    assert f'value="{shelf.spec.id}" checked' in text and '<option value="walk-forward" selected>' in text


def test_a_form_asks_for_what_was_typed_and_leads_to_the_run(shelf: Market, client: Client) -> None:
    typed = form_of(
        shelf, start="2000-06-01", end="2030-01-01", fee_bps="2.5", sizing="fraction", amount="0.5", seed="7", is_anchored="yes",
        train_bars="100", test_bars="50", **{"search.fast_bars": "3, 5", "search.slow_bars": "10 to 30 step 10", "p.exits_on_cross": ""},
    )  # fmt: skip
    answer = log_in(client, "trader").post("/backtests/new/", typed)
    run = BacktestRun.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/backtests/{run.id}/")
    config = selectors.run(run.id).config
    assert (config.mode, config.score, config.seed, config.capital) == (RunMode.VECTOR, ScoreMode.WALK_FORWARD, 7, Decimal(100_000))
    assert (config.costs.fee_taker_ppm, config.costs.fee_maker_ppm, config.sizing.amount) == (250, 250, Decimal("0.5"))
    assert config.walk_forward.search == {"fast_bars": [3, 5], "slow_bars": [10, 20, 30]} and config.walk_forward.is_anchored
    assert config.parameters["fast_bars"] == 5 and config.parameters["exits_on_cross"] is False
    assert f"{config.start:%Y-%m-%d}" == "2000-06-01" and run.requested_by == "a-trader"
    assert client.get("/backtests/new/?like=x&market=" + shelf.venue.code).status_code == 404
    again = client.get(f"/backtests/new/?like={run.id}&market={shelf.venue.code}").content.decode()
    assert 'name="search.slow_bars" value="10, 20, 30"' in again and 'name="fee_bps" type="text" value="2.5"' in again


def test_a_form_takes_several_instruments_and_the_prices_of_currencies(shelf: Market, client: Client) -> None:
    typed = form_of(shelf, rates="EUR=1.08, GBP = 1.270", compares_alone="yes")
    assert log_in(client, "trader").post("/backtests/new/", typed).status_code == 302
    run = BacktestRun.objects.get()
    config = selectors.run(run.id).config
    assert (config.rates, config.compares_alone) == ({"EUR": Decimal("1.08"), "GBP": Decimal("1.27")}, True)
    again = client.get(f"/backtests/new/?like={run.id}&market={shelf.venue.code}").content.decode()
    assert 'value="EUR=1.08, GBP=1.27"' in again and 'name="compares_alone" value="yes" checked' in again


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("rates", "EUR", "is no price of a currency"),
        ("rates", "EUR=-1", "rates must be a positive number"),
        ("capital", "much", "The capital must be a number"),
        ("capital", "0", "capital must be a positive number"),
        ("p.fast_bars", "1", "fast_bars must be at least 2"),
        ("p.fast_bars", "", "A value is missing"),
        ("instrument", "", "Choose at least one instrument"),
        ("instrument", str(UUID(int=1)), "There is no instrument"),
        ("start", "2090-01-01", "There are no 1d bars"),
        ("start", "soon", "must be a date"),
        ("leverage", "0.5", "The leverage must be from 1"),
        ("amount", "0.5", "takes no amount"),
        ("leverage", "0", "The leverage must be from 1"),
        ("fee_bps", "-1", "from 0 to 10,000 bps"),
        ("volume_share", "101", "from 0 to 100 %"),
        ("fee_bps", "0.001", "finer than a millionth"),
        ("search.fast_bars", "1, 5", "fast_bars must be at least 2"),
        ("search.fast_bars", "many", "is no number"),
        ("timeframe", "2w", "timeframe must be one of"),
        ("seed", "x", "seed must be a whole number"),
    ],
)
def test_each_complaint_stands_beside_its_field(shelf: Market, client: Client, field: str, value: str, sentence: str) -> None:
    answer = log_in(client, "trader").post("/backtests/new/", form_of(shelf, **{field: value}))
    text = answer.content.decode()
    assert answer.status_code == 400 and "It was not asked for" in text
    block = text[text.index(f'name="{field}"') :]
    ends = [block.index(mark) for mark in ("</fieldset>", '<div class="field', '<div class="parameter', "</form>") if mark in block]
    assert sentence in block[: min(ends)].replace("&#x27;", "'")
    assert not BacktestRun.objects.exists()


@pytest.mark.parametrize("field", ["train_bars", "test_bars"])
def test_a_complaint_about_a_window_is_not_folded_away(shelf: Market, client: Client, field: str) -> None:
    log_in(client, "trader")
    text = client.post("/backtests/new/", form_of(shelf, **{field: "x"})).content.decode()
    assert "<details open><summary>Windows of the walk forward" in text and f"{field} must be a whole number" in text
    assert "<details><summary>Windows of the walk forward" in client.get(f"/backtests/new/?market={shelf.venue.code}").content.decode()


def test_objectives_of_one_name_are_told_apart_by_their_group(shelf: Market, client: Client) -> None:
    text = log_in(client, "trader").get(f"/backtests/sweeps/new/?market={shelf.venue.code}").content.decode()
    groups = [part.split("</optgroup>")[0] for part in text.split("<optgroup")[1:]]
    assert [part.count(">Alpha<") for part in groups if ">Alpha<" in part] == [1, 1]


def test_a_waiting_run_shows_its_progress_and_can_be_cancelled(shelf: Market, client: Client) -> None:
    run_id = services.request_run(config_of(shelf), "tester", is_queued=False)
    log_in(client, "trader")
    text = client.get(f"/backtests/{run_id}/").content.decode()
    assert f'data-work="{run_id}" data-work-own' in text and "It waits for a free worker." in text
    assert f'data-work="{run_id}"' in client.get("/backtests/").content.decode()
    assert client.post(f"/backtests/{run_id}/delete/").status_code == 302
    assert BacktestRun.objects.filter(id=run_id).exists()
    client.post(f"/backtests/{run_id}/cancel/")
    assert "It was cancelled" in client.get(f"/backtests/{run_id}/").content.decode()


def test_a_failed_run_says_why_and_what_to_do(shelf: Market, client: Client) -> None:
    run_id = services.request_run(config_of(shelf), "tester", is_queued=False)
    BacktestRun.objects.filter(id=run_id).update(state=RunState.FAILED, error="It <broke>.", error_where="bars[3]", error_hint="Mend it.")
    text = log_in(client, "trader").get(f"/backtests/{run_id}/").content.decode()
    assert "It &lt;broke&gt;." in text and "bars[3]" in text and "Mend it." in text and f"?like={run_id}" in text


def test_a_done_run_shows_its_tear_sheet(market: Market, client: Client) -> None:
    run_id = made(config_of(market))
    run = selectors.run(run_id)
    text = log_in(client, "viewer").get(f"/backtests/{run_id}/").content.decode()
    assert f'data-field="run.fills_hash" data-value="{run.fills_hash}"' in text
    assert f'data-field="figures.sharpe" data-value="{run.metrics["figures"]["sharpe"]}"' in text
    assert "The figures count from" in text and "Walk-forward windows" in text and "What the Sharpe ratio is worth" in text
    assert run.judgement is not None and f'data-field="judgement.trials" data-value="{run.judgement.trials}"' in text
    assert "By kind of market" in text and "Worst drawdowns" in text and "Delete" not in text


def test_the_stress_table_stands_beside_the_run_without_the_crisis(market: Market, client: Client) -> None:
    run_id = made(config_of(market, quantity=500.0))
    autumn, spring, flash = selectors.tear_sheet(run_id)["stress"]
    plain = selectors.run(run_id).metrics["plain"]["total_return"]
    assert [row["error"] for row in (autumn, spring, flash)] == ["", "", ""] and (autumn["bars"], flash["bars"]) == (49, 1)
    assert autumn["plain_return"] == pytest.approx(plain) and autumn["stretch_return"] < 0 < autumn["stretch_drawdown"] < 1
    assert autumn["price_fall"] == pytest.approx(-0.39887, abs=1e-5) and autumn["total_return"] != autumn["plain_return"]
    text = log_in(client, "viewer").get(f"/backtests/{run_id}/").content.decode()
    assert "a crisis imposed" in text and "Flash crash of 2010" in text


def test_curves_candles_and_histories_are_what_was_stored(market: Market, client: Client) -> None:
    run_id = made(config_of(market))
    log_in(client, "viewer")
    curves = json.loads(client.get(f"/backtests/{run_id}/curves/").content)
    assert len(curves["equity"]) == len(curves["drawdown"]) == BARS + 1 and max(depth for _, depth in curves["drawdown"]) == 0
    candles = json.loads(client.get(f"/backtests/{run_id}/candles/?symbol=TEST").content)
    trades = selectors.record_page(run_id, RecordKind.TRADES, limit=200)
    assert len(candles["bars"]) == BARS and len(candles["trades"]) == len(trades) > 3 and candles["before"] is None
    assert candles["trades"][0]["opened"] == int(trades[0]["opened_at"].timestamp()) and candles["trades"][0]["exit"] == "Signal"
    assert {trade["closed"] for trade in candles["trades"]} <= {bar[0] for bar in candles["bars"]}
    assert client.get(f"/backtests/{run_id}/candles/?symbol=NONE").status_code == 404
    found, again = (json.loads(client.get(f"/backtests/{run_id}/histories/").content)["histories"] for _ in range(2))
    assert found == again and found["histories"] == 500 and found["final_returns"] == sorted(found["final_returns"])


def test_a_run_without_a_trade_says_why_and_has_its_charts(market: Market, client: Client) -> None:
    run_id = made(structs.replace(config_of(market, quantity=0.0), capital=Decimal(1)))
    log_in(client, "viewer")
    text = client.get(f"/backtests/{run_id}/").content.decode()
    assert 'id="no-trade"' in text and "It placed no order" in text and "capital of 1 USD" in text
    found = json.loads(client.get(f"/backtests/{run_id}/histories/").content)["histories"]
    assert found["final_returns"] == [0.0] * len(found["levels"]) and found["actual"][-1] == 1
    assert 'id="no-trade"' not in client.get(f"/backtests/{made(config_of(market))}/").content.decode()


def test_records_name_what_is_traded_as_it_is_and_say_units(market: Market, client: Client) -> None:
    run_id = made(config_of(market))
    text = log_in(client, "viewer").get(f"/backtests/{run_id}/records/?table=fills").content.decode()
    assert '<td class="nowrap">TEST</td>' in text and '<td class="nowrap">Buy</td>' in text
    assert "Times are UTC" in text and "Money is USD" in text


def test_records_are_paged_and_exported_whole(market: Market, client: Client) -> None:
    run_id = made(config_of(market))
    log_in(client, "viewer")
    first = client.get(f"/backtests/{run_id}/records/?table=equity").content.decode()
    second = client.get(f"/backtests/{run_id}/records/?table=equity&after=99").content.decode()
    assert first.count("<tr><td") == second.count("<tr><td") == 100 and "after=99" in first and "after=199" in second
    kinds = {"csv": "text/csv", "json": "application/json", "parquet": "application/vnd.apache.parquet"}
    for name, media_type in kinds.items():
        answer = client.get(f"/backtests/{run_id}/export/?table=fills&format={name}")
        body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert answer["Content-Type"] == media_type and f"backtest-{run_id}-fills.{name}" in answer["Content-Disposition"] and body
    lines = b"".join(client.get(f"/backtests/{run_id}/export/").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 1 + selectors.run(run_id).record_rows["fills"]


def test_the_list_judges_filters_and_leads_on(market: Market, client: Client) -> None:
    run_id = made(config_of(market))
    log_in(client, "trader")
    text = client.get("/backtests/").content.decode()
    assert f'data-run="{run_id}" data-state="DONE"' in text and selectors.run(run_id).fills_hash[:8] in text
    assert "No backtest fits this filter" in client.get("/backtests/?state=FAILED").content.decode()
    assert "No backtest fits this filter" in client.get("/backtests/?strategy=none").content.decode()
    answer = client.post(f"/backtests/{run_id}/repeat/")
    again = BacktestRun.objects.exclude(id=run_id).get()
    assert answer["Location"] == f"/backtests/{again.id}/" and again.config == BacktestRun.objects.get(id=run_id).config
    client.post(f"/backtests/{run_id}/delete/")
    assert not BacktestRun.objects.filter(id=run_id).exists() and TrialEntry.objects.filter(run_id=run_id).exists()


def test_runs_are_compared_side_by_side(market: Market, client: Client) -> None:
    first, second = made(config_of(market)), made(config_of(market, fast_bars=3))
    text = log_in(client, "viewer").get(f"/backtests/compare/?ids={first},{second}&ids={uuid4()}").content.decode()
    assert text.count("data-run=") == 2 and "strong best" in text
    settings = text[text.index("Settings that differ") :]
    assert "fast_bars" in settings and "slow_bars" not in settings
    assert "Fewer than two of these are done" in client.get(f"/backtests/compare/?ids={first}").content.decode()


def test_a_sweep_form_asks_for_what_was_typed(shelf: Market, client: Client) -> None:
    log_in(client, "trader")
    typed = form_of(shelf, method="grid", objective="calmar", budget="50", search_seed="3")
    refused = client.post("/backtests/sweeps/new/", typed)
    assert refused.status_code == 400 and "Nothing is searched over" in refused.content.decode()
    answer = client.post("/backtests/sweeps/new/", typed | {"search.fast_bars": "3, 5", "search.slow_bars": "10 to 30 step 10"})
    sweep = Sweep.objects.get()
    assert answer["Location"] == f"/backtests/sweeps/{sweep.id}/"
    assert (sweep.budget, sweep.objective, sweep.seed, sweep.space["fast_bars"]) == (6, "calmar", 3, [3, 5])
    text = client.get(f"/backtests/sweeps/{sweep.id}/").content.decode()
    assert "No point is finished yet" in text and "data-work-own" in text
    client.post(f"/backtests/sweeps/{sweep.id}/cancel/")
    assert "It was cancelled" in client.get(f"/backtests/sweeps/{sweep.id}/").content.decode()


def test_a_sweep_shows_its_heat_map_coordinates_and_best_point(market: Market, client: Client) -> None:
    sweep_id = sweep_of(market)
    log_in(client, "trader")
    best = selectors.sweep_trials(sweep_id, is_best_first=True, limit=1)[0]
    text = client.get(f"/backtests/sweeps/{sweep_id}/?across=fast_bars&down=slow_bars&figure=max_drawdown").content.decode()
    assert text.count('<td class="num heat-') == 6 and "heat-9" in text and "Deepest drawdown: Slow bars down" in text
    assert 'data-field="judgement.trials" data-value="6"' in text and f'data-point="{best.number}"' in text
    data = json.loads(client.get(f"/backtests/sweeps/{sweep_id}/data/").content)
    assert (
        data["parameters"] == ["fast_bars", "slow_bars"] and len(data["points"]) == 6 and data["points"][0][:2] == [best.number, best.score]
    )
    assert "Point 4" in client.get(f"/backtests/sweeps/{sweep_id}/?point=4").content.decode()
    assert [client.get(f"/backtests/sweeps/{sweep_id}/?{query}").status_code for query in ("point=99", "figure=x", "across=x")] == [404] * 3
    answer = client.post(f"/backtests/sweeps/{sweep_id}/run-point/", {"number": best.number})
    run = BacktestRun.objects.get()
    assert answer["Location"] == f"/backtests/{run.id}/" and run.sweep_id == sweep_id
    assert str(sweep_id) in client.get("/backtests/sweeps/").content.decode()


def test_the_ledger_lists_every_try(market: Market, client: Client) -> None:
    run_id = made(config_of(market))
    sweep_of(market)
    text = log_in(client, "viewer").get("/backtests/trials/").content.decode()
    assert text.count("data-trial=") == 7 and f"/backtests/{run_id}/" in text
    family = TrialEntry.objects.values_list("family_id", flat=True)[0]
    assert client.get(f"/backtests/trials/?family={family}").content.decode().count("data-trial=") == 7
    assert "Nothing of this was tried" in client.get("/backtests/trials/?strategy=none").content.decode()
