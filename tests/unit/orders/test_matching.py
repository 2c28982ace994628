"""The matching kernel against an oracle written from its rules alone, in exact fractions, and case by case."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.orders.domain import matching_nb as nb

TICK, MAX_PRICE, CASH = 100, 10**9, 10_000
Order = tuple[int, int, int, int, int, int, int]
Bar = tuple[int, int, int, int, int]


def oracle(order: Order, bar: Bar, *, adverse_ppm: int, fee_ppm: int) -> tuple[int, int, int, int, int]:
    """(status, reason, price, lots, fee) as the docstring of matching_nb says it."""
    side, kind, lots, limit, stop, accepted_at, day_ends_at = order
    opened_at, closed_at, bar_open, high, low = bar
    if closed_at <= accepted_at:
        return nb.NOTHING, nb.NOT_YET, 0, 0, 0
    if day_ends_at and opened_at >= day_ends_at:
        return nb.EXPIRED, nb.DAY_OVER, 0, 0, 0
    reason, raw = trade(side, kind, limit, stop, bar_open, high, low, adverse_ppm)
    if raw is not None:
        price = (ceil(raw / TICK) if side > 0 else floor(raw / TICK)) * TICK
        if TICK <= price <= MAX_PRICE:
            return nb.FILLED, reason, price, lots, ceil(Fraction(price * lots * CASH * fee_ppm, 10**6))
        reason = nb.OUT_OF_BOUNDS
    if day_ends_at and closed_at >= day_ends_at:
        return nb.EXPIRED, nb.DAY_OVER, 0, 0, 0
    return nb.NOTHING, reason, 0, 0, 0


def trade(  # noqa: PLR0917
    side: int, kind: int, limit: int, stop: int, bar_open: int, high: int, low: int, adverse: int
) -> tuple[int, Fraction | None]:
    def against(price: int) -> Fraction:
        return Fraction(price + side * ceil(Fraction(price * adverse, 10**6)))

    if kind == nb.MARKET:
        return nb.MARKET_AT_OPEN, against(bar_open)
    if kind == nb.LIMIT:
        if (bar_open < limit) if side > 0 else (bar_open > limit):
            return nb.LIMIT_GAPPED, Fraction(bar_open)
        best = low if side > 0 else high
        if best == limit:
            return nb.TOUCHED_ONLY, None
        crossed = best < limit if side > 0 else best > limit
        return (nb.LIMIT_CROSSED, Fraction(limit)) if crossed else (nb.NOT_REACHED, None)
    if (bar_open >= stop) if side > 0 else (bar_open <= stop):
        return nb.STOP_GAPPED, against(bar_open)
    touched = high >= stop if side > 0 else low <= stop
    return (nb.STOP_TRIGGERED, against(stop)) if touched else (nb.NOT_REACHED, None)


def kernel(order: Order, bar: Bar, *, adverse_ppm: int, fee_ppm: int) -> tuple[int, int, int, int, int]:
    result: tuple[int, int, int, int, int] = nb.match_order(*order, *bar, TICK, MAX_PRICE, CASH, adverse_ppm, fee_ppm)
    return result


on_tick = st.integers(1, 3000).map(lambda ticks: ticks * TICK)
orders = st.tuples(
    st.sampled_from([nb.BUY, nb.SELL]),
    st.sampled_from([nb.MARKET, nb.LIMIT, nb.STOP]),
    st.integers(1, 100_000),
    on_tick,
    on_tick,
    st.integers(0, 30),
    st.sampled_from([0, 0, 15, 20, 25]),
)


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    prices = sorted(draw(st.lists(st.integers(1, 300_000), min_size=4, max_size=4)))
    return 10, 20, draw(st.sampled_from(prices)), prices[-1], prices[0]


@settings(max_examples=1000)
@given(orders, bars(), st.integers(0, 300_000), st.integers(0, 200_000))
def test_the_kernel_is_the_oracle(order: Order, bar: Bar, adverse_ppm: int, fee_ppm: int) -> None:
    assert kernel(order, bar, adverse_ppm=adverse_ppm, fee_ppm=fee_ppm) == oracle(order, bar, adverse_ppm=adverse_ppm, fee_ppm=fee_ppm)


@settings(max_examples=300)
@given(orders, bars(), st.integers(0, 300_000), st.integers(0, 200_000))
def test_no_fill_is_better_than_its_order_or_than_the_open_allows(order: Order, bar: Bar, adverse_ppm: int, fee_ppm: int) -> None:
    status, _, price, lots, fee = kernel(order, bar, adverse_ppm=adverse_ppm, fee_ppm=fee_ppm)
    if status != nb.FILLED:
        assert (price, lots, fee) == (0, 0, 0)
        return
    side, kind = order[0], order[1]
    assert price % TICK == 0
    assert lots == order[2]
    assert fee * 10**6 >= price * lots * CASH * fee_ppm
    if kind == nb.LIMIT:
        assert side * (order[3] - price) >= 0, "never worse than the limit"
    if kind == nb.MARKET:
        assert side * (price - bar[2]) >= 0, "never better than the open"
    if kind == nb.STOP:
        assert side * (price - order[4]) >= 0, "never better than the stop"


def bar(bar_open: int, high: int, low: int) -> Bar:
    return 10, 20, bar_open, high, low


def order(side: int, kind: int, *, limit: int = 0, stop: int = 0, accepted_at: int = 10, day_ends_at: int = 0) -> Order:
    return side, kind, 5, limit, stop, accepted_at, day_ends_at


@pytest.mark.parametrize(
    ("what", "given_order", "given_bar", "reason", "price"),
    [
        ("a market buy pays the open plus costs, up to the tick", order(1, nb.MARKET), bar(10_050, 11_000, 9_000), nb.MARKET_AT_OPEN, 10_100),
        ("a market sell gets the open less costs, down to the tick", order(-1, nb.MARKET), bar(10_050, 11_000, 9_000), nb.MARKET_AT_OPEN, 10_000),
        ("a limit buy that the bar only touches waits", order(1, nb.LIMIT, limit=9_000), bar(10_000, 11_000, 9_000), nb.TOUCHED_ONLY, 0),
        ("a limit buy that the bar crosses fills at the limit", order(1, nb.LIMIT, limit=9_000), bar(10_000, 11_000, 8_999), nb.LIMIT_CROSSED, 9_000),
        ("a limit buy above the open fills at the open", order(1, nb.LIMIT, limit=9_000), bar(8_800, 9_500, 8_000), nb.LIMIT_GAPPED, 8_800),
        ("opening at the limit is not beyond it", order(1, nb.LIMIT, limit=9_000), bar(9_000, 9_500, 9_000), nb.TOUCHED_ONLY, 0),
        ("a limit sell that the bar crosses fills at the limit", order(-1, nb.LIMIT, limit=9_000), bar(8_500, 9_001, 8_000), nb.LIMIT_CROSSED, 9_000),
        ("a limit sell below the open fills at the open", order(-1, nb.LIMIT, limit=9_000), bar(9_400, 9_500, 9_300), nb.LIMIT_GAPPED, 9_400),
        ("a stop sell that the bar touches fills below the stop", order(-1, nb.STOP, stop=9_000), bar(9_500, 9_600, 9_000), nb.STOP_TRIGGERED, 8_900),
        ("a stop sell that the market gaps over fills at the open", order(-1, nb.STOP, stop=9_000), bar(8_000, 8_500, 7_000), nb.STOP_GAPPED, 7_900),
        ("a stop buy that the bar touches fills above the stop", order(1, nb.STOP, stop=9_000), bar(8_500, 9_000, 8_000), nb.STOP_TRIGGERED, 9_100),
        ("a stop buy below the market fills at the open", order(1, nb.STOP, stop=9_000), bar(9_500, 9_600, 9_400), nb.STOP_GAPPED, 9_600),
        ("a stop that is not reached waits", order(1, nb.STOP, stop=9_700), bar(9_500, 9_600, 9_400), nb.NOT_REACHED, 0),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else None,
)  # fmt: skip
def test_each_rule_by_an_example(what: str, given_order: Order, given_bar: Bar, reason: int, price: int) -> None:
    result = kernel(given_order, given_bar, adverse_ppm=200, fee_ppm=500)
    assert result[1:3] == (reason, price), what
    assert result[0] == (nb.FILLED if price else nb.NOTHING)


def test_an_order_never_trades_in_a_bar_that_closed_when_it_was_accepted() -> None:
    decided_on_this_bar = order(1, nb.MARKET, accepted_at=20)
    assert kernel(decided_on_this_bar, bar(10_000, 11_000, 9_000), adverse_ppm=0, fee_ppm=0) == (nb.NOTHING, nb.NOT_YET, 0, 0, 0)


def test_a_day_order_may_trade_in_its_last_bar_and_expires_with_it() -> None:
    waiting = order(1, nb.LIMIT, limit=5_000, day_ends_at=20)
    assert kernel(waiting, bar(9_000, 9_000, 5_000), adverse_ppm=0, fee_ppm=0)[:2] == (nb.EXPIRED, nb.DAY_OVER)
    assert kernel(waiting, bar(9_000, 9_000, 4_999), adverse_ppm=0, fee_ppm=0)[:3] == (nb.FILLED, nb.LIMIT_CROSSED, 5_000)
    yesterday = order(1, nb.MARKET, day_ends_at=10)
    assert kernel(yesterday, bar(9_000, 9_000, 4_999), adverse_ppm=0, fee_ppm=0)[:2] == (nb.EXPIRED, nb.DAY_OVER)


def test_a_price_outside_the_bounds_fills_nothing() -> None:
    assert kernel(order(-1, nb.MARKET), bar(99, 99, 99), adverse_ppm=0, fee_ppm=0)[:2] == (nb.NOTHING, nb.OUT_OF_BOUNDS)
    assert kernel(order(1, nb.MARKET), bar(MAX_PRICE, MAX_PRICE, 1), adverse_ppm=1, fee_ppm=0)[:2] == (nb.NOTHING, nb.OUT_OF_BOUNDS)


@given(st.integers(0, 2**61), st.integers(0, 300_000))
def test_a_share_is_exact_up_to_the_largest_amount_and_fits_int64(amount: int, ppm: int) -> None:
    share = nb.share_up(amount, ppm)
    assert share == ceil(Fraction(amount * ppm, 10**6))
    whole, rest = divmod(amount, 10**6)
    assert max(whole * ppm, rest * ppm + 10**6 - 1, share) < 2**63


def random_batch(seed: int, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    source = random.Random(seed)
    rows = []
    bar_rows = []
    for index in range(count):
        prices = sorted(source.randrange(1, 300_000) for _ in range(4))
        bar_rows.append([10, 20, source.choice(prices), prices[-1], prices[0]])
        rows.append(
            [
                source.choice([nb.BUY, nb.SELL]),
                source.choice([nb.MARKET, nb.LIMIT, nb.STOP]),
                source.randrange(1, 100_000),
                source.randrange(1, 3000) * TICK,
                source.randrange(1, 3000) * TICK,
                source.randrange(0, 30),
                source.choice([0, 0, 15, 20, 25]),
                index,
            ]
        )
    return np.array(rows, dtype=np.int64), np.array(bar_rows, dtype=np.int64)


def run_batch(seed: int, count: int) -> list[list[int]]:
    batch, bar_rows = random_batch(seed, count)
    records = np.zeros((count, 5), dtype=np.int64)
    filled = nb.match_orders(batch, bar_rows, records, TICK, MAX_PRICE, CASH, 250, 500)
    assert filled == int((records[:, nb.R_STATUS] == nb.FILLED).sum())
    rows: list[list[int]] = records.tolist()
    return rows


def test_the_array_form_is_the_scalar_form() -> None:
    batch, bar_rows = random_batch(11, 200)
    for row, (values, bar_values) in zip(run_batch(11, 200), zip(batch.tolist(), bar_rows.tolist(), strict=True), strict=True):
        assert tuple(row) == oracle(tuple(values[:7]), tuple(bar_values), adverse_ppm=250, fee_ppm=500)


def test_compiled_is_uncompiled_on_a_random_batch(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    script = "import json, sys; from tests.unit.orders.test_matching import run_batch; print(json.dumps(run_batch(int(sys.argv[1]), 2000)))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(seed)],
        env=os.environ | {"TRADING_COMPILE_KERNELS": "1", "TRADING_DATA_DIR": str(tmp_path)},
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == run_batch(seed, 2000)
