"""A run beside another program's history: paired by instrument, side and beginning, with figures of three kinds."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from apps.backtests.domain.comparing import COMPARED, MOST_ROWS, Ours, compare_history
from apps.backtests.domain.imported_history import ImportedHistory
from apps.core.errors import InvalidInput
from apps.portfolio.domain.records import TradeRecords

HOUR = 3_600_000_000
START = 1_577_836_800_000_000
Row = tuple[int, int, int, float, float]
"""side, hour of the opening, hour of the closing, entry and exit price; one unit, without fees."""


def records(*rows: Row, later_us: int = 0) -> TradeRecords:
    side, opened, closed = (np.array([row[column] for row in rows], np.int64) for column in range(3))
    entry, left = (np.array([row[column] for row in rows], np.float64) for column in (3, 4))
    return TradeRecords(
        opened_at=START + HOUR * opened + later_us, closed_at=START + HOUR * closed + later_us, side=side, quantity=np.ones(len(rows)),
        entry_value=entry, exit_value=left, realised=side * (left - entry), fees=np.zeros(len(rows)),
        exit_reason=np.zeros(len(rows), np.int64),
    )  # fmt: skip


def theirs(*rows: Row, symbols: tuple[str, ...] | None = None, **changes: Any) -> ImportedHistory:
    history = ImportedHistory(
        program="freqtrade", strategy="Cross", currency="USDT", timeframe="1h", capital=1000.0, started_at=START, ended_at=START + 90 * HOUR,
        symbols=symbols or ("BTC/USDT",) * len(rows), trades=records(*rows), stated={}, told={"trades": float(len(rows))},
    )  # fmt: skip
    return replace(history, **changes)


def ours(*rows: Row, symbols: tuple[str, ...] | None = None, later_us: int = HOUR) -> Ours:
    return Ours(
        trades=records(*rows, later_us=later_us), symbols=symbols or ("BTC/USDT",) * len(rows), figures={"trades": float(len(rows))},
        currency="USDT", timeframe="1h", bar_us=HOUR,
    )  # fmt: skip


def test_trades_that_began_in_the_same_bar_are_paired_and_the_rest_is_listed() -> None:
    found = compare_history(
        ours((1, 0, 4, 100.0, 110.0), (1, 5, 8, 100.0, 90.0), (-1, 9, 10, 100.0, 99.0)),
        theirs((1, 0, 4, 100.0, 110.0), (1, 5, 7, 101.0, 90.0), (1, 9, 10, 100.0, 99.0)),
    )
    assert found["counts"] == {"paired": 2, "only_ours": 1, "only_theirs": 1}
    assert found["differences"] == {"same_prices": 1, "earned": 1.0, "largest": 1.0}
    assert [(row["entry_difference"], row["exit_difference"], row["earned_difference"]) for row in found["pairs"]] == [
        (0, 0, 0),
        (-1, 0, 1),
    ]
    assert (found["pairs"][1]["closed_at"], found["pairs"][1]["their_closed_at"]) == (
        "2020-01-01T08:00:00+00:00",
        "2020-01-01T07:00:00+00:00",
    )
    assert [(row["side"], row["opened_at"]) for row in found["only_ours"]] == [(-1, "2020-01-01T09:00:00+00:00")]
    assert [row["side"] for row in found["only_theirs"]] == [1]
    assert json.loads(json.dumps(found, allow_nan=False)) == found, "as it is stored"


def test_times_that_agree_as_they_are_are_left_alone() -> None:
    found = compare_history(ours((1, 0, 4, 100.0, 110.0), later_us=0), theirs((1, 0, 4, 100.0, 110.0)))
    assert found["counts"] == {"paired": 1, "only_ours": 0, "only_theirs": 0}


def test_figures_are_ours_theirs_by_our_formulas_and_theirs_as_stated() -> None:
    found = compare_history(ours((1, 0, 4, 100.0, 110.0)), theirs((1, 0, 4, 100.0, 110.0), (1, 5, 6, 100.0, 80.0), told={"win_rate": 0.4}))
    by_key = {row["key"]: (row["ours"], row["theirs"], row["stated"]) for row in found["figures"]}
    assert list(by_key) == list(COMPARED)
    assert by_key["trades"] == (1.0, 2.0, None)
    assert by_key["win_rate"] == (None, 0.5, 0.4)
    assert by_key["total_return"][1] == pytest.approx(-0.01)
    assert by_key["profit_factor"][1] == 0.5
    assert by_key["average_trade_days"][1] == pytest.approx(2.5 / 24)


def test_one_instrument_on_either_side_is_the_same_whatever_its_name() -> None:
    found = compare_history(ours((1, 0, 4, 100.0, 110.0), symbols=("X/USD",)), theirs((1, 0, 4, 100.0, 110.0), symbols=("BTC/USDT:USDT",)))
    assert found["counts"]["paired"] == 1
    assert found["notes"] == ["BTC/USDT of theirs is taken for X/USD of ours."]


def test_of_several_instruments_those_of_both_are_paired() -> None:
    row = (1, 0, 4, 100.0, 110.0)
    found = compare_history(ours(row, row, symbols=("A/USDT", "B/USDT")), theirs(row, row, symbols=("B/USDT", "C/USDT")))
    assert found["counts"] == {"paired": 1, "only_ours": 0, "only_theirs": 0}
    assert "A/USDT, C/USDT" in found["notes"][0]
    with pytest.raises(InvalidInput, match="No instrument is in both"):
        compare_history(ours(row, row, symbols=("A/USDT", "B/USDT")), theirs(row, row, symbols=("C/USDT", "D/USDT")))


def test_what_makes_both_hard_to_compare_is_said() -> None:
    found = compare_history(ours((1, 0, 4, 1.0, 2.0)), theirs((1, 0, 4, 1.0, 2.0), timeframe="5m", currency="EUR", open_trades=2))
    assert (
        len(found["notes"]) == 3 and "5m" in found["notes"][0] and "EUR" in found["notes"][1] and found["notes"][2].startswith("2 of their")
    )


def test_long_lists_are_cut_and_counted_whole() -> None:
    rows = [(1, 2 * hour, 2 * hour + 1, 100.0, 101.0) for hour in range(MOST_ROWS + 5)]
    found = compare_history(ours(*rows), theirs(*rows))
    assert found["counts"]["paired"] == MOST_ROWS + 5 and len(found["pairs"]) == MOST_ROWS


def test_without_trades_there_is_nothing_to_pair() -> None:
    found = compare_history(ours(), theirs())
    assert found["counts"] == {"paired": 0, "only_ours": 0, "only_theirs": 0} and found["pairs"] == []
