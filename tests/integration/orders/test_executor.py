"""The executor over real tables: from intent to booked fill, cancels, halts, ownership."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import Settings

from apps.common.leases import acquire
from apps.core.clock import WallClock
from apps.core.errors import Conflict, OwnershipLost
from apps.core.ports import port
from apps.core.vocabulary import Side, TimeInForce, TradingMode
from apps.events.models import LoggedEvent
from apps.orders import selectors
from apps.orders.contracts import OrderStatus
from apps.orders.models import Fill, SimulatedFill, SimulatedOrder
from apps.orders.ports import AccountDirectory
from apps.orders.services import request_cancel, request_cancel_all
from apps.orders.services.executing import AccountExecutor, enforce_halts
from apps.orders.services.ownership import Ownership
from apps.portfolio.models import EquitySnapshot
from apps.portfolio.selectors import positions, trial_balance
from apps.risk.services import engage_halt
from tests.factories.trading_world import FIRST_CLOSE, World, add_bar, open_world, place

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return open_world()


@pytest.fixture
def executor(world: World) -> Iterator[AccountExecutor]:
    ownership = Ownership.take(world.account_id)
    assert ownership is not None
    yield AccountExecutor(port(AccountDirectory).account(world.account_id), ownership)


def settle(executor: AccountExecutor) -> None:
    while executor.step():
        pass


def test_a_market_order_fills_at_the_next_open_with_costs_and_is_booked_and_marked(world: World, executor: AccountExecutor) -> None:
    order_id = place(world)
    settle(executor)
    assert selectors.order(order_id).status is OrderStatus.ACKNOWLEDGED
    assert selectors.unsent_intents(world.venue_id) == 0
    assert Fill.objects.count() == 0, "the bar it was decided on cannot fill it"

    closed_at = add_bar(world, "100.50", "103", "99", "102")
    settle(executor)

    detail = selectors.order_detail(order_id)
    assert detail.order.status is OrderStatus.FILLED
    assert detail.order.filled_percent == 100
    assert [step.trigger for step in detail.history] == ["CREATE", "SEND", "ACCEPT", "FILL"]
    fill = detail.fills[0]
    # 100.50 plus 2 basis points (half of the spread, and the slippage) is 100.5201, up to the tick 100.53; 5 basis points of 1005.30.
    assert (fill.price, fill.quantity, fill.fee, fill.fee_asset) == (Decimal("100.53"), Decimal(10), Decimal("0.50265"), "USD")
    assert (fill.reason, fill.occurred_at) == ("MARKET_AT_OPEN", closed_at)
    assert selectors.matched_through(world.account_id) == closed_at
    position = positions(world.account_id)[0]
    assert (position.quantity, position.mark_price) == (Decimal(10), Decimal(102))
    snapshot = EquitySnapshot.objects.get(account_id=world.account_id, at=closed_at)
    assert snapshot.equity == Decimal(1_000_000) - Decimal("1005.30") - Decimal("0.50265") + Decimal(1020)
    assert trial_balance().is_balanced
    logged = set(LoggedEvent.objects.filter(subject=str(order_id)).values_list("event_type", flat=True))
    assert logged >= {
        "orders.order_created",
        "orders.order_sent",
        "orders.order_acknowledged",
        "trading.trade_executed",
        "trading.order_executed",
    }


def test_a_bar_without_orders_marks_the_account_and_moves_on(world: World, executor: AccountExecutor) -> None:
    closes = [add_bar(world, "100", "101", "99", "100") for _ in range(3)]
    settle(executor)
    assert selectors.matched_through(world.account_id) == closes[-1]
    assert (
        list(EquitySnapshot.objects.filter(account_id=world.account_id, at__gt=FIRST_CLOSE).order_by("at").values_list("at", flat=True))
        == closes
    )


def test_matching_the_same_close_again_changes_nothing(world: World, executor: AccountExecutor) -> None:
    place(world)
    settle(executor)
    closed_at = add_bar(world, "100", "101", "99", "100")
    settle(executor)
    before = (Fill.objects.count(), SimulatedFill.objects.count(), EquitySnapshot.objects.count())
    broker = executor._broker
    with executor.ownership.transaction():
        assert list(broker.match(closed_at)) == []
        assert list(broker.match(closed_at - timedelta(days=1))) == []
    assert (Fill.objects.count(), SimulatedFill.objects.count(), EquitySnapshot.objects.count()) == before


def test_a_limit_waits_until_the_bar_goes_through_it(world: World, executor: AccountExecutor) -> None:
    order_id = place(world, limit_price="95")
    settle(executor)
    add_bar(world, "98", "99", "95", "96")
    settle(executor)
    assert selectors.order(order_id).status is OrderStatus.ACKNOWLEDGED
    add_bar(world, "98", "99", "94.99", "96")
    settle(executor)
    fill = selectors.fills(order_id=order_id)[0]
    assert (fill.price, fill.liquidity, fill.reason) == (Decimal(95), "MAKER", "LIMIT_CROSSED")


def test_a_day_order_expires_with_the_next_daily_bar(world: World, executor: AccountExecutor) -> None:
    order_id = place(world, limit_price="50", time_in_force=TimeInForce.DAY)
    settle(executor)
    add_bar(world, "98", "99", "95", "96")
    settle(executor)
    assert selectors.order(order_id).status is OrderStatus.EXPIRED
    assert LoggedEvent.objects.filter(event_type="orders.order_expired", subject=str(order_id)).count() == 1
    assert selectors.has_open_order(order_id) is False


def test_an_intent_is_cancelled_before_it_leaves_and_a_sent_order_at_the_venue(world: World, executor: AccountExecutor) -> None:
    sent = place(world, limit_price="50")
    settle(executor)
    unsent = place(world, limit_price="51")
    assert request_cancel(order_id=unsent, actor="anna", reason="changed my mind") is OrderStatus.CANCELLED
    assert request_cancel(order_id=sent, actor="anna", reason="changed my mind") is OrderStatus.CANCEL_PENDING
    assert request_cancel(order_id=sent, actor="bert", reason="me too") is OrderStatus.CANCEL_PENDING
    settle(executor)
    assert selectors.order(sent).status is OrderStatus.CANCELLED
    assert selectors.order(sent).cancel_requested_by == "anna"
    assert list(SimulatedOrder.objects.values_list("client_order_id", "status")) == [(selectors.order(sent).client_order_id, "CANCELLED")]
    assert request_cancel(order_id=sent, actor="anna", reason="again") is OrderStatus.CANCELLED
    assert [step.trigger for step in selectors.order_history(sent)] == ["CREATE", "SEND", "ACCEPT", "REQUEST_CANCEL", "CANCEL"]


def test_cancel_all_leaves_no_open_order(world: World, executor: AccountExecutor) -> None:
    for price in ("50", "51", "52"):
        place(world, limit_price=price)
    settle(executor)
    assert request_cancel_all(account_id=world.account_id, actor="anna", reason="enough") == 3
    settle(executor)
    assert selectors.open_orders(world.account_id) == []


def test_a_halt_is_asked_last_and_lets_reducing_orders_pass(world: World, executor: AccountExecutor) -> None:
    place(world)
    settle(executor)
    add_bar(world, "100", "101", "99", "100")
    settle(executor)
    increasing = place(world)
    reducing = place(world, Side.SELL, is_reducing=True)
    engage_halt(actor="anna", reason="drill", now=WallClock().now())
    settle(executor)
    assert selectors.order(increasing).status is OrderStatus.CANCELLED
    assert selectors.order(increasing).status_reason == "Halted: drill"
    assert selectors.order(reducing).status is OrderStatus.ACKNOWLEDGED
    assert SimulatedOrder.objects.filter(client_order_id=selectors.order(increasing).client_order_id).count() == 0


def test_a_halt_that_flattens_cancels_closes_and_is_verified(world: World, executor: AccountExecutor) -> None:
    place(world)
    settle(executor)
    add_bar(world, "100", "101", "99", "100")
    settle(executor)
    resting = place(world, limit_price="50")
    settle(executor)
    engage_halt(actor="anna", reason="drill", now=WallClock().now(), flatten=True)
    assert enforce_halts() == 0
    settle(executor)
    assert selectors.order(resting).status is OrderStatus.CANCELLED
    add_bar(world, "90", "91", "89", "90")
    settle(executor)
    assert positions(world.account_id) == [] or positions(world.account_id)[0].quantity == 0
    assert enforce_halts() == 1
    exit_order = selectors.orders(account_id=world.account_id)[0]
    assert (exit_order.origin, exit_order.side, exit_order.quantity, exit_order.is_reducing) == ("HALT", Side.SELL, Decimal(10), True)


def test_a_live_order_does_not_leave_without_both_switches(world: World, executor: AccountExecutor, settings: Settings) -> None:
    assert django_settings.LIVE_TRADING_ENABLED is False
    first = place(world, mode=TradingMode.LIVE)
    settle(executor)
    settings.LIVE_TRADING_ENABLED = True
    second = place(world, mode=TradingMode.LIVE)
    settle(executor)
    for order_id in (first, second):
        assert selectors.order(order_id).status is OrderStatus.CANCELLED
        assert "Live trading is off" in selectors.order(order_id).status_reason
    assert SimulatedOrder.objects.count() == 0


def test_a_client_order_id_is_never_used_twice_even_after_the_fill(world: World, executor: AccountExecutor) -> None:
    place(world, origin="decision-1")
    with pytest.raises(Conflict):
        place(world, origin="decision-1")
    settle(executor)
    add_bar(world, "100", "101", "99", "100")
    settle(executor)
    with pytest.raises(Conflict):
        place(world, origin="decision-1")
    assert SimulatedOrder.objects.count() == 1


def test_an_executor_that_lost_its_lease_writes_nothing_more(world: World, executor: AccountExecutor) -> None:
    settle(executor)
    order_id = place(world)
    lease = executor.ownership._lease

    with connection.cursor() as cursor:
        cursor.execute("UPDATE common_lease SET expires_at = clock_timestamp() - interval '1 second' WHERE name = %s", [lease.name])
    assert acquire(lease.name, seconds=30, owner="another") is not None
    with pytest.raises(OwnershipLost):
        executor.step()
    add_bar(world, "100", "101", "99", "100")
    with pytest.raises(OwnershipLost):
        executor.step()
    assert selectors.order(order_id).status is OrderStatus.PENDING
    assert SimulatedOrder.objects.count() == 0
    assert selectors.matched_through(world.account_id) == FIRST_CLOSE


def test_session_position_nets_the_fills_of_one_origin(world: World, executor: AccountExecutor) -> None:
    session_id = world.venue_id
    place(world, quantity="10", origin_id=session_id)
    place(world, Side.SELL, quantity="4", origin_id=session_id)
    place(world, quantity="7")
    assert selectors.has_open_order(session_id)
    assert selectors.unsent_intents(world.venue_id) == 3
    settle(executor)
    assert selectors.unsent_intents(world.venue_id) == 0
    add_bar(world, "100", "101", "99", "100")
    settle(executor)
    assert selectors.session_position(session_id, world.instrument.id) == Decimal(6)
    assert not selectors.has_open_order(session_id)
