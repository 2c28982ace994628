"""The executor's process ends at each of its failpoints, as a power cut would end it, at a random hit, with fresh seeds each run.

After a restart: orders at the venue = intents, none twice and none lost, fills equal on both sides, every bar marked once, the books balance.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.common.failpoints import EXIT_CODE
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.orders import selectors
from apps.orders.contracts import UNSETTLED_STATUSES, Amendment, AmendmentStatus, OrderStatus
from apps.orders.models import Order, OrderAmendment, OrderEvent, SimulatedOrder
from apps.orders.services import request_amend, request_cancel
from apps.portfolio.models import EquitySnapshot
from apps.portfolio.selectors import positions, trial_balance
from apps.risk.models import Reservation, RiskLimit
from apps.risk.services import seed_default_limits
from tests.factories.trading_world import FIRST_CLOSE, World, add_bar, open_world, place
from tests.faults.executor_child import run_executor_in_child

pytestmark = pytest.mark.django_db(transaction=True)

SEEDS = int(os.environ.get("TRADING_FAULT_SEEDS", "5"))
NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)
FAILPOINTS = (
    "executor.before_sending_stored",
    "executor.after_sending_stored",
    "executor.before_place",
    "simulated.before_commit",
    "simulated.after_accept",
    "executor.after_place",
    "executor.after_answer_stored",
    "executor.after_cancel_sent",
    "executor.between_parents_and_children",
    "simulated.after_amend",
    "executor.after_amend_sent",
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


def test_an_order_whose_answer_was_lost_and_that_ends_in_the_next_bar_is_known_by_the_venues_id() -> None:
    """The bar is met before lost answers are looked up: the bar's evidence is the first."""
    world = open_world()
    assert run_executor_in_child(world.account_id) == 0
    today = place(world, limit_price="50", time_in_force=TimeInForce.DAY)
    at_once = place(world, limit_price="50", time_in_force=TimeInForce.IOC)
    assert run_executor_in_child(world.account_id, failpoints="executor.after_place") == EXIT_CODE
    add_bar(world, "100", "101", "99", "100")
    assert run_executor_in_child(world.account_id) == 0
    assert [str(selectors.order(order_id).status) for order_id in (today, at_once)] == ["EXPIRED", "CANCELLED"]
    check(world, [today, at_once])


def crash_and_check(name: str, source: random.Random) -> int:
    """One life of an account with a crash in each round. Returns how often the process really ended there."""
    world = open_world(symbols=2)
    seed_default_limits()
    RiskLimit.objects.update(is_enabled=False)
    wanted: list[UUID] = []
    crashes = 0
    for hits in ([1], [1, 2]):
        wanted += [place(world, limit_price="51"), *trade(world, source), *bracket(world, source), place(world, limit_price="50")]
        crashes += run_executor_in_child(world.account_id, failpoints=f"{name}:{source.choice(hits)}") == EXIT_CODE
        assert run_executor_in_child(world.account_id) == 0
        for order in selectors.open_orders(world.account_id)[: source.choice([1, 2])]:
            request_cancel(order_id=order.id, actor="test", reason="at random")
        amend_some(world)
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


def bracket(world: World, source: random.Random) -> list[UUID]:
    """An entry with a target and a stop that share what is left."""
    quantity, group_id = str(source.randrange(1, 50)), uuid4()
    entry = place(world, quantity=quantity, limit_price=source.choice([None, "98"]))
    exits: dict[str, Any] = {"parent_id": entry, "group_id": group_id, "is_reduce_only": True, "is_reducing": True}
    return [
        entry,
        place(world, Side.SELL, quantity, order_type=OrderType.LIMIT, limit_offset_percent=Decimal(2), **exits),
        place(world, Side.SELL, quantity, order_type=OrderType.STOP, stop_offset_percent=Decimal(-2), **exits),
    ]


def amend_some(world: World) -> None:
    """Ask for another limit of every order that rests far away."""
    for order in selectors.open_orders(world.account_id):
        if order.limit_price in (Decimal(50), Decimal(51)) and not order.cancel_requested_by:
            amendment = Amendment(quantity=order.quantity + 5, limit_price=order.limit_price - 2)
            request_amend(order_id=order.id, amendment=amendment, actor="test", now=NOW)


def check_groups(world: World) -> None:
    """Of a bracket no more leaves than came in, whichever exit it was and whatever died in between."""
    for group_id in Order.objects.filter(account_id=world.account_id).exclude(group_id=None).values_list("group_id", flat=True).distinct():
        exits = list(Order.objects.filter(group_id=group_id).select_related("parent"))
        entry = exits[0].parent
        assert entry is not None
        assert sum(order.filled_quantity for order in exits) <= entry.filled_quantity
        if sum(order.filled_quantity for order in exits) == entry.filled_quantity and entry.filled_quantity:
            assert {order.status for order in exits} <= {OrderStatus.FILLED, OrderStatus.CANCELLED}
    assert not OrderAmendment.objects.filter(order__account_id=world.account_id, status=AmendmentStatus.REQUESTED).exists()
    for wish in OrderAmendment.objects.filter(order__account_id=world.account_id).select_related("order"):
        assert (wish.status, wish.order.limit_price) == (AmendmentStatus.CONFIRMED, wish.limit_price)


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
    check_groups(world)
    marked = EquitySnapshot.objects.filter(account_id=world.account_id, at__gt=FIRST_CLOSE).count()
    assert marked == (world.now_at - FIRST_CLOSE).days
    assert trial_balance().is_balanced
    held = {position.instrument_id: position.quantity for position in positions(world.account_id) if position.quantity}
    traded: Counter[UUID] = Counter()
    for order in orders:
        traded[order.instrument_id] += Side(order.side).sign * order.filled_quantity
    assert held == {key: quantity for key, quantity in traded.items() if quantity}
    ended = orders.exclude(status__in=[OrderStatus.ACKNOWLEDGED, OrderStatus.WAITING]).values_list("id", flat=True)
    assert not Reservation.objects.filter(order_id__in=list(ended), ended_at=None).exists()
