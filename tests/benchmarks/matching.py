"""How fast orders are matched: the compiled kernel alone, the Decimal path, and one bar through the executor with its database.

TRADING_COMPILE_KERNELS=1 python -m tests.benchmarks.matching kernel
python -m tests.benchmarks.matching decimal
pytest tests/benchmarks/matching.py      (one bar through the executor, on the test database)
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.core.kernel import is_compiling
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side
from apps.orders.domain import matching_nb as nb
from apps.orders.domain.costs import Costs
from apps.orders.domain.matching import BarRange, RestingOrder, match
from tests.factories.windows import make_spec

ROWS = 1_000_000


def kernel() -> str:
    """Nanoseconds per order against a bar, over prepared arrays."""
    source = np.random.default_rng(7)
    orders = np.zeros((ROWS, 8), np.int64)
    orders[:, nb.O_SIDE] = source.choice([nb.BUY, nb.SELL], ROWS)
    orders[:, nb.O_TYPE] = source.integers(0, 3, ROWS)
    orders[:, nb.O_LOTS] = source.integers(1, 10_000, ROWS)
    orders[:, nb.O_LIMIT] = orders[:, nb.O_STOP] = source.integers(9_000, 11_000, ROWS) * 100
    bars = np.tile(np.array([[10, 20, 1_000_000, 1_050_000, 950_000]], np.int64), (ROWS, 1))
    orders[:, nb.O_BAR] = np.arange(ROWS)
    records = np.zeros((ROWS, 5), np.int64)
    nb.match_orders(orders[:10], bars[:10], records[:10], 100, 10**9, 10_000, 200, 500)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        filled = nb.match_orders(orders, bars, records, 100, 10**9, 10_000, 200, 500)
        seconds.append(time.perf_counter() - began)
    return f"kernel ({'compiled' if is_compiling() else 'plain'}): {min(seconds) / ROWS * 1e9:.1f} ns per order and bar, {filled} filled"


def decimal_path() -> str:
    """Microseconds per order through the Decimal edge, uncompiled, as the executor calls it."""
    spec = make_spec(price_scale=4)
    closed_at = datetime(2015, 1, 5, 21, tzinfo=UTC)
    bar = BarRange(closed_at - timedelta(hours=6), closed_at, 1_000_000, 1_050_000, 950_000)
    costs = Costs.from_bps(fee_bps=Decimal(5), spread_bps=Decimal(2), slippage_bps=Decimal(1))
    order = RestingOrder(Side.BUY, OrderType.LIMIT, Decimal(10), Decimal("99.50"), None, closed_at - timedelta(days=1), None)
    count = 20_000
    began = time.perf_counter()
    for _ in range(count):
        match(order, bar, instrument=spec, costs=costs)
    return f"decimal path: {(time.perf_counter() - began) / count * 1e6:.1f} us per order and bar"


@pytest.mark.django_db(transaction=True)
def test_one_bar_with_a_handful_of_orders() -> None:
    """Milliseconds from the bar being there to everything being committed, and from intents to acknowledgements."""
    from apps.orders.ports import AccountDirectory
    from apps.orders.services.executing import AccountExecutor
    from apps.orders.services.ownership import Ownership
    from tests.factories.trading_world import add_bar, open_world, place

    world = open_world(symbols=10)
    ownership = Ownership.take(world.account_id)
    assert ownership is not None
    executor = AccountExecutor(port(AccountDirectory).account(world.account_id), ownership)
    executor.step()
    source = random.Random(7)
    for orders in (0, 1, 5):
        sending, matching = [], []
        for _ in range(20):
            for _ in range(orders):
                place(world, source.choice(list(Side)), "3", instrument=source.choice(world.instruments))
            began = time.perf_counter()
            executor.step()
            sending.append(time.perf_counter() - began)
            add_bar(world, "100", "101", "99", "100")
            began = time.perf_counter()
            executor.step()
            matching.append(time.perf_counter() - began)
        print(f"{orders} orders: send {_shown(sending)}, match and book {_shown(matching)}")


def _shown(seconds: list[float]) -> str:
    return f"{min(seconds) * 1000:.1f} ms at best, {statistics.median(seconds) * 1000:.1f} ms in the median"


if __name__ == "__main__":
    print({"kernel": kernel, "decimal": decimal_path}[sys.argv[1]]())
