"""A run beside freqtrade's result of the same: said on the terminal, kept with the run, and nothing is run for a file that is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from apps.backtests import selectors, services
from apps.backtests.contracts import RecordKind, RunState
from apps.backtests.models import BacktestRun
from apps.core.errors import Conflict
from apps.core.vocabulary import Timeframe
from tests.integration.backtests.test_command import bar_rows, on_file, write

pytestmark = pytest.mark.django_db(transaction=True)


def their_result(changed: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda trades: trades) -> dict[str, Any]:
    """The newest run's own trades as freqtrade would have written them: stamped with the opening of their bars."""
    bar = Timeframe.D1.duration
    run = BacktestRun.objects.order_by("-created_at")[0]
    trades = [
        {
            "pair": "X/USD",
            "amount": float(row["quantity"]),
            "open_rate": float(row["entry_value"] / row["quantity"]),
            "close_rate": float(row["exit_value"] / row["quantity"]),
            "open_timestamp": round((row["opened_at"] - bar).timestamp() * 1000),
            "close_timestamp": round((row["closed_at"] - bar).timestamp() * 1000),
            "profit_abs": float(row["result"]),
            "exit_reason": "exit_signal",
            "is_short": row["side"] == "SHORT",
        }
        for row in selectors.record_page(run.id, RecordKind.TRADES, limit=1000)
    ]
    content = {
        "trades": changed(trades),
        "stake_currency": "USD",
        "timeframe": "1d",
        "starting_balance": 100000.0,
        "sharpe": 1.25,
        "total_trades": len(trades),
    }
    return {"strategy": {"Cross": content}}


def kept(folder: Path, document: Any) -> str:
    path = folder / "backtest-result.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def one_dearer_one_missing(trades: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [trades[0] | {"open_rate": trades[0]["open_rate"] + 1.0}, *trades[2:]]


def test_a_run_is_compared_trade_by_trade_and_the_comparison_stays_with_it(cross_runner: None, tmp_path: Path) -> None:
    path = write(tmp_path / "bars.csv", bar_rows())
    on_file(path, "--plain")
    count = BacktestRun.objects.get().record_rows["trades"]
    assert count > 2
    said = on_file(path, "--plain", "--compare", kept(tmp_path, their_result(one_dearer_one_missing)))
    assert "Beside freqtrade's result of Cross" in said
    assert f"{count - 1:,} trades began alike, {count - 2:,} of them at the same prices" in said
    assert "1 are only ours, 0 only theirs" in said
    compared = selectors.tear_sheet(BacktestRun.objects.order_by("-created_at")[0].id)["comparison"]
    assert compared["counts"] == {"paired": count - 1, "only_ours": 1, "only_theirs": 0}
    assert compared["pairs"][0]["entry_difference"] == pytest.approx(-1.0)
    assert {row["key"]: row["stated"] for row in compared["figures"]}["sharpe"] == 1.25


def test_programs_get_the_same_as_json(cross_runner: None, tmp_path: Path) -> None:
    path = write(tmp_path / "bars.csv", bar_rows())
    assert json.loads(on_file(path, "--plain", "--json"))["comparison"] is None
    found = json.loads(on_file(path, "--plain", "--json", "--compare", kept(tmp_path, their_result())))["comparison"]
    assert found["counts"]["only_ours"] == found["counts"]["only_theirs"] == 0
    assert found["differences"]["same_prices"] == found["counts"]["paired"] > 2


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("rubbish", "is no JSON"),
        ("{}", "it has no strategy"),
        ({"strategy": {"Cross": {"trades": [{"pair": "X/USD"}], "starting_balance": 1}}}, r"no time for its open.*trades\[0\]"),
    ],
)
def test_a_file_that_is_none_is_refused_before_anything_runs(cross_runner: None, tmp_path: Path, document: Any, message: str) -> None:
    path = write(tmp_path / "bars.csv", bar_rows())
    with pytest.raises(CommandError, match=message):
        on_file(path, "--compare", kept(tmp_path, document))
    assert not BacktestRun.objects.exists()


def test_one_strategy_of_several_is_named(cross_runner: None, tmp_path: Path) -> None:
    path = write(tmp_path / "bars.csv", bar_rows())
    on_file(path, "--plain")
    document = their_result()
    document["strategy"]["Other"] = document["strategy"]["Cross"] | {"trades": []}
    result = kept(tmp_path, document)
    with pytest.raises(CommandError, match="several strategies"):
        on_file(path, "--plain", "--compare", result)
    assert "Beside freqtrade's result of Other" in on_file(path, "--plain", "--compare", result, "--compare-strategy", "Other")


def test_only_a_run_that_is_done_is_compared(cross_runner: None, tmp_path: Path) -> None:
    on_file(write(tmp_path / "bars.csv", bar_rows()), "--plain")
    history = services.read_history(Path(kept(tmp_path, their_result())))
    run = BacktestRun.objects.get()
    BacktestRun.objects.update(state=RunState.CANCELLED)
    with pytest.raises(Conflict, match="cancelled"):
        services.compare_run(run_id=run.id, history=history)
    run.refresh_from_db()
    assert "comparison" not in run.tear_sheet
