"""How fast orders are matched through the database: one bar through the executor with a handful of orders.

pytest tests/benchmarks/matching.py      (on the test database)
"""

from __future__ import annotations

import random
import statistics
import time

import pytest

from apps.core.ports import port
from apps.core.vocabulary import Side
from apps.orders.ports import AccountDirectory
from apps.orders.services.executing import AccountExecutor
from apps.orders.services.ownership import Ownership
from tests.factories.trading_world import add_bar, open_world, place


@pytest.mark.django_db(transaction=True)
def test_one_bar_with_a_handful_of_orders() -> None:
    """Milliseconds from the bar being there to everything being committed, and from intents to acknowledgements."""
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
