"""The executor's process ends at each of its failpoints, as a power cut would end it, at a random hit, with fresh seeds each run.

After a restart: orders at the venue = intents, none twice and none lost, fills equal on both sides, every bar marked once, the books balance.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from uuid import UUID

import pytest

from apps.common.failpoints import EXIT_CODE
from apps.core.vocabulary import Side, TimeInForce
from apps.orders import selectors
from apps.orders.contracts import UNSETTLED_STATUSES, OrderStatus
from apps.orders.models import Order, OrderEvent, SimulatedOrder
from apps.orders.services import request_cancel
from apps.portfolio.models import EquitySnapshot
from apps.portfolio.selectors import positions, trial_balance
from apps.risk.models import Reservation
from tests.factories.trading_world import FIRST_CLOSE, World, add_bar, open_world, place
from tests.faults.executor_child import run_executor_in_child

pytestmark = pytest.mark.django_db(transaction=True)

SEEDS = int(os.environ.get("TRADING_FAULT_SEEDS", "5"))
FAILPOINTS = (
    "executor.before_sending_stored",
    "executor.after_sending_stored",
    "executor.before_place",
    "simulated.before_commit",
    "simulated.after_accept",
    "executor.after_place",
    "executor.after_answer_stored",
    "executor.after_cancel_sent",
    "executor.after_venue_match",
    "executor.after_fills_stored",
    "executor.before_match_commit",
    "executor.after_match_commit",
)


@pytest.mark.parametrize("name", FAILPOINTS)
def test_a_crash_at_this_point_repeats_nothing_and_loses_nothing(name: str) -> None:
    crashes = 0
    for seed in [random.SystemRandom().randrange(10**9) for _ in range(SEEDS)]:
        print(f"{name} seed {seed}")
        crashes += crash_and_check(name, random.Random(seed))
    assert crashes >= SEEDS, "the failpoint was not reached"


@pytest.mark.parametrize("name", ["executor.after_unknown_stored", "executor.after_absence_stored"])
def test_a_crash_during_recovery_is_recovered_from(name: str) -> None:
    for seed in [random.SystemRandom().randrange(10**9) for _ in range(SEEDS)]:
        print(f"{name} seed {seed}")
        source = random.Random(seed)
        world = open_world(symbols=2)
        assert run_executor_in_child(world.account_id) == 0
        wanted = trade(world, source)
        assert run_executor_in_child(world.account_id, failpoints="executor.after_sending_stored") == EXIT_CODE
        assert run_executor_in_child(world.account_id, failpoints=name) == EXIT_CODE
        assert run_executor_in_child(world.account_id) == 0
        add_bar(world, "100", "101", "99", "100")
        assert run_executor_in_child(world.account_id) == 0
        check(world, wanted)


def crash_and_check(name: str, source: random.Random) -> int:
    """One life of an account with a crash in each round. Returns how often the process really ended there."""
    world = open_world(symbols=2)
    wanted: list[UUID] = []
    crashes = 0
    for hits in ([1], [1, 2]):
        wanted += [*trade(world, source), place(world, limit_price="50")]
        crashes += run_executor_in_child(world.account_id, failpoints=f"{name}:{source.choice(hits)}") == EXIT_CODE
        assert run_executor_in_child(world.account_id) == 0
        for order in selectors.open_orders(world.account_id)[: source.choice([1, 2])]:
            request_cancel(order_id=order.id, actor="test", reason="at random")
        for _ in range(source.choice([1, 2])):
            prices = sorted(source.choice(["92", "95", "97", "99", "100", "101", "104"]) for _ in range(3))
            add_bar(world, prices[1], max(prices, key=float), min(prices, key=float), prices[1])
        crashes += run_executor_in_child(world.account_id, failpoints=f"{name}:{source.choice(hits)}") == EXIT_CODE
        assert run_executor_in_child(world.account_id) == 0
    check(world, wanted)
    return crashes


def trade(world: World, source: random.Random) -> list[UUID]:
    return [
        place(
            world,
            source.choice(list(Side)),
            str(source.randrange(1, 50)),
            instrument=source.choice(world.instruments),
            limit_price=source.choice([None, None, "96", "90"]),
            time_in_force=source.choice([TimeInForce.GTC, TimeInForce.DAY]),
        )
        for _ in range(source.choice([2, 3, 4]))
    ]


def check(world: World, wanted: list[UUID]) -> None:
    assert [(item.code, item.message) for item in selectors.audit()] == []
    orders = Order.objects.filter(account_id=world.account_id)
    assert set(orders.values_list("id", flat=True)) == set(wanted)
    assert not orders.filter(status__in=[*UNSETTLED_STATUSES, OrderStatus.REJECTED]).exists()
    at_venue = Counter(SimulatedOrder.objects.filter(account_id=world.account_id).values_list("client_order_id", flat=True))
    assert at_venue == Counter(orders.values_list("client_order_id", flat=True)), "orders at the venue are the intents, each once"
    for order in orders:
        sequences = list(OrderEvent.objects.filter(order=order).order_by("sequence").values_list("sequence", flat=True))
        assert sequences == list(range(1, order.history_length + 1))
    marked = EquitySnapshot.objects.filter(account_id=world.account_id, at__gt=FIRST_CLOSE).count()
    assert marked == (world.now_at - FIRST_CLOSE).days
    assert trial_balance().is_balanced
    held = {position.instrument_id: position.quantity for position in positions(world.account_id) if position.quantity}
    traded: Counter[UUID] = Counter()
    for order in orders:
        traded[order.instrument_id] += Side(order.side).sign * order.filled_quantity
    assert held == {key: quantity for key, quantity in traded.items() if quantity}
    ended = orders.exclude(status__in=[OrderStatus.ACKNOWLEDGED]).values_list("id", flat=True)
    assert not Reservation.objects.filter(order_id__in=list(ended), ended_at=None).exists()
