"""The emergency stop: latched, waits for sends, enforced, verified, reset by a person."""

from __future__ import annotations

import threading
import time
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from apps.access.models import User
from apps.common.locks import Lock, held
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.ids import uuid7
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side
from apps.events.models import LoggedEvent
from apps.orders import selectors as orders
from apps.orders.contracts import OrderStatus
from apps.orders.ports import FillSink
from apps.orders.services import request_cancel_all
from apps.risk import selectors
from apps.risk.models import Halt
from apps.risk.services import engage_halt, reset_halt, verify_halts
from tests.factories.trading_world import World, open_world, place
from tests.integration.portfolio.fills import make_fill
from tests.integration.risk.orders import NOW, assess, propose


def engage(**changes: object) -> object:
    return engage_halt(**{"actor": "ada", "reason": "a drill", "now": NOW} | changes)  # type: ignore[arg-type]


@pytest.fixture
def world(db: None) -> World:
    return open_world()


def test_a_halt_is_latched_until_it_is_reset_with_a_reason(world: World) -> None:
    halt_id = engage()
    halt = selectors.active_halt(world.account_id)
    assert halt is not None
    assert (halt.id, halt.is_engaged, halt.engaged_by) == (halt_id, True, "ada")
    with pytest.raises(InvalidInput):
        reset_halt(halt_id=halt.id, actor="ada", reason=" ", now=NOW)
    reset_halt(halt_id=halt.id, actor="bob", reason="all is well", now=NOW)
    assert selectors.active_halt(world.account_id) is None
    with pytest.raises(Conflict):
        reset_halt(halt_id=halt.id, actor="bob", reason="again", now=NOW)
    with pytest.raises(NotFound):
        reset_halt(halt_id=uuid7(), actor="bob", reason="none", now=NOW)
    rows = LoggedEvent.objects.filter(subject=str(halt.id)).order_by("id")
    assert [(row.event_type, row.actor) for row in rows] == [("trading.emergency_stop", "ada"), ("risk.halt_reset", "bob")]


def test_engaging_twice_is_one_halt_and_asking_for_more_is_another(world: World) -> None:
    first = engage()
    assert engage() == first
    assert engage(flatten=True) != first
    assert Halt.objects.count() == 2
    with pytest.raises(InvalidInput):
        engage(reason="")


def test_a_halt_cancels_what_can_increase_exposure_and_verifies(world: World) -> None:
    increasing = place(world, limit_price="90")
    reducing = place(world, Side.SELL, limit_price="120", is_reducing=True)
    engage()
    assert verify_halts(now=NOW) == 0
    assert verify_halts(now=NOW) == 1
    assert orders.order(increasing).status is OrderStatus.CANCELLED
    assert orders.order(reducing).status is OrderStatus.PENDING
    halt = selectors.active_halt()
    assert halt is not None
    assert (halt.verified_at, halt.orders_cancelled) == (NOW, 1)
    event = LoggedEvent.objects.get(event_type="risk.halt_verified")
    assert event.payload["exposure_increasing_orders"] == 0
    assert verify_halts(now=NOW) == 0


def test_a_halt_without_orders_is_verified_at_once(world: World) -> None:
    engage()
    assert verify_halts(now=NOW) == 1
    assert verify_halts(now=NOW) == 0


def test_a_halt_of_one_account_leaves_the_others_alone(world: World) -> None:
    other = open_world()
    mine, theirs = place(world, limit_price="90"), place(other, limit_price="90")
    engage(account_id=world.account_id)
    verify_halts(now=NOW)
    assert orders.order(mine).status is OrderStatus.CANCELLED
    assert orders.order(theirs).status is OrderStatus.PENDING


def test_flattening_cancels_resting_exits_first_then_sells_what_is_held_once(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.BUY, "10", "100"))
    request_cancel_all(account_id=world.account_id, actor="test", reason="clearing the table")
    stop = place(world, Side.SELL, "10", stop_price="80", is_reducing=True)
    assert assess(
        propose(world, Side.SELL, 10, order_id=stop, is_reducing=True, order_type=OrderType.STOP, stop_price=Decimal(80))
    ).approved
    engage(flatten=True)
    assert verify_halts(now=NOW) == 0
    assert orders.order(stop).status is OrderStatus.CANCELLED
    for _ in range(3):
        assert verify_halts(now=NOW) == 0
    exits = orders.open_orders(world.account_id)
    assert [(order.side, order.quantity, order.is_reducing, order.origin) for order in exits] == [(Side.SELL, Decimal(10), True, "HALT")]
    port(FillSink).book_fill(make_fill(world, Side.SELL, "10", "95"))
    assert [verify_halts(now=NOW) for _ in range(2)] == [0, 1]


@pytest.mark.django_db(transaction=True)
def test_when_a_halt_has_committed_no_send_is_in_flight() -> None:
    open_world()
    sending, may_finish, order = threading.Event(), threading.Event(), []

    def send() -> None:
        try:
            with held(Lock.HALT, shared=True):
                sending.set()
                may_finish.wait(10)
                order.append("sent")
        finally:
            connection.close()

    def halt() -> None:
        try:
            engage()
            order.append("halted")
        finally:
            connection.close()

    threads = [threading.Thread(target=send), threading.Thread(target=halt)]
    threads[0].start()
    assert sending.wait(10)
    threads[1].start()
    time.sleep(0.3)
    assert selectors.active_halt() is None
    may_finish.set()
    for thread in threads:
        thread.join(20)
    assert order == ["sent", "halted"]
    assert selectors.active_halt() is not None


@pytest.mark.django_db(transaction=True)
def test_a_send_that_hangs_does_not_keep_the_halt_from_being_engaged() -> None:
    sending, may_finish = threading.Event(), threading.Event()

    def send() -> None:
        try:
            with held(Lock.HALT, shared=True):
                sending.set()
                may_finish.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=send)
    thread.start()
    assert sending.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '300ms'")
    engage()
    assert selectors.active_halt() is not None
    may_finish.set()
    thread.join(10)


def test_the_command_halts_and_resets_without_anything_but_the_database(world: World, settings: object) -> None:
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": ["redis://127.0.0.1:1"]}}
    }  # type: ignore[attr-defined]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}}  # type: ignore[attr-defined]
    output = StringIO()
    call_command("halt", "smoke in the server room", "--flatten", stdout=output)
    halt = selectors.active_halt()
    assert halt is not None
    assert (halt.reason, halt.flatten, halt.engaged_by.startswith("cli:")) == ("smoke in the server room", True, True)
    call_command("halt", "--reset", stdout=output)
    assert selectors.active_halt() is None
    assert "Reset" in output.getvalue()
    call_command("halt", "--reset", stdout=output)
    assert "No halt is engaged." in output.getvalue()
    with pytest.raises(CommandError, match="Say why"):
        call_command("halt")


def test_the_admin_resets_a_halt(world: World, client: object) -> None:
    client.force_login(User.objects.create_superuser("ada", "ada@example.org", "a long password 123"))  # type: ignore[attr-defined]
    halt_id = engage()
    data = {"action": "reset_selected", "_selected_action": [str(halt_id)]}
    client.post(reverse("admin:risk_halt_changelist"), data)  # type: ignore[attr-defined]
    assert selectors.active_halt() is None
    assert selectors.halts()[0].reset_by == "ada"
