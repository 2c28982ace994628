"""Changing open orders: at once before they left, at the venue after that, never twice, and refused in words when it is too late."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from apps.core.clock import WallClock
from apps.core.errors import Conflict, Refused
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side
from apps.orders import selectors
from apps.orders.contracts import Amendment, AmendmentStatus, ExitPrices, OrderStatus
from apps.orders.models import OrderAmendment, SimulatedOrder
from apps.orders.ports import AccountDirectory
from apps.orders.services import request_amend, request_cancel
from apps.orders.services.executing import AccountExecutor
from apps.orders.services.ownership import Ownership
from apps.risk.models import Reservation, RiskLimit
from apps.risk.services import engage_halt
from tests.factories.trading_world import open_world, place
from tests.faults.forgetful_venue import Faults, ForgetfulVenue
from tests.integration.orders.desk import Desk

pytestmark = pytest.mark.django_db(transaction=True)

FREE = {"fee_bps": Decimal(0), "spread_bps": Decimal(0), "slippage_bps": Decimal(0)}


def ask(order_id: UUID, **changes: str) -> OrderStatus:
    amendment = Amendment(**{name: Decimal(value) for name, value in changes.items()})
    return request_amend(order_id=order_id, amendment=amendment, actor="anna", now=WallClock().now())


def limit(desk: Desk, price: str, **terms: Any) -> UUID:
    return desk.enter(order_type=OrderType.LIMIT, limit_price=Decimal(price), **terms)


def acceptances() -> list[int]:
    """Places in the order of acceptance, in the order of sending."""
    return list(SimulatedOrder.objects.order_by("venue_order_id").values_list("acceptance", flat=True))


def test_a_change_reaches_the_venue_and_comes_back_as_evidence() -> None:
    desk = Desk(**FREE)
    order = limit(desk, "90")
    assert ask(order, limit_price="95", quantity="12") is OrderStatus.ACKNOWLEDGED
    assert desk.order(order).limit_price == Decimal(90), "until the venue has answered"
    desk.settle()
    assert (desk.order(order).limit_price, desk.order(order).quantity) == (Decimal(95), Decimal(12))
    history = selectors.order_history(order)
    assert [step.trigger for step in history] == ["CREATE", "SEND", "ACCEPT", "REQUEST_AMEND", "AMEND"]
    assert history[-1].detail == "As asked: quantity 12, limit price 95."
    assert selectors.amendments(order)[0].status is AmendmentStatus.CONFIRMED
    desk.bar("96", "97", "94", "96")
    assert (desk.fills(order)[0].price, desk.fills(order)[0].quantity) == (Decimal(95), Decimal(12))


def test_more_or_another_price_goes_to_the_back_and_less_keeps_its_place() -> None:
    desk = Desk(**FREE)
    first, second = limit(desk, "90"), limit(desk, "91")
    assert acceptances() == [1, 2]
    ask(first, quantity="5")
    desk.settle()
    assert acceptances() == [1, 2]
    ask(first, quantity="6")
    desk.settle()
    assert acceptances() == [3, 2]
    ask(second, limit_price="92")
    desk.settle()
    assert acceptances() == [3, 4]


def test_asking_twice_is_asking_once_and_another_change_has_to_wait() -> None:
    desk = Desk()
    order = limit(desk, "90")
    ask(order, limit_price="91")
    ask(order, limit_price="91")
    assert OrderAmendment.objects.count() == 1
    with pytest.raises(Conflict, match="Another change of the order is under way: limit price 91"):
        ask(order, limit_price="92")
    desk.settle()
    ask(order, limit_price="91")
    assert OrderAmendment.objects.count() == 1, "it is so already"


def test_a_change_that_comes_after_the_fill_is_refused_in_words() -> None:
    desk = Desk(**FREE)
    order = limit(desk, "95")
    ask(order, limit_price="90")
    desk.bar("96", "97", "94", "96")
    assert desk.statuses(order) == ["FILLED"]
    amendment = selectors.amendments(order)[0]
    assert (amendment.status, amendment.reason) == (AmendmentStatus.REFUSED, "The order is FILLED.")
    assert [step.trigger for step in selectors.order_history(order)][-2:] == ["FILL", "REFUSE_AMEND"]
    with pytest.raises(Conflict, match="is FILLED and cannot be changed"):
        ask(order, limit_price="90")


def test_what_is_being_cancelled_cannot_be_changed() -> None:
    desk = Desk()
    order = limit(desk, "90")
    request_cancel(order_id=order, actor="anna", reason="enough")
    with pytest.raises(Conflict, match="is being cancelled"):
        ask(order, limit_price="91")


def test_what_the_venue_cannot_take_leaves_the_order_and_says_why() -> None:
    desk = Desk()
    order = limit(desk, "90", is_post_only=True)
    ask(order, limit_price="101", quantity="9")
    desk.settle()
    assert (desk.order(order).limit_price, desk.order(order).quantity, desk.order(order).status) == (90, 10, "ACKNOWLEDGED")
    assert [step.trigger for step in selectors.order_history(order)][-2:] == ["REQUEST_AMEND", "REFUSE_AMEND"]
    assert selectors.amendments(order)[0].reason == "A post-only order at or beyond the market would take."
    desk.check()


def test_the_gate_judges_what_would_add_exposure_and_only_that() -> None:
    desk = Desk(**FREE)
    order = limit(desk, "90", quantity="100")
    with pytest.raises(Refused) as caught:
        ask(order, quantity="400")
    assert caught.value.where == "MAX_ORDER_NOTIONAL"
    assert Reservation.objects.get(order_id=order).quantity == 100
    RiskLimit.objects.filter(code="MAX_DRAWDOWN").update(value=Decimal(0))
    ask(order, quantity="50")
    desk.settle()
    assert (desk.order(order).quantity, Reservation.objects.get(order_id=order).quantity) == (50, 50)


def test_a_halt_is_asked_last_and_lets_an_exit_be_changed() -> None:
    desk = Desk(**FREE)
    desk.enter()
    desk.bar("100", "101", "99", "100")
    entry = limit(desk, "90")
    stop = desk.enter(Side.SELL, order_type=OrderType.STOP, stop_price=Decimal(90))
    ask(entry, limit_price="95")
    ask(stop, stop_price="95")
    engage_halt(actor="anna", reason="drill", now=WallClock().now())
    desk.settle()
    assert selectors.amendments(entry)[0].reason == "Halted: drill"
    assert (desk.order(entry).limit_price, desk.order(stop).stop_price) == (Decimal(90), Decimal(95))
    with pytest.raises(Refused) as caught:
        ask(entry, limit_price="96")
    assert caught.value.where == "HALT"


def test_a_partly_filled_order_is_changed_as_a_whole() -> None:
    desk = Desk(**FREE, volume_percent=Decimal(1))
    order = desk.enter(quantity="25")
    desk.bar("100", "101", "99", "100")
    ask(order, quantity="12")
    desk.bar("100", "101", "99", "100")
    assert (desk.order(order).filled_quantity, desk.order(order).status) == (20, "PARTIALLY_FILLED")
    amendment = selectors.amendments(order)[0]
    assert (amendment.status, amendment.reason) == (AmendmentStatus.REFUSED, "The quantity is not one that the venue takes.")
    ask(order, quantity="22")
    desk.settle()
    desk.bar("100", "101", "99", "100")
    assert (desk.order(order).filled_quantity, desk.order(order).status) == (22, "FILLED")


def test_a_waiting_exit_takes_a_price_instead_of_an_offset() -> None:
    desk = Desk(**FREE)
    _, (stop,) = desk.bracket(exits=ExitPrices(stop_loss_percent=Decimal(5)))
    ask(stop, stop_price="97")
    desk.settle()
    desk.bar("100", "101", "99", "100")
    assert (desk.order(stop).stop_price, desk.order(stop).status) == (Decimal(97), "ACKNOWLEDGED")
    desk.bar("98", "98", "96", "97")
    assert desk.fills(stop)[0].price == Decimal(97)


def test_a_trailing_stop_is_tightened() -> None:
    desk = Desk(**FREE)
    desk.enter()
    desk.bar("100", "101", "99", "100")
    trailing = desk.enter(Side.SELL, order_type=OrderType.TRAILING, trail_percent=Decimal(10), is_reduce_only=True)
    desk.bar("100", "110", "100", "109")
    ask(trailing, trail_amount="2")
    desk.settle()
    row = SimulatedOrder.objects.get(client_order_id=desk.order(trailing).client_order_id)
    assert (row.stop_price, row.trail_amount, row.trail_percent) == (Decimal(108), Decimal(2), None)
    assert (desk.order(trailing).trail_amount, desk.order(trailing).trail_percent) == (Decimal(2), None)


def test_a_change_whose_answer_was_lost_is_found_made_before_its_fills_are_judged() -> None:
    venue = ForgetfulVenue(random.Random(1), is_lookup_final=True)
    world = open_world()
    RiskLimit.objects.all().update(is_enabled=False)
    ownership = Ownership.take(world.account_id)
    assert ownership is not None
    executor = AccountExecutor(port(AccountDirectory).account(world.account_id), ownership, venue)
    order_id = place(world, limit_price="90", quantity="10")
    executor.step()
    OrderAmendment.objects.create(order_id=order_id, quantity=Decimal(15), requested_by="anna")
    venue.faults = Faults(drop_after=1.0)
    executor.step()
    assert OrderAmendment.objects.get().status == AmendmentStatus.REQUESTED, "no answer is no refusal"
    client_id = selectors.order(order_id).client_order_id
    venue.report(venue.fill(client_id, Decimal(15), at=world.now_at, trade_id="t1"))
    for _ in range(3):
        executor.step()
    assert (selectors.order(order_id).status, selectors.order(order_id).quantity) == (OrderStatus.FILLED, Decimal(15))
    assert OrderAmendment.objects.get().status != AmendmentStatus.REQUESTED
