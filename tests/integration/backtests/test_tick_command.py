"""`manage.py backtest --ticks`: a stored run like any other, shown on its page, or one sentence that says which row is wrong."""

from __future__ import annotations

import io
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.access.models import User
from apps.backtests import selectors, services
from apps.backtests.contracts import RecordKind, RunConfig, RunMode, RunState
from apps.backtests.domain import event_ticks
from apps.backtests.domain.config import Sizing, SizingMethod
from apps.backtests.domain.tick_config import TickFile
from apps.backtests.domain.ticks import TickKind
from apps.backtests.models import BacktestRun, RecordPart, TrialEntry, TrialFamily
from apps.core.vocabulary import Timeframe
from tests.unit.backtests.tick_files import random_tape, rows_of, write_csv, write_parquet

pytestmark = pytest.mark.django_db(transaction=True)

Rows = list[dict[str, str]]
QUOTES = (TickKind.QUOTE, TickKind.QUOTE, TickKind.TRADE)


def rows(count: int = 1_500) -> Rows:
    return rows_of(random_tape(np.random.default_rng(5), count, kinds=QUOTES))


def ran(path: Path, *arguments: str, strategy: str = "quote_maker") -> str:
    out = io.StringIO()
    given = ["--ticks", str(path), "--symbol", "X/USD", "--sizing", "quantity=3", *arguments]
    call_command("backtest", strategy, *given, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def config_of(path: Path) -> RunConfig:
    return RunConfig(
        strategy="quote_maker", timeframe=Timeframe.M1, mode=RunMode.EVENT, tick_file=TickFile(path=str(path), symbol="X/USD"),
        sizing=Sizing(method=SizingMethod.QUANTITY, amount=Decimal(3)),
    )  # fmt: skip


def test_a_run_over_ticks_prints_and_stores_its_result(tmp_path: Path) -> None:
    said = ran(write_csv(tmp_path / "ticks.csv", rows()), "--short", "--set", "goes_short=true", "--latency-ms", "20")
    assert "quote_maker on X/USD, 1,500 ticks, event mode" in said
    assert "0 depth snapshots; times in milliseconds since 1970 UTC" in said and "Walk forward:" in said
    run = BacktestRun.objects.get()
    assert (run.state, run.timeframe, run.bars) == (RunState.DONE, "tick", 1_500)
    assert RecordPart.objects.filter(run=run, kind=RecordKind.FILLS).exists()
    assert TrialFamily.objects.get().timeframe == "tick" and TrialEntry.objects.get().run_id == run.id


def test_the_same_ticks_in_another_file_have_the_same_hashes(tmp_path: Path) -> None:
    written = rows()
    found = [
        json.loads(ran(path, "--plain", "--json", "--export", str(tmp_path / "out"), "--export-format", "json"))
        for path in (write_csv(tmp_path / "ticks.csv", written), write_parquet(tmp_path / "ticks.parquet", written))
    ]
    assert found[0]["fills_hash"] == found[1]["fills_hash"] and found[0]["data_hash"] == found[1]["data_hash"]
    assert found[0]["records"]["fills"] > 0 and found[0]["config"]["tick_file"]["symbol"] == "X/USD"
    moments = len({row["time"] for row in written})
    assert len(json.loads((tmp_path / "out" / "equity.json").read_text())) == moments == found[0]["records"]["equity"]
    changed = [*written[:-1], written[-1] | {"bid": "1.00", "ask": "1.01", "price": "", "size": "", "side": ""}]
    assert json.loads(ran(write_csv(tmp_path / "ticks.csv", changed), "--plain", "--json"))["data_hash"] != found[0]["data_hash"]


def test_signals_run_over_quotes(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "ticks.csv", rows())
    found = json.loads(ran(path, "--plain", "--json", "--set", "fast_bars=3", "--set", "slow_bars=9", strategy="ema_cross"))
    assert found["config"]["mode"] == "vector" and found["records"]["fills"] > 0


def test_times_bound_what_is_used(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "ticks.csv", rows())
    found = json.loads(ran(path, "--plain", "--json", "--from", "2024-01-02T09:01", "--to", "2024-01-02T09:02"))
    assert 0 < found["bars"] < 1_500
    with pytest.raises(CommandError, match="There are no ticks"):
        ran(path, "--from", "2030-01-01")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--file", "bars.csv"), "--file is for bars"),
        (("--venue", "lib"), "--venue is for bars"),
        (("--signal-timeframe", "1h"), "--signal-timeframe is for bars"),
        (("--latency-bars", "1"), "Ticks have no bars"),
        (("--symbol", "Y/USD"), "one symbol"),
        (("--mode", "session"), "session over ticks"),
        (("--lot", "much"), "is no number"),
    ],
)
def test_what_cannot_be_asked_of_ticks_is_refused_before_a_run_is_stored(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(CommandError) as caught:
        ran(write_csv(tmp_path / "ticks.csv", rows(30)), *arguments)
    assert told in str(caught.value) and not BacktestRun.objects.exists()


def test_a_wrong_row_fails_the_run_by_row_and_column(tmp_path: Path) -> None:
    written = rows(60)
    quoted = next(number for number, row in enumerate(written) if "bid" in row)
    written[quoted] = written[quoted] | {"ask": "nan"}
    with pytest.raises(CommandError) as caught:
        ran(write_csv(tmp_path / "ticks.csv", written))
    assert f"Row {quoted + 1} of ticks.csv" in str(caught.value) and "column ask" in str(caught.value)
    run = BacktestRun.objects.get()
    assert run.state == RunState.FAILED and not RecordPart.objects.exists() and TrialEntry.objects.count() == 1


def test_a_run_over_ticks_reports_progress_and_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece of the tape at a time; between two of them the flag is looked at that the watching thread sets."""
    run_id = services.request_run(config_of(write_csv(tmp_path / "ticks.csv", rows())), "tester", is_queued=False)
    tell, told = event_ticks._tell, []

    def slow(*arguments: Any) -> None:
        tell(*arguments)
        told.append(arguments[-1])
        if len(told) == 3:
            services.cancel_run(run_id=run_id, actor="tester")
        time.sleep(0.02)

    monkeypatch.setattr(event_ticks, "EVENTS_AT_ONCE", 10)
    monkeypatch.setattr(event_ticks, "_tell", slow)
    monkeypatch.setattr("apps.backtests.services.watching.LOOK_SECONDS", 0.01)
    services.execute_run(run_id)
    run = BacktestRun.objects.get()
    assert (run.state, run.progress_total) == (RunState.CANCELLED, 1_500)
    assert 3 <= len(told) < 150 and not RecordPart.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--currency", "EUR", "--rate", "USD=0.9"), "X/USD is paid in USD, the capital is in EUR"),
        (("--lot", "0"), "The lot is a number above zero"),
        (("--lot", "NaN"), "The lot is a number above zero"),
        (("--tick", "-1"), "The tick is a number above zero"),
        (("--sizing", "quantity=1e30"), "more than X/USD can be reckoned with exactly"),
        (("--sizing", "value=1e400"), "more than X/USD can be reckoned with exactly"),
    ],
)
def test_what_a_run_over_ticks_cannot_be_made_with_is_told(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    """Above all a capital in another currency, which would be taken for as much of the file's own."""
    with pytest.raises(CommandError, match=told):
        ran(
            write_csv(tmp_path / "ticks.csv", rows(60)),
            *(f"{name}={value}" for name, value in zip(arguments[::2], arguments[1::2], strict=True)),
        )
    assert not RecordPart.objects.exists()


def test_beside_freqtrade_it_is_told_that_the_run_had_no_bars(tmp_path: Path) -> None:
    trade = {
        "pair": "X/USD",
        "amount": 1.0,
        "open_rate": 1.0,
        "close_rate": 2.0,
        "open_timestamp": 0,
        "close_timestamp": 1,
        "profit_abs": 1.0,
    }
    content = {"trades": [trade], "starting_balance": 1000.0, "stake_currency": "USD", "timeframe": "5m"}
    theirs = tmp_path / "backtest-result.json"
    theirs.write_text(json.dumps({"strategy": {"Cross": content}}))
    said = ran(write_csv(tmp_path / "ticks.csv", rows(300)), "--compare", str(theirs))
    assert "Their bars are of 5m, we ran over ticks." in said


def test_the_page_says_that_it_was_ticks(client: Client, tmp_path: Path) -> None:
    client.force_login(User.objects.create_user("a-viewer", role="viewer"))
    run_id = services.request_run(config_of(write_csv(tmp_path / "ticks.csv", rows())), "tester", is_queued=False)
    assert services.execute_run(run_id)
    page = client.get(f"/backtests/{run_id}/").content.decode()
    sheet = selectors.tear_sheet(run_id)
    counts = sheet["ticks"]
    assert not sheet["markets"] and "ticks" in sheet["markets_note"] and not sheet["stress"] and "ticks" in sheet["stress_note"]
    assert f"Over ticks: {counts['quotes']:,} quotes, {counts['trades']:,} trades of others" in page.replace("\xa0", " ").replace(
        "\u202f", " "
    )
    assert "ticks.csv (times in milliseconds since 1970 UTC)" in page and "Change and run" not in page
    drawn = candles(client, run_id)
    assert drawn["seconds"] == counts["seconds"] and len(drawn["bars"]) == len(counts["candles"])
    closes = {bar[0] for bar in drawn["bars"]}
    assert drawn["trades"] and all({trade["opened"], trade["closed"]} <= closes for trade in drawn["trades"])
    assert client.get("/backtests/").status_code == client.get("/backtests/trials/").status_code == 200


def candles(client: Client, run_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/backtests/{run_id}/candles/", {"symbol": "X/USD"}).json()
    return found


def test_the_form_for_stored_bars_is_not_offered_for_a_file(client: Client, tmp_path: Path) -> None:
    client.force_login(User.objects.create_user("a-trader", role="trader"))
    for written in (rows(60), [*rows(60)[::-1]]):
        run_id = services.request_run(config_of(write_csv(tmp_path / "ticks.csv", written)), "tester", is_queued=False)
        assert services.execute_run(run_id)
        page = client.get(f"/backtests/{run_id}/").content.decode()
        assert "/backtests/new/?like" not in page and "Run again" in page
