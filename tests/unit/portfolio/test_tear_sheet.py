"""The tear sheet: complete, plain JSON, and true to the figures; its parts by hand and by property."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import quantstats
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.portfolio.domain.metrics import FIGURES, daily_returns
from apps.portfolio.domain.metrics.periods import monthly_table, rolling_sharpe, yearly_table
from apps.portfolio.domain.metrics.sampling import histogram, points, thin
from apps.portfolio.domain.records import DAY_MICROS, DailyValues, EquitySeries, ExitReason, TradeRecords, no_trades
from apps.portfolio.domain.tear_sheet import Compared, build_tear_sheet
from tests.unit.portfolio.records import START, daily_equity, make_trades


@pytest.fixture
def walk() -> EquitySeries:
    """Ten thousand hours, a fresh seed each time."""
    seed = int(np.random.SeedSequence().generate_state(1)[0])
    print(f"seed {seed}")
    generator = np.random.default_rng(seed)
    values = np.asarray(1e5 * np.cumprod(1 + generator.normal(0, 0.004, 10_000)), np.float64)
    return EquitySeries(START + np.arange(10_000) * (DAY_MICROS // 24), values)


def sheet_of(equity: EquitySeries, trades: TradeRecords | None = None, **options: Any) -> dict[str, Any]:
    sheet = build_tear_sheet(equity, no_trades() if trades is None else trades, currency="USD", **options)
    assert json.loads(json.dumps(sheet, allow_nan=False)) == sheet
    return sheet


def test_the_sheet_has_every_part_and_every_figure(walk: EquitySeries) -> None:
    prices = EquitySeries(walk.times, walk.equity * 0.01)
    sheet = sheet_of(walk, make_trades([5.0, -3.0]), benchmark=Compared("Bought and held", prices), index=Compared("S&P 500", prices))
    assert list(sheet) == [
        "currency", "span", "figures", "equity", "drawdown", "benchmarks", "rolling_sharpe", "months", "years", "daily_returns",
        "worst_drawdowns", "trades", "costs", "exits",
    ]  # fmt: skip
    assert [row["key"] for row in sheet["figures"]] == list(FIGURES)
    assert sheet["span"]["points"] == 10_000
    assert sheet["span"]["days_per_year"] == 365.0
    assert [other["label"] for other in sheet["benchmarks"]] == ["Bought and held", "S&P 500"]
    assert sheet["benchmarks"][0]["points"] == pytest.approx(np.array(sheet["equity"]))


def test_curves_are_short_and_keep_their_extremes(walk: EquitySeries) -> None:
    sheet = sheet_of(walk)
    times, values = (list(column) for column in zip(*sheet["equity"], strict=True))
    assert 1400 <= len(times) <= 1500
    assert times == sorted(set(times))
    assert (times[0], times[-1]) == (walk.times[0] // 10**6, walk.times[-1] // 10**6)
    assert (min(values), max(values)) == (walk.equity.min(), walk.equity.max())
    deepest = next(row["value"] for row in sheet["figures"] if row["key"] == "max_drawdown_within_days")
    assert max(value for _, value in sheet["drawdown"]) == deepest
    assert len(sheet["drawdown"]) <= 1500


def test_tables_compound_to_the_total(walk: EquitySeries) -> None:
    sheet = sheet_of(walk)
    total = math.log(walk.equity[-1] / walk.equity[0])
    months = [value for row in sheet["months"] for value in row["months"] if value is not None]
    assert sum(math.log1p(value) for value in months) == pytest.approx(total)
    assert sum(math.log1p(row["return"]) for row in sheet["years"]) == pytest.approx(total)
    assert [row["total"] for row in sheet["months"]] == [row["return"] for row in sheet["years"]]
    assert sum(sheet["daily_returns"]["counts"]) == sheet["span"]["days"] - 1
    assert len(sheet["daily_returns"]["edges"]) == len(sheet["daily_returns"]["counts"]) + 1
    assert sheet["worst_drawdowns"][0]["depth"] == next(row["value"] for row in sheet["figures"] if row["key"] == "max_drawdown")


@pytest.mark.parametrize("values", [[], [100.0], [100.0, 0.0, 50.0], [0.0, 1.0], [100.0] * 200])
def test_a_sheet_of_next_to_nothing_is_a_sheet(values: list[float]) -> None:
    sheet = sheet_of(daily_equity(values), benchmark=Compared("nothing", daily_equity([])))
    assert len(sheet["equity"]) == len(values)
    assert sheet["trades"]["count"] == 0
    assert (sheet["exits"], sheet["benchmarks"][0]["points"]) == ([], [])


def test_months_and_years_by_hand() -> None:
    days = np.array(["2023-12-29", "2024-01-02", "2024-01-31", "2024-02-29", "2025-01-15"], "datetime64[D]").astype(np.int64)
    daily = DailyValues(days, np.array([100.0, 90.0, 110.0, 99.0, 198.0]))
    january, february = pytest.approx(0.1), pytest.approx(-0.1)
    assert monthly_table(daily) == [
        {"year": 2024, "months": [january, february, *[None] * 10], "total": pytest.approx(-0.01)},
        {"year": 2025, "months": [pytest.approx(1.0), *[None] * 11], "total": pytest.approx(1.0)},
    ]
    other = DailyValues(days[1:], np.array([10.0, 10.0, 20.0, 30.0]))
    assert yearly_table(daily, other) == [
        {"year": 2024, "return": pytest.approx(-0.01), "benchmark": pytest.approx(1.0), "max_drawdown": pytest.approx(0.1)},
        {"year": 2025, "return": pytest.approx(1.0), "benchmark": pytest.approx(0.5), "max_drawdown": 0.0},
    ]


def test_rolling_sharpe_is_that_of_quantstats(walk: EquitySeries) -> None:
    daily = walk.daily
    returns = pd.Series(daily_returns(daily.values), index=pd.to_datetime(daily.days[1:], unit="D"))
    times, ratios = rolling_sharpe(daily, window=63, per_year=365.0)
    theirs = quantstats.stats.rolling_sharpe(returns, rolling_period=63, periods_per_year=365).dropna()
    assert ratios == pytest.approx(theirs.to_numpy(), rel=1e-8)
    assert times.tolist() == (theirs.index.to_numpy().astype("datetime64[us]").astype(np.int64)).tolist()
    assert len(rolling_sharpe(daily_equity([1.0] * 200).daily, window=63, per_year=252.0)[1]) == 0


def test_trades_costs_and_exits_by_hand() -> None:
    reasons = [ExitReason.STOP, ExitReason.TARGET, ExitReason.END_OF_DATA]
    trades = make_trades([-10.0, 20.0, 2.0], reasons=reasons, sides=[1, 1, -1], slippage=3.0)
    sheet = sheet_of(daily_equity([1000.0, 1012.0]), trades)
    assert [(row["side"], row["trades"], row["earned"], row["win_rate"]) for row in sheet["trades"]["sides"]] == [
        ("long", 2, 10.0, 0.5),
        ("short", 1, 2.0, 1.0),
    ]
    assert [row["result"] for row in sheet["trades"]["best"]] == [20.0, 2.0, -10.0]
    assert [row["exit"] for row in sheet["trades"]["worst"]] == ["stop", "end of data", "target"]
    assert sheet["trades"]["best"][0]["opened_at"] == "2024-01-02T21:00:00+00:00"
    traded = 3000 + 991 + 1021 + 997
    assert sheet["costs"] == [
        {"kind": "fees", "amount": 3.0, "share_of_traded_value": 3 / traded},
        {"kind": "slippage", "amount": 9.0, "share_of_traded_value": 9 / traded},
    ]
    assert [(row["reason"], row["trades"], row["earned"]) for row in sheet["exits"]] == [
        ("stop", 1, -10.0),
        ("target", 1, 20.0),
        ("end of data", 1, 2.0),
    ]


def test_a_benchmark_begins_where_equity_begins() -> None:
    equity = daily_equity([1000.0, 1100.0, 1200.0], first_day=3)
    prices = EquitySeries(START + np.array([0, 2, 4, 5, 9]) * DAY_MICROS, np.array([1.0, 10.0, 12.0, 9.0, 50.0]))
    held = sheet_of(equity, benchmark=Compared("fund", prices))["benchmarks"][0]["points"]
    start = START // 10**6
    assert held == [[start + 3 * 86400, 1000.0], [start + 4 * 86400, 1200.0], [start + 5 * 86400, 900.0]]


@settings(max_examples=60)
@given(st.lists(st.floats(-1e9, 1e9), max_size=400), st.integers(4, 60))
def test_thinning_keeps_ends_and_extremes(values: list[float], most: int) -> None:
    array = np.array(values)
    chosen = thin(array, most=most)
    assert len(chosen) <= max(most, 0)
    assert np.all(np.diff(chosen) > 0)
    if values:
        assert (chosen[0], chosen[-1]) == (0, len(values) - 1)
        assert (array[chosen].min(), array[chosen].max()) == (array.min(), array.max())


def test_points_within_a_second_keep_their_fraction() -> None:
    assert points(np.array([1_000_000, 1_500_000]), np.array([1.0, 2.0])) == [[1, 1.0], [1.5, 2.0]]


def test_a_histogram_counts_all() -> None:
    assert histogram(np.empty(0)) == {"edges": [], "counts": []}
    assert sum(histogram(np.array([3.0, 3.0, 3.0]))["counts"]) == 3
