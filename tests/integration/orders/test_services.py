"""Manual orders through the gate, ownership, the audit and the daemon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from apps.core.clock import WallClock
from apps.core.errors import Conflict, InvalidInput
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side
from apps.events.models import LoggedEvent
from apps.orders import selectors
from apps.orders.contracts import ManualOrderResult, OrderOrigin, OrderStatus
from apps.orders.management.commands.run_executor import ExecutorDaemon
from apps.orders.models import Fill, Order, SimulatedFill, SimulatedOrder
from apps.orders.ports import AccountDirectory
from apps.orders.services import open_simulated_account, submit_manual_order
from apps.orders.services.executing import AccountExecutor
from apps.orders.services.ownership import Ownership
from apps.risk.contracts import LimitCode
from apps.risk.models import Reservation, RiskLimit
from tests.factories.trading_world import FIRST_CLOSE, World, add_bar, open_world, place

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    opened = open_world()
    add_bar(opened, "100", "101", "99", "100")
    return opened


def submit(world: World, **changes: object) -> ManualOrderResult:
    arguments: dict[str, object] = {
        "account_id": world.account_id,
        "instrument_id": world.instrument.id,
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "quantity": Decimal(10),
        "actor": "anna",
        "now": WallClock().now(),
    }
    return submit_manual_order(**(arguments | changes))  # type: ignore[arg-type]


def work(world: World) -> None:
    ownership = Ownership.take(world.account_id)
    assert ownership is not None
    executor = AccountExecutor(port(AccountDirectory).account(world.account_id), ownership)
    while executor.step():
        pass
    ownership.give_back()


def test_a_manual_order_passes_the_gate_and_reserves_until_it_is_filled(world: World) -> None:
    result = submit(world)
    assert result.verdict.approved
    assert result.order_id is not None
    order = selectors.order(result.order_id)
    assert (order.origin, order.status, order.verdict_id, order.is_reducing) == (
        OrderOrigin.MANUAL,
        OrderStatus.PENDING,
        result.verdict.id,
        False,
    )
    assert LoggedEvent.objects.get(event_type="orders.order_created").actor == "anna"
    assert Reservation.objects.get(order_id=order.id).ended_at is None
    work(world)
    add_bar(world, "100", "101", "99", "100")
    work(world)
    assert selectors.order(order.id).status is OrderStatus.FILLED
    assert Reservation.objects.get(order_id=order.id).ended_at is not None


def test_what_the_gate_refuses_is_a_verdict_and_no_order(world: World) -> None:
    RiskLimit.objects.create(code=LimitCode.MAX_ORDER_NOTIONAL, value=Decimal(500))
    result = submit(world)
    assert result.order_id is None
    assert result.verdict.first_failure is not None
    assert result.verdict.first_failure.code == "MAX_ORDER_NOTIONAL"
    assert Order.objects.count() == 0
    assert Reservation.objects.filter(ended_at=None).count() == 0


def test_what_cannot_be_an_order_never_reaches_the_gate(world: World) -> None:
    with pytest.raises(InvalidInput, match="multiple of the lot"):
        submit(world, quantity=Decimal("1.5"))
    with pytest.raises(InvalidInput, match="finite"):
        submit(world, quantity=Decimal("NaN"))
    with pytest.raises(InvalidInput, match="needs a limit_price"):
        submit(world, order_type=OrderType.LIMIT)
    assert Order.objects.count() == 0


def test_the_same_request_never_makes_a_second_order(world: World) -> None:
    request_id = uuid4()
    submit(world, request_id=request_id)
    with pytest.raises(Conflict):
        submit(world, request_id=request_id, quantity=Decimal(11))
    assert Order.objects.count() == 1
    assert Reservation.objects.count() == 1


def test_an_instrument_of_another_venue_is_refused(world: World) -> None:
    with pytest.raises(Conflict, match="not traded at the venue"):
        submit(world, instrument_id=open_world().instrument.id)


def test_an_exit_is_known_as_reducing(world: World) -> None:
    submit(world)
    work(world)
    add_bar(world, "100", "101", "99", "100")
    work(world)
    result = submit(world, side=Side.SELL, quantity=Decimal(4))
    assert result.order_id is not None
    assert selectors.order(result.order_id).is_reducing


def test_a_simulated_account_is_opened_once_and_with_costs_on_the_grid(world: World) -> None:
    with pytest.raises(InvalidInput):
        open_simulated_account(account_id=uuid4(), venue_id=world.venue_id, matched_through=FIRST_CLOSE, fee_bps=Decimal("0.001"))


def test_an_account_has_one_owner_and_a_dead_one_is_replaced_at_once(world: World) -> None:
    mine = Ownership.take(world.account_id)
    assert mine is not None
    connection.close()
    child = os.fork()
    if child == 0:
        os._exit(10 if Ownership.take(world.account_id) is None else 11)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 10, "while the owner lives nobody else gets in"
    mine.give_back()
    child = os.fork()
    if child == 0:
        os._exit(10 if Ownership.take(world.account_id) is None else 11)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 11
    assert Ownership.take(world.account_id) is not None, "the owner has ended without giving back"


def audit_output(expected_exit: int) -> str:
    out = StringIO()
    try:
        call_command("orders_audit", stdout=out, stderr=StringIO())
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == expected_exit, out.getvalue()
    return out.getvalue()


def test_the_audit_is_content_with_a_day_of_trading(world: World) -> None:
    place(world)
    place(world, limit_price="50")
    work(world)
    add_bar(world, "100", "101", "99", "100")
    work(world)
    place(world)
    assert audit_output(0) == "Orders and fills equal the venue's.\n"


def test_the_audit_names_what_was_tampered_with(world: World) -> None:
    for _ in range(4):
        place(world)
    resting = place(world, limit_price="50")
    work(world)
    add_bar(world, "100", "101", "99", "100")
    work(world)
    ids = list(SimulatedOrder.objects.order_by("venue_order_id").values_list("client_order_id", flat=True))
    SimulatedFill.objects.filter(order__client_order_id=ids[0]).delete()
    Fill.objects.filter(order__client_order_id=ids[1]).update(price=Decimal(1))
    Order.objects.filter(client_order_id=ids[2]).update(status=OrderStatus.CANCELLED)
    Order.objects.filter(id=resting).update(client_order_id="ts-elsewhere")
    told = audit_output(1)
    for expected in ("INVENTED_FILL", "FILL_DIFFERS", f"FILLED_DIFFERS {ids[2]}", "LOST_ORDER ts-elsewhere", f"FOREIGN_ORDER {ids[4]}"):
        assert expected in told


def test_the_daemon_trades_and_ends_cleanly(world: World) -> None:
    order_id = place(world)
    environment = os.environ | {"DB_NAME": str(connection.settings_dict["NAME"])}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_executor"], env=environment, cwd=Path(__file__).resolve().parents[3], stderr=subprocess.PIPE
    )
    try:
        _wait_for(lambda: selectors.order(order_id).status is OrderStatus.ACKNOWLEDGED)
        add_bar(world, "100", "101", "99", "100")
        _wait_for(lambda: selectors.order(order_id).status is OrderStatus.FILLED)
        second = place(world)
        _wait_for(lambda: selectors.order(second).status is OrderStatus.ACKNOWLEDGED)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 0, errors.decode()
    assert Ownership.take(world.account_id) is not None, "the lease was given back"


def _wait_for(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def test_an_account_that_cannot_be_reconciled_is_told_once_and_does_not_hold_up_the_others(world: World) -> None:
    healthy = open_world()
    order_id = place(healthy)
    SimulatedOrder.objects.create(
        account_id=world.account_id,
        client_order_id="by-hand",
        instrument_id=world.instrument.id,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force="GTC",
        quantity=Decimal(1),
        limit_price=Decimal(1),
        accepted_at=world.now_at,
    )
    waiting = place(world)
    daemon = ExecutorDaemon()
    for _ in range(3):
        daemon.work()
    assert selectors.order(order_id).status is OrderStatus.ACKNOWLEDGED
    assert selectors.order(waiting).status is OrderStatus.PENDING
    alert = LoggedEvent.objects.get(event_type="system.alert_raised")
    assert "by-hand" in alert.payload["message"]
    assert daemon.detail == "1 of 2 accounts, 1 shut"
    daemon.finish()
