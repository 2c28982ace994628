"""Stress, re-runs by chance and kinds of market: by hand, through the engine in every mode, and the same for the same seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest

from apps.backtests.domain.checks import check_config
from apps.backtests.domain.config import Costs, Profile, RunConfig, RunMode
from apps.backtests.domain.costing import engine_profile, with_costs
from apps.backtests.domain.monte_carlo import random_costs, random_starts
from apps.backtests.domain.records import RunRecords, no_rows
from apps.backtests.domain.regime_report import market_table
from apps.backtests.domain.rerunning import RerunKind, figures_of, reaching, rerun, rerun_kinds, series_since
from apps.backtests.domain.robustness import Crises, Reruns, Robustness
from apps.backtests.domain.robustness_report import RobustnessPlan
from apps.backtests.domain.runners import IsCancelled, ReportProgress, RunCancelled, Runner, runner_for
from apps.backtests.domain.scenarios import user_scenario
from apps.backtests.domain.steps import Steps
from apps.backtests.domain.stress import apply_scenario
from apps.backtests.domain.stress_report import MOST_BARS, bars_per_day, stress_plan, stress_rows
from apps.backtests.domain.stress_text import scenario_of_text, scenarios_of_lines
from apps.backtests.domain.tick_config import TickFile
from apps.backtests.services.watching import RunStalled
from apps.core.errors import InvalidInput
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import from_micros, to_micros
from apps.orders.domain import engine_codes as code
from apps.portfolio.domain.ledger_codes import ENTRY_COLUMNS, T_OPENED_AT, TRADE_COLUMNS
from tests.factories.windows import DAY, make_spec, make_window, random_window, real_window

SPEC = make_spec(price_scale=2)
CROSS = {"fast_bars": 5, "slow_bars": 20, "quantity": 50.0}
MODES = [(RunMode.VECTOR, "ema_cross", CROSS), (RunMode.EVENT, "ema_cross", CROSS), (RunMode.SESSION, "momentum", {})]


class Holder:
    """Buys 10 lots at the open of the first bar that trades and holds them, for 1,000 of capital; fees are a flat amount."""

    def run(
        self, config: RunConfig, bars: Sequence[BarWindow], *, progress: ReportProgress, is_cancelled: IsCancelled, seed: int
    ) -> RunRecords:
        window = bars[0]
        first = 0 if config.trade_from is None else int(np.searchsorted(window.opened_at, to_micros(config.trade_from)))
        progress(len(window), len(window))
        if is_cancelled():
            raise RunCancelled("The run was cancelled.")
        if config.parameters.get("stalls"):
            raise RunStalled
        if window.close[first] == 13:
            raise InvalidInput("It does not like this day.", where="strategy")
        fee = int(config.costs.fee_flat or 0)
        gained = 10 * (window.close - window.open[first]) - fee
        equity = np.where(np.arange(len(window)) < first, 1_000, 1_000 + gained)
        return RunRecords(
            places=(window.instrument,), orders=no_rows(code.BOOK_COLUMNS), fills=no_rows(code.FILL_COLUMNS), trades=no_rows(TRADE_COLUMNS),
            entries=no_rows(ENTRY_COLUMNS), equity_at=window.closed_at, equity=equity.astype(np.int64), cash_scale=0, currency="USD",
            opening_cash=1_000,
        )  # fmt: skip


def config(mode: RunMode = RunMode.VECTOR, strategy: str = "ema_cross", parameters: dict[str, Any] = CROSS, **changes: Any) -> RunConfig:
    return RunConfig(strategy=strategy, timeframe=Timeframe.D1, mode=mode, parameters=parameters, **changes)


def asked_tests(*scenarios: str, crises: Crises = Crises.NEVER, **reruns: Any) -> Robustness:
    return Robustness(crises=crises, scenarios=scenarios_of_lines("\n".join(scenarios)), reruns=Reruns(**reruns))


def steps(seen: list[tuple[int, int]] | None = None, *, bars: int = 1, count: int = 1) -> Steps:
    return Steps(lambda done, total: None if seen is None else seen.append((done, total)), bars=bars, count=count)


def run(asked: RunConfig, window: BarWindow, runner: Runner) -> RunRecords:
    return runner.run(asked, [window], progress=lambda done, total: None, is_cancelled=lambda: False, seed=0)


def stressed(asked: RunConfig, window: BarWindow, runner: Runner) -> list[dict[str, Any]]:
    plan = stress_plan(asked, [window])
    return stress_rows(asked, [window], run(asked, window, runner), plan, runner=runner, steps=steps(), is_cancelled=lambda: False)


def reran(kind: RerunKind, asked: RunConfig, window: BarWindow, runner: Runner) -> dict[str, Any]:
    return rerun(kind, asked, [window], run(asked, window, runner), runner=runner, steps=steps(), is_cancelled=lambda: False)


def rising(bars: int) -> BarWindow:
    """Closes 100, 101, 102, ...; each bar opens at the close before."""
    closes = 100 + np.arange(bars)
    opens = np.concatenate([[100], closes[:-1]])
    return make_window(closes, open=opens, high=closes, low=opens, spec=SPEC)


def test_a_scenario_of_ones_own_by_hand() -> None:
    window = make_window([100] * 20, spec=SPEC)
    begins = f"{from_micros(int(window.opened_at[8])):%Y-%m-%d}"
    (row,) = stressed(config(robustness=asked_tests(f"-10% then flat 2 days; gap -20%; from {begins}; name Storm")), window, Holder())
    assert (row["title"], row["is_own"], row["bars"], row["begins_at"][:10], row["error"]) == ("Storm", True, 3, begins, "")
    assert row["price_fall"] == pytest.approx(-0.28)
    assert row["stretch_return"] == row["total_return"] == pytest.approx(-0.28), "10 x 28 of 1,000"
    assert row["stretch_drawdown"] == pytest.approx(0.28) and row["plain_return"] == 0.0


@pytest.mark.parametrize(("mode", "strategy", "parameters"), MODES)
def test_a_scenario_is_run_through_the_engine_in_every_mode(mode: RunMode, strategy: str, parameters: dict[str, Any]) -> None:
    window = real_window("sp500").part(1000, 1500)
    asked = config(mode, strategy, parameters, robustness=asked_tests("-20% in 3 days then flat 5 days; slippage x5", crises=Crises.AUTO))
    runner = runner_for(mode)
    plain = run(asked, window, runner)
    rows = stressed(asked, window, runner)
    assert [row["code"] for row in rows] == ["crash_2008", "crash_2020", "flash_crash", "own_1"] and not any(row["error"] for row in rows)
    own = rows[-1]
    entered = plain.trades[plain.trades[:, T_OPENED_AT] >= window.closed_at[250], T_OPENED_AT].min()
    start = int(np.searchsorted(window.closed_at, entered)) + 1
    scenario = user_scenario(scenario_of_text("-20% in 3 days then flat 5 days"), code="own")
    shocked = apply_scenario(window, scenario, start=start)
    dearer = msgspec.structs.replace(asked, costs=Costs(half_spread_ppm=500, slippage_ppm=500))
    made = run(dearer, shocked, runner)
    before, inside = made.equity[start - 1], made.equity[start : start + 8]
    assert own["stretch_return"] == pytest.approx(inside[-1] / before - 1)
    assert own["total_return"] == pytest.approx(made.equity[-1] / made.opening_cash - 1) != own["plain_return"]
    assert own["plain_return"] == pytest.approx(plain.equity[-1] / plain.opening_cash - 1)


def test_a_scenario_that_cannot_be_run_says_why() -> None:
    window = make_window([100] * 20, spec=SPEC)
    texts = ["flat 40 days", "-5%; from 2090-01-01", "flat 2 days; slippage x3", "+900%; gap +900%"]
    asked = config(profile=Profile.IDEAL, robustness=asked_tests(*texts))
    window = replace(window, instrument=replace(SPEC, max_price=Decimal(10)))
    said = [row["error"] for row in stressed(asked, window, Holder())]
    assert "lasts 40 bars, but only 10 follow bar 10" in said[0]
    assert "would begin at 2090-01-01, behind the last bar" in said[1]
    assert "has no slippage and no spread" in said[2]
    assert "above its highest price 10" in said[3]


@pytest.mark.parametrize("mode", [RunMode.SESSION, RunMode.EVENT])
def test_crises_that_take_long_are_left_out_with_the_reason_unless_asked_for(mode: RunMode) -> None:
    window = make_window([100] * (MOST_BARS[mode] + 1), spec=SPEC)
    plan = stress_plan(config(mode, robustness=asked_tests("-5%", crises=Crises.AUTO)), [window])
    assert len(plan.shocks) == 1 and f"{MOST_BARS[mode] + 1:,} bars in {mode} mode" in plan.note
    assert len(stress_plan(config(mode, robustness=asked_tests(crises=Crises.ALWAYS)), [window]).shocks) == 3
    assert stress_plan(config(mode), [window.part(0, 100)]).note == ""
    assert len(stress_plan(config(RunMode.VECTOR), [window]).shocks) == 3
    assert "asked to leave" in stress_plan(config(robustness=asked_tests()), [window]).note


def test_scenarios_over_ticks_are_refused_before_the_run() -> None:
    file = TickFile(path="ticks.csv", symbol="X", tick=Decimal("0.01"))
    over_ticks = config(RunMode.EVENT, tick_file=file, robustness=asked_tests("-5%"))
    with pytest.raises(InvalidInput, match="a run over ticks has none"):
        check_config(over_ticks)
    assert "over ticks" in stress_plan(msgspec.structs.replace(over_ticks, robustness=Robustness()), [make_window([100] * 9)]).note


def test_a_day_of_a_crisis_is_as_many_bars_as_a_day_has() -> None:
    opened = np.concatenate([11_000 * DAY + np.arange(7) * DAY // 24, 11_001 * DAY + np.arange(7) * DAY // 24, [11_002 * DAY]])
    hours = make_window([100] * 15)
    assert bars_per_day(replace(hours, timeframe=Timeframe.H1, opened_at=opened.astype(np.int64))) == 7
    assert bars_per_day(hours) == 1


def test_costs_are_multiplied_to_the_millionth_and_one_time_changes_nothing() -> None:
    asked = config(costs=Costs(fee_taker_ppm=333, fee_flat=Decimal("1.5"), half_spread_ppm=77))
    profile = engine_profile(with_costs(asked, fees=Decimal("1.5"), slippage=Decimal(3)))
    assert (profile.fees.taker_bps, profile.fees.maker_bps, profile.fees.flat) == (Decimal("5"), Decimal("7.5"), Decimal("2.25"))
    assert (profile.slippage.spread_bps, profile.slippage.slippage_bps) == (Decimal("4.62"), Decimal(3))
    assert engine_profile(with_costs(asked)) == engine_profile(asked)
    window = random_window(300, seed=4)
    runner = runner_for(RunMode.VECTOR)
    plain, same, double = (run(item, window, runner) for item in (asked, with_costs(asked), with_costs(asked, fees=Decimal(2))))
    assert plain.fills_hash() == same.fills_hash() and len(plain.fills) > 10
    for once, twice in zip(plain.fills, double.fills, strict=True):
        flat = 3 * 10**8
        assert twice[code.F_FEE] == flat + math.ceil(twice[code.F_VALUE] * 666 / 1_000_000) and twice[code.F_PRICE] == once[code.F_PRICE]


def test_random_starts_by_hand() -> None:
    window = rising(100)
    asked = config(seed=3, robustness=asked_tests(count=5))
    report = reran(RerunKind.STARTS, asked, window, Holder())
    starts = random_starts(latest_start=50, histories=5, seed=3)
    assert [row["starts_at"] for row in report["draws"]] == [from_micros(int(window.opened_at[start])).isoformat() for start in starts]
    # Bought at the open, which is the close before: 99 + start, or 100 at the first bar.
    expected = [10 * (199 - max(99 + start, 100)) / 1_000 for start in starts]
    assert [row["total_return"] for row in report["draws"]] == pytest.approx(expected)
    assert (report["made"], report["failed"], report["error"], report["probability_of_loss"]) == (5, 0, "", 0.0)
    total = report["figures"]["total_return"]
    assert total["actual"] == pytest.approx(0.99) and sum(total["counts"]) == 5
    assert len(total["edges"]) == len(total["counts"]) + 1 and len(total["edges"]) > 2
    assert [total["edges"][0], total["edges"][-1]] == pytest.approx([min(expected), 0.99], abs=0.04)
    assert total["percentiles"] == pytest.approx(np.percentile(expected, [5, 25, 50, 75, 95]).tolist())
    assert total["below"] == sum(value < 0.99 for value in expected) / 5
    assert report["points"][-1] == 100 - max(starts), "the fan ends where the shortest does"
    assert report["bands"][2][0] == report["actual"][0] == 1.0


class Riser:
    """Earns 10 on 1,000 at each moment behind the beginning of trading; `parts` moments lie in each bar, as over ticks."""

    def __init__(self, parts: int = 1) -> None:
        self.parts = parts

    def run(
        self, config: RunConfig, bars: Sequence[BarWindow], *, progress: ReportProgress, is_cancelled: IsCancelled, seed: int
    ) -> RunRecords:
        begins = 0 if config.trade_from is None else to_micros(config.trade_from)
        closed = np.unique(np.concatenate([window.closed_at for window in bars]))
        at = (closed[:, None] - np.arange(self.parts)[::-1]).ravel()
        equity = 1_000 + 10 * np.cumsum(at > begins)
        return RunRecords(
            places=(bars[0].instrument,), orders=no_rows(code.BOOK_COLUMNS), fills=no_rows(code.FILL_COLUMNS), trades=no_rows(TRADE_COLUMNS),
            entries=no_rows(ENTRY_COLUMNS), equity_at=at, equity=equity.astype(np.int64), cash_scale=0, currency="USD", opening_cash=1_000,
        )  # fmt: skip


@pytest.mark.parametrize("kind", list(RerunKind))
def test_re_runs_over_several_instruments_begin_with_the_first_bar_of_any(kind: RerunKind) -> None:
    early, late = rising(100), rising(100).part(60, 100)
    asked = config(seed=3, costs=Costs(fee_flat=Decimal(1)), robustness=asked_tests(count=20))
    plain, bars = run(asked, early, Riser()), [late, early]
    report = rerun(kind, asked, bars, plain, runner=Riser(), steps=steps(), is_cancelled=lambda: False)
    total = report["figures"]["total_return"]
    assert total["actual"] == pytest.approx(1.0)
    assert report["actual"][:3] == pytest.approx([1.0, 1.01, 1.02])
    if kind is RerunKind.STARTS:
        starts = random_starts(latest_start=50, histories=20, seed=3)
        assert [row["total_return"] for row in report["draws"]] == pytest.approx([(100 - start) / 100 for start in starts])
        assert total["below"] == sum(start > 0 for start in starts) / 20


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_bands_go_from_bar_to_bar_however_many_moments_a_run_has(parts: int) -> None:
    """Over ticks equity has a point at each moment, not one of which need be behind the first."""
    window, asked = rising(100), config(seed=3, costs=Costs(fee_flat=Decimal(1)), robustness=asked_tests(count=3))
    report = reran(RerunKind.COSTS, asked, window, Riser(parts))
    assert (report["made"], report["points"][-1]) == (3, 100)
    assert report["actual"] == pytest.approx([1 + 0.01 * parts * point for point in report["points"]])
    assert report["bands"][2] == pytest.approx(report["actual"])


def test_ticks_on_the_opening_of_their_candles_are_re_run_as_well() -> None:
    """A tick a second: each stands at the opening of its candle, and none behind the last."""
    closes = _EachAtItsOpening()
    report = reran(RerunKind.COSTS, config(costs=Costs(fee_flat=Decimal(1)), robustness=asked_tests(count=3)), rising(40), closes)
    assert (report["made"], report["error"]) == (3, "")


class _EachAtItsOpening(Riser):
    def run(
        self, config: RunConfig, bars: Sequence[BarWindow], *, progress: ReportProgress, is_cancelled: IsCancelled, seed: int
    ) -> RunRecords:
        made = super().run(config, bars, progress=progress, is_cancelled=is_cancelled, seed=seed)
        return replace(made, equity_at=bars[0].opened_at)


def test_trading_that_would_begin_behind_the_last_bar_is_no_crash() -> None:
    window = rising(40)
    asked = config(costs=Costs(fee_flat=Decimal(1)), trade_from=from_micros(int(window.closed_at[-1])), robustness=asked_tests(count=3))
    for kind in RerunKind:
        report = rerun(kind, asked, [window], run(asked, window, Riser()), runner=Riser(), steps=steps(), is_cancelled=lambda: False)
        assert (report["made"], report["error"]) == (0, "Trading would begin behind the last bar.")


@pytest.mark.parametrize(
    ("own", "edges", "counts"),
    [
        (2.5, [1.0, 2.0, 3.0], [4, 5]),
        (None, [1.0, 2.0, 3.0], [4, 5]),
        (-0.5, [-1.0, 0.0, 1.0, 2.0, 3.0], [0, 0, 4, 5]),
        (3.2, [1.0, 2.0, 3.0, 4.0], [4, 5, 0]),
        (99.0, [1.0, 2.0, 3.0], [4, 5]),
    ],
)
def test_a_histogram_reaches_the_run_itself(own: float | None, edges: list[float], counts: list[int]) -> None:
    assert reaching({"edges": [1.0, 2.0, 3.0], "counts": [4, 5]}, own) == {"edges": edges, "counts": counts}
    assert reaching({"edges": [], "counts": []}, own) == {"edges": [], "counts": []}


def test_random_costs_by_hand() -> None:
    window = rising(40)
    asked = config(
        seed=9, costs=Costs(fee_flat=Decimal(100)), robustness=asked_tests(count=4, lowest_costs=Decimal(1), highest_costs=Decimal(3))
    )
    report = reran(RerunKind.COSTS, asked, window, Holder())
    drawn = random_costs(lowest=1, highest=3, histories=8, seed=9)
    assert [row["fees"] for row in report["draws"]] == pytest.approx(drawn[::2], abs=5e-5)
    assert [row["slippage"] for row in report["draws"]] == pytest.approx(drawn[1::2], abs=5e-5)
    for row in report["draws"]:
        assert row["total_return"] == pytest.approx((390 - int(Decimal(100) * Decimal(str(row["fees"])))) / 1_000)
    assert report["figures"]["total_return"]["actual"] == pytest.approx(0.29) and report["figures"]["total_return"][
        "below"
    ] == pytest.approx(sum(row["total_return"] < 0.29 for row in report["draws"]) / 4)


@pytest.mark.parametrize(("mode", "strategy", "parameters"), MODES)
def test_re_runs_are_the_same_for_the_same_seed_in_every_mode(mode: RunMode, strategy: str, parameters: dict[str, Any]) -> None:
    window = real_window("sp500").part(1000, 1200)
    asked = config(mode, strategy, parameters, seed=5, robustness=asked_tests(count=3))
    runner = runner_for(mode)
    for kind in rerun_kinds(asked):
        first, again = reran(kind, asked, window, runner), reran(kind, asked, window, runner)
        other = reran(kind, msgspec.structs.replace(asked, seed=6), window, runner)
        assert first == again and first["draws"] != other["draws"] and first["made"] == 3
    start = reran(RerunKind.STARTS, asked, window, runner)["draws"][0]
    begins = datetime.fromisoformat(start["starts_at"])
    alone = run(msgspec.structs.replace(asked, trade_from=begins), window, runner)
    assert {name: start[name] for name in ("total_return", "sharpe")} == {
        name: value for name, value in figures_of(series_since(alone, to_micros(begins))).items() if name in ("total_return", "sharpe")
    }


def test_re_runs_that_fail_are_counted_with_the_reason() -> None:
    closes = np.where(np.arange(100) % 2, 13, 100)
    window = make_window(closes, spec=SPEC)
    report = reran(RerunKind.STARTS, config(seed=1, robustness=asked_tests(count=20)), window, Holder())
    assert report["made"] + report["failed"] == 20 and 0 < report["failed"] == sum(
        start % 2 for start in random_starts(latest_start=50, histories=20, seed=1)
    )
    assert report["first_refusal"] == "It does not like this day." and len(report["draws"]) == report["made"]


def test_what_cannot_differ_is_said_instead_of_re_runs() -> None:
    short = rising(31)
    report = reran(RerunKind.STARTS, config(robustness=asked_tests(count=2)), short.part(0, 20), Holder())
    assert report["made"] == 0 and "20 bars are too few" in report["error"]
    free = reran(RerunKind.COSTS, config(profile=Profile.IDEAL, robustness=asked_tests(count=2)), short, Holder())
    assert "neither fees nor slippage (profile ideal)" in free["error"]
    assert rerun_kinds(config(robustness=asked_tests(count=1, latest_start=Decimal(0)))) == (RerunKind.COSTS,)
    assert rerun_kinds(config(robustness=asked_tests(count=1, lowest_costs=Decimal(1), highest_costs=Decimal(1)))) == (RerunKind.STARTS,)
    assert rerun_kinds(config()) == ()


def test_progress_counts_every_run_and_a_cancel_ends_it() -> None:
    window, asked = rising(100), config(robustness=asked_tests("-5%", count=3))
    plan = RobustnessPlan(asked, [window])
    assert plan.runs == 1 + 3 + 3
    seen: list[tuple[int, int]] = []
    said: list[str] = []
    told = steps(seen, bars=100, count=1 + plan.runs)
    plain = run(asked, window, Holder())
    told.next()
    plan.compute(plain, runner=Holder(), steps=told, is_cancelled=lambda: False, say=said.append)
    assert seen == sorted(seen) and seen[-1] == (800, 800) and len(said) == 3
    with pytest.raises(RunCancelled):
        plan.compute(plain, runner=Holder(), steps=steps(), is_cancelled=lambda: True, say=said.append)


def test_a_run_that_stalls_ends_all_of_them_and_is_no_row() -> None:
    window, asked = rising(100), config(robustness=asked_tests("-5%", count=3))
    plain = run(asked, window, Holder())
    stalling = asked.with_parameters({"stalls": True})
    with pytest.raises(RunStalled):
        stress_rows(stalling, [window], plain, stress_plan(asked, [window]), runner=Holder(), steps=steps(), is_cancelled=lambda: False)
    with pytest.raises(RunStalled):
        rerun(RerunKind.COSTS, stalling, [window], plain, runner=Holder(), steps=steps(), is_cancelled=lambda: False)


def test_the_tests_of_a_run_change_nothing_of_it() -> None:
    asked = config()
    assert config(robustness=asked_tests("-5%", count=3)).fingerprint() == asked.fingerprint() != config(seed=1).fingerprint()


def test_kinds_of_market_by_hand() -> None:
    # Prices rise by 1 % a bar: from the 51st close on the trend is up, before it nobody knows; volatility needs 269 closes.
    closes = np.rint(10_000 * 1.01 ** np.arange(100)).astype(np.int64)
    window = make_window(closes, spec=SPEC)
    equity = np.full(100, 1_000)
    equity[51:] = 1_100
    equity[99] = 550
    records = replace(run(config(), window, Holder()), equity=equity.astype(np.int64))
    table = market_table(config(), [window], records)
    unknown, up = table.rows
    assert (unknown["trend"], unknown["bars"], unknown["total_return"], unknown["trades"]) == ("UNKNOWN", 50, 0.0, 0)
    assert (up["trend"], up["volatility"], up["bars"]) == ("UP", "UNKNOWN", 49)
    assert up["share"] == 49 / 99 and up["total_return"] == pytest.approx(-0.45) and up["worst_return"] == pytest.approx(-0.5)
    later = msgspec.structs.replace(config(), trade_from=datetime.fromtimestamp(int(window.opened_at[60]) / 1_000_000, UTC))
    (only,) = market_table(later, [window], records).rows
    assert (only["trend"], only["bars"], only["share"]) == ("UP", 39, 1.0), "warm-up bars label and do not count"


@pytest.mark.parametrize(("mode", "strategy", "parameters"), MODES)
def test_kinds_of_market_make_up_the_whole_run_in_every_mode(mode: RunMode, strategy: str, parameters: dict[str, Any]) -> None:
    window = real_window("sp500").part(1000, 1600)
    asked = config(mode, strategy, parameters)
    records = run(asked, window, runner_for(mode))
    rows = market_table(asked, [window], records).rows
    assert len(rows) > 5 and sum(row["bars"] for row in rows) == 599 and sum(row["share"] for row in rows) == pytest.approx(1)
    assert math.prod(1 + row["total_return"] for row in rows) == pytest.approx(records.equity[-1] / records.equity[0])
    assert sum(row["trades"] for row in rows) == len(records.trades) > 3


def test_the_market_of_several_instruments_is_the_same_money_in_each() -> None:
    one, other = real_window("sp500").part(1000, 1400), replace(real_window("nasdaq").part(1000, 1400), instrument=make_spec("NASDAQ"))
    asked = config(RunMode.SESSION, "momentum", {})
    records = runner_for(RunMode.SESSION).run(asked, [one, other], progress=lambda done, total: None, is_cancelled=lambda: False, seed=0)
    rows = market_table(asked, [one, other], records).rows
    assert sum(row["bars"] for row in rows) == 399 and sum(row["trades"] for row in rows) == len(records.trades)


def test_why_there_is_no_table_of_markets() -> None:
    window = rising(40)
    records = run(config(), window, Holder())
    lost = replace(records, equity=np.where(np.arange(40) > 20, 0, records.equity))
    assert "Equity fell to zero" in market_table(config(), [window], lost).note
    assert "too few bars" in market_table(config(), [window.part(0, 2)], run(config(), window.part(0, 2), Holder())).note
    many = make_window(np.full(200_001, 100), spec=SPEC)
    assert "200,001 bars are too many" in market_table(config(), [many], records).note
