"""Lost answers, wrong "not found", fills shuffled, repeated and late: at a venue that would duplicate whatever is sent twice."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from apps.core.errors import Conflict
from apps.core.ports import port
from apps.core.vocabulary import Side
from apps.orders import selectors
from apps.orders.contracts import OrderStatus
from apps.orders.models import Fill, Order
from apps.orders.ports import AccountDirectory, BrokerFill, BrokerOrder
from apps.orders.services import executing, reconciliation, request_cancel
from apps.orders.services.executing import AccountExecutor
from apps.orders.services.ownership import Ownership
from apps.portfolio.selectors import positions, trial_balance
from tests.factories.trading_world import World, open_world, place
from tests.faults.forgetful_venue import Faults, ForgetfulVenue

pytestmark = pytest.mark.django_db(transaction=True)

SEEDS = int(os.environ.get("TRADING_FAULT_SEEDS", "5"))


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(reconciliation, "FINAL_GRACE_SECONDS", 0.0)


def fresh_seeds() -> list[int]:
    seeds = [random.SystemRandom().randrange(10**9) for _ in range(SEEDS)]
    print(f"seeds {seeds}")
    return seeds


def executor_at(venue: ForgetfulVenue, world: World) -> AccountExecutor:
    ownership = Ownership.take(world.account_id)
    assert ownership is not None
    return AccountExecutor(port(AccountDirectory).account(world.account_id), ownership, venue)


def steps(executor: AccountExecutor, count: int = 8) -> None:
    for _ in range(count):
        executor.step()


def client_id(order_id: UUID) -> str:
    return selectors.order(order_id).client_order_id


def test_whatever_answers_are_lost_no_intent_is_created_twice() -> None:
    for seed in fresh_seeds():
        source = random.Random(seed)
        venue = ForgetfulVenue(source, Faults(drop_before=0.3, drop_after=0.3, unreadable=0.2))
        world = open_world()
        executor = executor_at(venue, world)
        for _ in range(20):
            place(world, quantity=str(source.randrange(1, 9)))
            executor.step()
        steps(executor)
        assert max(Counter(venue.creates).values()) == 1, "a create is never repeated"
        at_venue = Counter(row.order.client_order_id for row in venue.rows)
        assert max(at_venue.values()) == 1
        for order in Order.objects.filter(account_id=world.account_id):
            there = order.client_order_id in at_venue
            assert order.status == (OrderStatus.ACKNOWLEDGED if there else OrderStatus.REJECTED)


def test_an_accepted_order_whose_answer_was_lost_is_found_and_not_sent_again() -> None:
    venue = ForgetfulVenue(random.Random(1), Faults(drop_after=1.0), is_lookup_final=True)
    world = open_world()
    executor = executor_at(venue, world)
    order_id = place(world)
    executor.step()
    assert selectors.order(order_id).status is OrderStatus.UNKNOWN
    assert "no answer within 10 s" in selectors.order(order_id).status_reason
    executor.step()
    assert selectors.order(order_id).status is OrderStatus.ACKNOWLEDGED
    assert venue.creates == [client_id(order_id)]


def test_an_order_proven_absent_is_sent_again_where_a_look_up_is_final() -> None:
    venue = ForgetfulVenue(random.Random(1), Faults(drop_before=1.0), is_lookup_final=True)
    world = open_world()
    executor = executor_at(venue, world)
    order_id = place(world)
    executor.step()
    executor.step()
    assert selectors.order(order_id).status is OrderStatus.UNKNOWN
    assert len(venue.creates) == 1, "one miss proves nothing"
    venue.faults.drop_before = 0.0
    executor.step()
    assert selectors.order(order_id).status is OrderStatus.ACKNOWLEDGED
    assert len(venue.rows) == 1


def test_not_found_is_not_cancelled_and_a_fill_that_follows_is_booked() -> None:
    venue = ForgetfulVenue(random.Random(1), Faults(drop_after=1.0, not_found_for=10))
    world = open_world()
    executor = executor_at(venue, world)
    order_id = place(world, quantity="10")
    executor.step()
    executor.step()
    assert selectors.order(order_id).status is OrderStatus.UNKNOWN
    executor.step()
    assert selectors.order(order_id).status is OrderStatus.REJECTED, "never arrived, as far as two look-ups can tell"
    venue.report(venue.fill(client_id(order_id), Decimal(10), at=world.now_at, trade_id="t1"))
    executor.step()
    assert selectors.order(order_id).status is OrderStatus.FILLED
    assert positions(world.account_id)[0].quantity == Decimal(10)
    assert len(venue.creates) == 1


def test_a_partial_fill_of_a_rejected_order_shows_that_it_works_at_the_venue() -> None:
    venue = ForgetfulVenue(random.Random(1), Faults(drop_after=1.0, not_found_for=2))
    world = open_world()
    executor = executor_at(venue, world)
    order_id = place(world, quantity="10")
    steps(executor, 3)
    assert selectors.order(order_id).status is OrderStatus.REJECTED
    venue.report(venue.fill(client_id(order_id), Decimal(4), at=world.now_at, trade_id="t1"))
    steps(executor, 3)
    order = selectors.order(order_id)
    assert (order.status, order.filled_quantity, order.remaining) == (OrderStatus.PARTIALLY_FILLED, Decimal(4), Decimal(6))


def test_fills_shuffled_repeated_and_late_come_to_the_same_totals() -> None:
    for seed in fresh_seeds():
        source = random.Random(seed)
        venue = ForgetfulVenue(source)
        world = open_world()
        executor = executor_at(venue, world)
        orders = [place(world, source.choice(list(Side)), quantity="10") for _ in range(4)]
        steps(executor)
        told: list[BrokerFill] = []
        for number, order_id in enumerate(orders):
            for part, quantity in enumerate(source.choice([("10",), ("4", "6"), ("1", "2", "7"), ("3", "3")])):
                fill = venue.fill(
                    client_id(order_id), Decimal(quantity), at=world.now_at, trade_id=f"{number}-{part}", price=Decimal(90 + part)
                )
                told += [fill] * source.choice([1, 1, 2, 3])
        source.shuffle(told)
        late = source.choice(orders)
        for index, fill in enumerate(told):
            if index == len(told) // 2:
                request_cancel(order_id=late, actor="test", reason="races the fills")
            venue.report(fill)
            if source.random() < 0.5:
                executor.step()
        steps(executor)
        unique = {fill.venue_trade_id: fill for fill in told}
        assert Fill.objects.filter(account_id=world.account_id).count() == len(unique)
        for order_id in orders:
            order = selectors.order(order_id)
            traded = [fill for fill in unique.values() if fill.client_order_id == order.client_order_id]
            assert order.filled_quantity == sum(fill.quantity for fill in traded)
            if order.filled_quantity == order.quantity:
                assert order.status is OrderStatus.FILLED
        fees = sum(fill.fee for fill in selectors.fills(account_id=world.account_id))
        assert fees == sum(fill.fee for fill in unique.values())
        sides = dict(Order.objects.values_list("client_order_id", "side"))
        net = sum(fill.quantity * Side(sides[fill.client_order_id]).sign for fill in unique.values())
        assert sum(position.quantity for position in positions(world.account_id)) == net
        assert trial_balance().is_balanced


def test_an_order_that_ended_at_the_venue_without_a_word_is_found_by_reconciling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executing, "RECONCILE_SECONDS", 0.0)
    venue = ForgetfulVenue(random.Random(1))
    world = open_world()
    executor = executor_at(venue, world)
    order_id = place(world)
    steps(executor, 2)
    venue.cancel(client_id(order_id))
    executor.step()
    assert selectors.order(order_id).status is OrderStatus.CANCELLED


def test_an_overfill_is_not_stored_and_shuts_the_account() -> None:
    venue = ForgetfulVenue(random.Random(1))
    world = open_world()
    executor = executor_at(venue, world)
    order_id = place(world, quantity="10")
    steps(executor, 2)
    for trade_id in ("t1", "t2"):
        venue.report(venue.fill(client_id(order_id), Decimal(6), at=world.now_at, trade_id=trade_id))
    with pytest.raises(Conflict, match="would take the order to 12 of 10"):
        executor.step()
    assert Fill.objects.count() == 0
    assert selectors.order(order_id).filled_quantity == 0


def test_an_order_at_the_venue_that_is_not_ours_keeps_the_account_shut() -> None:
    venue = ForgetfulVenue(random.Random(1))
    world = open_world()
    first = executor_at(venue, world)
    order_id = place(world)
    steps(first, 2)
    venue.place(venue_order := _by_hand(venue))
    first.ownership.give_back()
    waiting = place(world)
    second = executor_at(venue, world)
    with pytest.raises(Conflict, match="by-hand"):
        second.step()
    assert selectors.order(waiting).status is OrderStatus.PENDING
    venue.cancel(venue_order.client_order_id)
    steps(second, 2)
    assert selectors.order(waiting).status is OrderStatus.ACKNOWLEDGED
    assert selectors.order(order_id).status is OrderStatus.ACKNOWLEDGED


def _by_hand(venue: ForgetfulVenue) -> BrokerOrder:
    return replace(venue.rows[0].order, client_order_id="by-hand")
