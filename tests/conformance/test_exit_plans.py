"""Exit plans beside the outside judge's cases: those cases moved, scaled and mirrored, fees by hand, and a second implementation on random candles."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from apps.core.errors import InvalidInput
from apps.orders.domain.profiles import DEFAULT, FREQTRADE, EngineProfile, FeeModel
from apps.orders.domain.sizing_nb import BY_VALUE
from apps.portfolio.domain.ledger_codes import T_LOTS
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.exit_plan import ExitPlan
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from apps.strategies.domain.vector_strategy import Signals
from tests.conformance import stop_targets as table
from tests.conformance.plain_timed import Market, Prices
from tests.outside import case_path
from tests.unit.backtests.seeds import fresh_seed

UNIT = 10**8


def hours(*rows: str) -> list[list[float]]:
    """Candles 'open high low close' with 'L', 'l', 'S', 's' for entries and exits of the long and the short side."""
    candles = []
    for number, row in enumerate(rows):
        *prices, marks = (row + " .").split()[:5]
        candles.append([number, *map(float, prices), 0, *(float(mark in marks) for mark in "LlSs")])
    return candles


def trades(plan: ExitPlan, *rows: str, fee_bps: int = 0, **prices: float) -> list[tuple[Any, ...]]:
    """What comes out: reason, first and last bar, rates."""
    profile = replace(FREQTRADE, fees=FeeModel(maker_bps=Decimal(fee_bps), taker_bps=Decimal(fee_bps)))
    candles = hours(*rows)
    units = {name: round(price * UNIT) for name, price in prices.items()}
    _, found = table.run(table.Case(table.columns(candles), table.signals(candles), plan, **units), profile=profile)
    return [(one.reason.value, one.open_bar, one.close_bar, float(one.open_rate), float(one.close_rate)) for one in found]


def judged() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(case_path("stop_target_vectors.json").read_text())["cases"]
    return [case for case in cases if all(case["params"][name] is None for name in ("custom_entry_price", "custom_exit_price"))]


def came_out(case: dict[str, Any], candles: list[Any]) -> list[tuple[Any, ...]]:
    _, found = table.run(table.case_of({**case, "candles": candles}))
    return [(one.reason.value, one.open_bar, one.close_bar, one.is_short, float(one.open_rate), float(one.close_rate)) for one in found]


def wanted(case: dict[str, Any], *, later: int = 0, factor: float = 1.0) -> list[Any]:
    return [
        (
            *(one["exit_reason"], one["open_tick"] + later, one["close_tick"] + later, one["is_short"]),
            *(pytest.approx(one[name] * factor, abs=1e-6) for name in ("open_rate", "close_rate")),
        )
        for one in case["expected"]["trades"]
    ]


@pytest.mark.parametrize("factor", [0.125, 3.0])
def test_prices_at_another_scale_give_the_same_trades(factor: float) -> None:
    for case in judged():
        candles = [[row[0], *(price * factor for price in row[1:5]), *row[5:]] for row in case["candles"]]
        assert came_out(case, candles) == wanted(case, factor=factor), case["id"]


def test_quiet_candles_before_a_case_only_move_it() -> None:
    quiet = [[0, 5000, 5001, 4999, 5000, 1, 0, 0, 0, 0]] * 7
    for case in judged():
        assert came_out(case, [*quiet, *case["candles"]]) == wanted(case, later=7), case["id"]


def test_mirrored_at_the_entry_price_the_short_side_gives_the_mirrored_trades() -> None:
    cases = [
        case
        for case in judged()
        if not case["params"]["trailing_stop"]
        and all(one["open_rate"] == 5000 and not one["is_short"] for one in case["expected"]["trades"])
    ]
    assert len(cases) > 8
    for case in cases:
        candles = [
            [row[0], 10_000 - row[1], 10_000 - row[3], 10_000 - row[2], 10_000 - row[4], row[5], row[8], row[9], row[6], row[7]]
            for row in case["candles"]
        ]
        mirrored = [(*one[:3], not one[3], one[4], pytest.approx(10_000 - one[5].expected, abs=1e-6)) for one in wanted(case)]
        assert came_out(case, candles) == mirrored, case["id"]


def test_a_target_is_net_of_both_fees() -> None:
    plan = ExitPlan(stop_ppm=500_000, targets=((0, 20_000),))
    rows = ("100 101 99 100 L", "100 101 99 100", "100 110 99 105", "105 106 104 105")
    # (100 + 0.1 + 2) / (1 - 0.001) = 102.2022..., rounded down to the tick.
    assert trades(plan, *rows, fee_bps=10) == [("roi", 1, 2, 100.0, 102.20220220)]
    short = ("100 101 99 100 S", "100 101 99 100", "100 101 90 95", "95 96 94 95")
    # (100 - 0.1 - 2) / (1 + 0.001) = 97.8021978..., rounded up.
    assert trades(plan, *short, fee_bps=10) == [("roi", 1, 2, 100.0, 97.80219781)]


def test_a_target_needs_more_than_its_profit() -> None:
    plan = ExitPlan(stop_ppm=500_000, targets=((0, 20_000),))
    rows = ("100 101 99 100 L", "100 102 99 100", "100 102.00000001 99 100", "100 101 99 100")
    assert trades(plan, *rows) == [("roi", 1, 2, 100.0, 102.0)]


def test_leverage_divides_distances_and_multiplies_profits() -> None:
    plan = ExitPlan(stop_ppm=50_000, leverage=3000)
    candles = hours("100 101 99 100 L", "100 101 99 100", "100 101 90 95", "95 96 94 95")
    _, found = table.run(table.Case(table.columns(candles), table.signals(candles), plan))
    assert [one.reason.value for one in found] == ["stop_loss"]
    assert float(found[0].close_rate) == pytest.approx(100 * (1 - 0.05 / 3), abs=1e-8)
    assert float(found[0].profit_ratio) == pytest.approx(-0.05, abs=1e-8)


def test_a_closed_trade_makes_room_for_the_other_side_in_the_same_bar_and_for_its_own_in_the_next() -> None:
    plan = ExitPlan(stop_ppm=10_000)
    rows = (
        "100 100 100 100 L",
        "100 100 100 100 lS",
        "100 100 100 100 L",
        "100 102 100 100 L",
        "100 100 98 100 L",
        "100 100 100 100",
        "100 100 99.5 100",
    )
    assert trades(plan, *rows) == [
        ("exit_signal", 1, 2, 100.0, 100.0),
        ("stop_loss", 2, 3, 100.0, 101.0),
        ("stop_loss", 3, 4, 100.0, 99.0),
        ("force_exit", 5, 6, 100.0, 100.0),
    ]


def test_signals_both_ways_cancel_each_other() -> None:
    plan = ExitPlan(stop_ppm=10_000)
    assert trades(plan, "100 100 100 100 LS", "100 100 100 100 Ll", "100 100 100 100", "100 100 100 100") == []


def test_nothing_is_opened_on_the_last_bar() -> None:
    assert trades(ExitPlan(stop_ppm=10_000), "100 100 100 100", "100 100 100 100 L", "100 100 100 100") == []


def test_an_entry_at_a_limit_waits_moves_and_ends() -> None:
    plan = ExitPlan(stop_ppm=200_000, targets=((0, 10_000),), entry_minutes=10)
    rows = ("100 101 99 100 L", "100 101 99 100", "100 101 94 95", "95 99 94 98", "98 99 97 98")
    assert trades(plan, *rows, entry_price=95) == [], "it is over before the second bar"
    patient = replace(plan, entry_minutes=1000)
    assert trades(patient, *rows, entry_price=95) == [("roi", 1, 2, 95.0, pytest.approx(95.95))]
    assert trades(patient, *rows, entry_price=50) == []
    assert trades(patient, *rows, entry_price=50, moved_to=96) == [("roi", 1, 2, 96.0, pytest.approx(96.96))]
    assert trades(patient, *rows, entry_price=120) == [("force_exit", 1, 4, 101.0, 98.0)], "at the high of its bar"


def test_a_target_in_the_bar_of_an_entry_below_the_open_waits_where_the_bar_may_have_traded_there_before() -> None:
    plan = ExitPlan(stop_ppm=200_000, targets=((0, 10_000),), entry_minutes=1000)
    rows = ("100 101 95 100 L", "100 110 95 {close}", "99 101 98 100", "98 99 97 98")
    falling, rising = ([row.format(close=close) for row in rows] for close in (95.5, 105))
    assert trades(plan, *falling, entry_price=95.2) == [("roi", 1, 2, 95.2, pytest.approx(98.0))]
    assert trades(plan, *rising, entry_price=95.2) == [("roi", 1, 1, 95.2, pytest.approx(96.152))]


@pytest.mark.parametrize(
    ("plan", "profile", "field"),
    [
        (ExitPlan(stop_ppm=0), FREQTRADE, "stop_ppm"),
        (ExitPlan(stop_ppm=1, targets=((0, 1), (0, 2))), FREQTRADE, "targets"),
        (ExitPlan(stop_ppm=1, targets=((-1, 1),)), FREQTRADE, "targets"),
        (ExitPlan(stop_ppm=1, leverage=999), FREQTRADE, "leverage"),
        (ExitPlan(stop_ppm=1), DEFAULT, "profile"),
    ],
)
def test_a_plan_that_cannot_be_traded_is_refused(plan: ExitPlan, profile: EngineProfile, field: str) -> None:
    candles = hours("100 101 99 100 L", "100 101 99 100")
    with pytest.raises(InvalidInput) as caught:
        table.run(table.Case(table.columns(candles), table.signals(candles), plan), profile=profile)
    assert caught.value.where == field


def random_plan(chance: random.Random) -> ExitPlan:
    minutes = sorted(chance.sample([0, 0, 0, 30, 60, 60, 90, 119, 120, 180, 240, 241, 600], chance.randint(0, 4)))
    profits = [-1_000_000, 0, 1_000, 5_000, 10_000, 20_000, 40_000, 100_000]
    is_trailing = chance.random() < 0.6
    return ExitPlan(
        stop_ppm=chance.choice([5_000, 10_000, 30_000, 100_000]),
        targets=tuple((minute, chance.choice(profits)) for minute in dict.fromkeys(minutes)),
        is_trailing=is_trailing,
        near_ppm=chance.choice([0, 2_500, 10_000, 30_000]),
        near_from_ppm=chance.choice([0, 5_000, 10_000, 40_000]),
        is_near_only=chance.random() < 0.5,
        leverage=chance.choice([1000, 1000, 2000, 3000, 5000, 1330]),
        has_signal_exits=chance.random() < 0.7,
        closes_at_end=chance.random() < 0.9,
        entry_minutes=chance.choice([10, 60, 100, 240]),
        exit_minutes=chance.choice([30, 60, 150, 1000]),
    )


def random_prices(chance: random.Random, candles: list[tuple[int, int, int, int]]) -> Prices:
    """In one run of two nothing but the open, else prices that some of the candles trade at."""
    if chance.random() < 0.5:
        return Prices()
    return Prices(*(chance.choice([0, chance.choice(chance.choice(candles))]) for _ in range(3)))


def random_candles(chance: random.Random, count: int) -> list[tuple[int, int, int, int]]:
    """Prices on half units around 100, so that open, high, low and levels often meet."""
    candles, price = [], 200
    for _ in range(count):
        price = max(price + chance.choice([0, 0, 0, -1, 1, -6, 6]), 100)
        close = max(price + chance.randint(-5, 5), 100)
        high, low = max(price, close) + chance.randint(0, 5), min(price, close) - chance.randint(0, 5)
        candles.append((price * UNIT // 2, high * UNIT // 2, low * UNIT // 2, close * UNIT // 2))
        price = close
    return candles


def random_bits(chance: random.Random, count: int) -> list[int]:
    share = chance.choice([0.05, 0.2, 0.5])
    return [sum(bit for bit in (ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT) if chance.random() < share) for _ in range(count)]


def test_a_second_implementation_agrees_on_random_candles_trade_by_trade() -> None:
    seed = fresh_seed()
    chance = random.Random(seed)
    total = 0
    for _ in range(150):
        plan, fee_bps = random_plan(chance), chance.choice([0, 0, 5, 10])
        profile = replace(
            FREQTRADE, fees=FeeModel(maker_bps=Decimal(fee_bps), taker_bps=Decimal(fee_bps)), allows_short=chance.random() < 0.7
        )
        count = chance.randint(2, 120)
        candles, bits = random_candles(chance, count), random_bits(chance, count)
        opened_at = table.START_US + table.HOUR_US * np.arange(count, dtype=np.int64)
        open_, high, low, close = np.array(candles, np.int64).T.copy()
        bars = BarColumns(opened_at, opened_at + table.HOUR_US, open_, high, low, close, np.full(count, -1, np.int64))
        signals = Signals(np.array(bits, np.int8), np.array([table.LOTS], np.int64))
        asked = random_prices(chance, candles)
        simulation, found = table.run(table.Case(bars, signals, plan, asked.entry, asked.moved_to, asked.exit), profile=profile)
        ours: list[tuple[Any, ...]] = [
            (t.is_short, t.open_bar, t.close_bar, t.open_rate * UNIT, t.close_rate * UNIT, t.reason.value) for t in found
        ]
        market = Market(plan, fee=Fraction(fee_bps, 10_000), can_short=profile.allows_short, prices=asked)
        theirs = market.run(candles, bits)
        plain = [(t.is_short, t.open_bar, t.close_bar, t.open_rate, t.close_rate, t.reason) for t in theirs]
        assert ours == plain, (seed, plan, asked, candles, bits)
        for one, other in zip(found, theirs, strict=True):
            assert float(one.profit_ratio) == pytest.approx(float(other.profit), abs=1e-8 * plan.leverage / 1000)
        total += len(found)
        if plan.closes_at_end:
            assert simulation.equity[-1] == simulation.engine.cash("USDT")
    assert total > 500


def test_tables_grow_with_a_long_run_and_change_nothing() -> None:
    plan = ExitPlan(stop_ppm=5_000, targets=((0, 5_000),), is_trailing=True)
    chance = random.Random(fresh_seed())
    rows = random_candles(chance, 1500)
    candles = [[number, *(price / UNIT for price in row), 0, 1, 0, 0, 0] for number, row in enumerate(rows)]
    bars, signals = table.columns(candles), table.signals(candles)
    simulation, found = table.run(table.Case(bars, signals, plan))
    assert len(simulation.orders) > 512, "more than the tables began with"
    plain = Market(plan).run(rows, [ENTER_LONG] * len(rows))
    assert [(one.open_bar, one.close_bar, one.reason.value) for one in found] == [
        (one.open_bar, one.close_bar, one.reason) for one in plain
    ]


def test_a_run_may_size_the_entries_of_a_plan() -> None:
    candles = hours("100 101 99 100 L", "100 101 99 100", "100 101 90 95", "95 96 94 95")
    value = 1_050 * UNIT
    sized = replace(table.signals(candles), lots=np.array([1], np.int64), sizing=BY_VALUE, size=value)
    simulation, found = table.run(table.Case(table.columns(candles), sized, ExitPlan(stop_ppm=50_000)))
    assert [one.reason.value for one in found] == ["stop_loss"]
    assert simulation.trades[0, T_LOTS] == 10
