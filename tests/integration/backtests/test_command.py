"""`manage.py backtest`: a short result, or one sentence that says what is wrong, and never half a run."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from apps.backtests.contracts import RunState
from apps.backtests.models import BacktestRun, RecordPart
from tests.integration.backtests.conftest import BARS, Market, prices
from tests.integration.backtests.cross_runner import KIND

pytestmark = pytest.mark.django_db(transaction=True)

Rows = list[list[str]]


def bar_rows(count: int = 300) -> Rows:
    closes = prices(count) / 1_000_000
    opens = np.concatenate([closes[:1], closes[:-1]])
    days = np.datetime64("2020-01-01") + np.arange(count)
    return [
        [str(day), f"{o:.2f}", f"{max(o, c) + 0.1:.2f}", f"{min(o, c) - 0.1:.2f}", f"{c:.2f}", "1000"]
        for day, o, c in zip(days, opens, closes, strict=True)
    ]


def write(path: Path, rows: Rows) -> Path:
    lines = [["date", "open", "high", "low", "close", "volume"], *rows]
    path.write_text("".join(",".join(row) + "\n" for row in lines))
    return path


def ran(*arguments: str) -> str:
    out = io.StringIO()
    call_command("backtest", KIND, "--mode", "event", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def on_file(path: Path, *arguments: str) -> str:
    return ran("--file", str(path), "--symbol", "X/USD", *arguments)


def test_a_run_on_a_file_prints_its_result(cross_runner: None, tmp_path: Path) -> None:
    said = on_file(write(tmp_path / "bars.csv", bar_rows()), "--set", "fast=3", "--set", "slow=8")
    assert "300 bars, event mode, profile default" in said
    assert "Sharpe ratio" in said and "Deflated Sharpe ratio" in said and "Walk forward: 9 windows" in said
    assert BacktestRun.objects.get().state == RunState.DONE


def test_json_and_exports_are_for_programs(cross_runner: None, tmp_path: Path) -> None:
    path = write(tmp_path / "bars.csv", bar_rows())
    found = json.loads(on_file(path, "--plain", "--json", "--seed", "5", "--export", str(tmp_path / "out"), "--export-format", "json"))
    assert found["state"] == "DONE" and found["config"]["seed"] == 5 and found["metrics"]["score"] == "plain"
    fills = json.loads((tmp_path / "out" / "fills.json").read_text())
    assert len(fills) == found["records"]["fills"] > 0
    assert json.loads((tmp_path / "out" / "result.json").read_text())["fills_hash"] == found["fills_hash"]
    assert len(json.loads((tmp_path / "out" / "equity.json").read_text())) == 300
    again = json.loads(on_file(path, "--plain", "--json", "--seed", "5"))
    assert (again["fills_hash"], again["data_hash"]) == (found["fills_hash"], found["data_hash"])


def test_stored_bars_are_named_by_venue_and_symbol(market: Market) -> None:
    found = json.loads(ran("--venue", market.venue.code, "--symbol", "TEST", "--json"))
    assert found["bars"] == BARS and found["config"]["instrument_ids"] == [str(market.spec.id)]


def test_a_search_walks_forward(cross_runner: None, tmp_path: Path) -> None:
    path = write(tmp_path / "bars.csv", bar_rows())
    said = on_file(path, "--search", "fast=2,3", "--train-bars", "100", "--test-bars", "50")
    assert "Walk forward: 4 windows" in said and "chosen among 2" in said


def swapped(rows: Rows) -> Rows:
    return [*rows[:100], rows[101], rows[100], *rows[102:]]


def with_cell(column: int, value: str) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows[:100], [value if place == column else cell for place, cell in enumerate(rows[100])], *rows[101:]]


@pytest.mark.parametrize(
    ("spoil", "arguments", "told"),
    [
        (swapped, (), "opens before the bar that came before it"),
        (with_cell(4, "nan"), (), "not a number"),
        (with_cell(4, ""), (), "not a number"),
        (with_cell(3, "0"), (), "zero or negative"),
        (with_cell(2, "1"), (), "high is below the low"),
        (with_cell(2, "150.123"), ("--tick", "0.01", "--price-scale", "3"), "no step of 0.01"),
        (with_cell(4, "abc"), (), "A number cannot be read"),
        (with_cell(0, "yesterday"), (), "date"),
        (lambda rows: [], (), "no 1d bars"),
        (lambda rows: rows, ("--from", "2090-01-01"), "no 1d bars"),
        (lambda rows: rows, ("--capital", "99999999999999999"), "more than X/USD can be reckoned with"),
        (lambda rows: rows, ("--set", "fails=true"), "ZeroDivisionError"),
    ],
)
def test_bad_input_fails_the_run_with_one_sentence(
    cross_runner: None, tmp_path: Path, spoil: Callable[[Rows], Rows], arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(CommandError, match=r"\S") as caught:
        on_file(write(tmp_path / "bars.csv", spoil(bar_rows())), *arguments)
    assert told in str(caught.value)
    run = BacktestRun.objects.get()
    assert run.state == RunState.FAILED and run.error and run.error in str(caught.value)
    assert not RecordPart.objects.exists() and run.fills_hash == "" and run.metrics == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--set", "quick=1"), "Unknown parameter"),
        (("--set", "fast"), "names no value"),
        (("--from", "tomorrow"), "is no date"),
        (("--from", "2020-02-01", "--to", "2020-01-01"), "not before the end"),
        (("--capital", "much"), "is no number"),
        (("--capital", "-5"), "positive"),
        (("--sizing", "everything"), "no sizing"),
        (("--fee-bps", "0.001"), "decimal places"),
        (("--fee-bps", "NaN"), "NaN is no number"),
        (("--slippage-bps", "Infinity"), "Infinity is no number"),
        (("--venue", "nowhere"), "belongs to no venue"),
        (("--search", "fast=0"), "fast"),
    ],
)
def test_a_command_line_that_means_nothing_is_refused_before_anything_is_stored(
    cross_runner: None, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(CommandError) as caught:
        on_file(write(tmp_path / "bars.csv", bar_rows(30)), *arguments)
    assert told in str(caught.value)
    assert not BacktestRun.objects.exists()


def test_an_unknown_strategy_or_file_is_named(cross_runner: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no strategy 'nonsense'"):
        call_command("backtest", "nonsense", "--file", "x.csv", "--symbol", "X", "--mode", "event")
    with pytest.raises(CommandError, match="no file"):
        on_file(tmp_path / "missing.csv")


def test_one_bar_is_enough_to_run(cross_runner: None, tmp_path: Path) -> None:
    assert "1 bars" in on_file(write(tmp_path / "bars.csv", bar_rows(9)[:1]), "--set", "slow=2", "--set", "fast=1")
