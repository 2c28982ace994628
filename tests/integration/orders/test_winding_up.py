"""Orders whose account has closed, and executors that come back after they were given up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from apps.common.leases import acquire
from apps.core.errors import OwnershipLost
from apps.core.ports import port
from apps.orders import selectors
from apps.orders.contracts import OrderStatus
from apps.orders.management.commands.run_executor import ExecutorDaemon
from apps.orders.models import SimulatedOrder
from apps.orders.ports import AccountDirectory
from apps.orders.services import reconciliation, request_cancel_all, sending
from apps.orders.services.executing import AccountExecutor
from apps.orders.services.ownership import Ownership
from apps.portfolio.services import close_account
from apps.risk.models import Halt
from apps.risk.services import engage_halt
from tests.factories.trading_world import World, add_bar, open_world, place

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return open_world()


def work(daemon: ExecutorDaemon) -> None:
    for _ in range(20):
        if not daemon.work():
            return
    raise AssertionError("the executor finds work for ever")


def test_orders_at_the_venue_when_their_account_closes_are_cancelled_and_a_halt_is_still_verified(world: World) -> None:
    """A replay that is restarted asks for the cancels and closes the account in one transaction: the executor sees them afterwards."""
    daemon = ExecutorDaemon()
    order_id = place(world, limit_price="50")
    work(daemon)
    request_cancel_all(account_id=world.account_id, actor="test", reason="the replay ended")
    close_account(world.account_id, closed_at=world.now_at)
    work(daemon)
    assert selectors.order(order_id).status is OrderStatus.CANCELLED
    assert SimulatedOrder.objects.get().status == "CANCELLED"
    engage_halt(actor="test", reason="check", now=NOW)
    work(daemon)
    assert Halt.objects.get().verified_at is not None


def test_an_intent_that_slips_into_a_closing_account_never_leaves_and_bars_fill_nothing_in_it(world: World) -> None:
    daemon = ExecutorDaemon()
    resting = place(world, limit_price="99")
    work(daemon)
    close_account(world.account_id, closed_at=world.now_at)
    slipped = place(world)
    add_bar(world, "98", "99", "90", "95")
    work(daemon)
    assert selectors.order(slipped).status is OrderStatus.CANCELLED
    assert selectors.order(resting).status is OrderStatus.CANCELLED
    assert selectors.fills(account_id=world.account_id) == []
    assert SimulatedOrder.objects.count() == 1
    assert daemon.work() is False
    assert daemon.detail.startswith("0 of 0")


def taken_over(world: World) -> Ownership:
    """The lease as another executor holds it after the first one slept through it."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE common_lease SET expires_at = clock_timestamp() - interval '1 second'")
    lease = acquire(f"executor:{world.account_id}", seconds=60, owner="another")
    assert lease is not None
    return Ownership(lease)


def test_an_executor_that_wakes_in_the_middle_of_a_send_cannot_place_what_was_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had asked the halt and its lease, then was stopped. Meanwhile a halt, and a second executor that settled the order."""
    monkeypatch.setattr(reconciliation, "FINAL_GRACE_SECONDS", 0.0)
    account = port(AccountDirectory).account(world.account_id)
    ownership = Ownership.take(world.account_id)
    assert ownership is not None
    sleeper = AccountExecutor(account, ownership)
    sleeper.step()
    order_id = place(world)
    answer = sending._place

    def sleep_through_the_lease(order: object, broker: object) -> object:
        monkeypatch.setattr(sending, "_place", answer)
        Halt.objects.create(reason="stop", engaged_by="test", engaged_at=NOW)
        second = AccountExecutor(account, taken_over(world))
        for _ in range(4):
            second.step()
        assert selectors.order(order_id).status is OrderStatus.CANCELLED
        return answer(order, broker)  # type: ignore[arg-type]

    monkeypatch.setattr(sending, "_place", sleep_through_the_lease)
    with pytest.raises(OwnershipLost):
        sleeper.step()
    assert SimulatedOrder.objects.count() == 0, "the order went out after a halt that was in force"
    assert selectors.order(order_id).status is OrderStatus.CANCELLED


def test_what_works_at_the_venue_though_it_has_ended_for_us_is_cancelled_there(world: World) -> None:
    ownership = Ownership.take(world.account_id)
    assert ownership is not None
    account = port(AccountDirectory).account(world.account_id)
    AccountExecutor(account, ownership).step()
    order_id = place(world)
    executor = AccountExecutor(account, ownership)
    executor.step()
    request_cancel_all(account_id=world.account_id, actor="test", reason="enough")
    executor.step()
    assert selectors.order(order_id).status is OrderStatus.CANCELLED
    SimulatedOrder.objects.update(status="OPEN")
    AccountExecutor(account, ownership).step()
    assert SimulatedOrder.objects.get().status == "CANCELLED"
    add_bar(world, "100", "101", "99", "100")
    executor.step()
    assert selectors.fills(account_id=world.account_id) == []
