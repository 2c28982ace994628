"""The full vocabulary of orders in paper: brackets, pairs, partial fills, trailing stops, calendar orders, margin, by the rules of the account."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.core.errors import InvalidInput
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.orders import selectors
from apps.orders.contracts import ExitPrices, OrderOrigin, SlippageChoice, VenueProfile
from apps.orders.domain.venue_profiles import VenueTerms
from apps.orders.models import Order, SimulatedAccount, SimulatedOrder, SimulatedPosition
from apps.orders.services import OtherLeg, change_venue_terms, request_cancel
from apps.risk.models import Halt, Reservation, RiskLimit
from apps.risk.services import engage_halt
from tests.integration.orders.desk import Desk

pytestmark = pytest.mark.django_db(transaction=True)

FREE = {"fee_bps": Decimal(0), "spread_bps": Decimal(0), "slippage_bps": Decimal(0)}
BOTH = ExitPrices(take_profit_percent=Decimal(10), stop_loss_percent=Decimal(5))


def test_a_bracket_waits_opens_with_the_entry_and_one_exit_ends_the_other() -> None:
    desk = Desk(**FREE)
    entry, (target, stop) = desk.bracket(exits=BOTH)
    assert desk.statuses(entry, target, stop) == ["ACKNOWLEDGED", "WAITING", "WAITING"]
    assert selectors.order_detail(entry).children == (desk.order(target), desk.order(stop))
    assert selectors.order_detail(stop).parent == desk.order(entry)
    assert selectors.order_detail(stop).group == (desk.order(target),)
    assert list(Reservation.objects.filter(order_id__in=[target, stop]).values_list("quantity", flat=True)) == [0, 0]

    desk.bar("102", "103", "101", "102")
    assert desk.statuses(entry, target, stop) == ["FILLED", "ACKNOWLEDGED", "ACKNOWLEDGED"]
    assert (desk.order(target).limit_price, desk.order(stop).stop_price) == (Decimal("112.2"), Decimal("96.9"))
    assert [step.trigger for step in selectors.order_history(stop)] == ["CREATE", "SEND", "WAIT", "AMEND", "ACCEPT"]

    desk.restart()
    desk.bar("110", "113", "109", "112")
    assert desk.statuses(entry, target, stop) == ["FILLED", "FILLED", "CANCELLED"]
    assert desk.order(stop).status_reason == "Another order of its group has filled."
    assert [(fill.price, fill.reason) for fill in desk.fills(target)] == [(Decimal("112.2"), "LIMIT_CROSSED")]
    assert desk.position == 0


def test_of_stop_and_target_in_one_bar_the_stop_comes_first_and_nothing_is_sold_twice() -> None:
    desk = Desk(**FREE)
    entry, (target, stop) = desk.bracket(exits=ExitPrices(take_profit=Decimal(110), stop_loss=Decimal(90)))
    desk.bar("100", "120", "80", "100")
    assert desk.statuses(entry, target, stop) == ["FILLED", "CANCELLED", "FILLED"]
    assert [(fill.price, fill.reason, fill.quantity) for fill in desk.fills(stop)] == [(Decimal(90), "STOP_TRIGGERED", Decimal(10))]
    assert desk.position == 0


def test_an_entry_that_fills_in_parts_is_protected_by_as_much_as_it_has_filled() -> None:
    desk = Desk(**FREE, volume_percent=Decimal(1))
    entry, (target, stop) = desk.bracket("25", exits=BOTH)
    seen = []
    for _ in range(3):
        desk.bar("100", "101", "99", "100")
        seen.append((desk.order(entry).filled_quantity, desk.order(target).quantity, desk.order(stop).quantity, desk.position))
    assert seen == [(10, 10, 10, 10), (20, 20, 20, 20), (25, 25, 25, 25)]
    assert [fill.quantity for fill in desk.fills(entry)] == [10, 10, 5]
    desk.bar("90", "91", "89", "90", volume=400)
    assert (desk.position, desk.order(stop).filled_quantity, desk.order(target).quantity) == (21, 4, 21)
    desk.bar("90", "130", "89", "120", volume=100_000)
    assert (desk.position, desk.order(target).filled_quantity + desk.order(stop).filled_quantity) == (0, 25)
    assert set(desk.statuses(target, stop)) <= {"FILLED", "CANCELLED"}


def test_what_is_left_of_an_entry_ends_when_its_stop_fills() -> None:
    desk = Desk(**FREE, volume_percent=Decimal(1))
    entry, (target, stop) = desk.bracket("25", exits=BOTH, order_type=OrderType.LIMIT, limit_price=Decimal(100))
    desk.bar("100", "101", "99", "100")
    desk.restart()
    desk.bar("101", "101", "94", "96")
    assert desk.statuses(entry, target, stop) == ["CANCELLED", "CANCELLED", "FILLED"]
    assert desk.order(entry).status_reason == "An order that protects it has filled, so that the rest would be unprotected."
    assert (desk.position, desk.order(entry).filled_quantity, desk.order(stop).filled_quantity) == (0, 10, 10)
    desk.bar("96", "97", "90", "96")
    assert desk.position == 0


def test_a_partly_filled_entry_that_is_cancelled_leaves_its_exits_at_what_it_has_filled() -> None:
    desk = Desk(**FREE, volume_percent=Decimal(1))
    entry, (target, stop) = desk.bracket("25", exits=BOTH)
    desk.bar("100", "101", "99", "100")
    request_cancel(order_id=entry, actor="anna", reason="enough")
    desk.settle()
    desk.check()
    assert desk.statuses(entry, target, stop) == ["CANCELLED", "ACKNOWLEDGED", "ACKNOWLEDGED"]
    desk.bar("80", "81", "79", "80", volume=100_000)
    assert desk.statuses(entry, target, stop) == ["CANCELLED", "CANCELLED", "FILLED"]
    assert (desk.position, desk.fills(stop)[0].quantity) == (0, 10)


def test_cancelling_an_entry_cancels_what_waits_for_it() -> None:
    desk = Desk()
    entry, legs = desk.bracket(exits=BOTH, order_type=OrderType.LIMIT, limit_price=Decimal(50))
    request_cancel(order_id=entry, actor="anna", reason="changed my mind")
    desk.settle()
    assert desk.statuses(entry, *legs) == ["CANCELLED"] * 3
    assert desk.order(legs[0]).status_reason == "The order it waited for has ended without a fill."
    desk.check()


def test_cancelling_an_entry_that_never_left_cancels_its_unsent_exits_at_once() -> None:
    desk = Desk()
    result = desk.submit(exits=BOTH)
    assert result.order_id is not None
    request_cancel(order_id=result.order_id, actor="anna", reason="changed my mind")
    assert desk.statuses(result.order_id, *result.leg_ids) == ["CANCELLED"] * 3
    desk.settle()
    assert SimulatedOrder.objects.count() == 0


def test_a_halt_refuses_the_entry_and_its_exits_never_reach_the_venue() -> None:
    desk = Desk()
    result = desk.submit(exits=BOTH)
    assert result.order_id is not None
    engage_halt(actor="anna", reason="drill", now=desk.world.now_at)
    desk.settle()
    assert desk.statuses(result.order_id, *result.leg_ids) == ["CANCELLED"] * 3
    assert SimulatedOrder.objects.count() == 0
    Halt.objects.update(reset_at=desk.world.now_at)


def test_protection_passes_when_losses_hold_every_entry_back() -> None:
    desk = Desk(**FREE)
    desk.enter(quantity="100")
    desk.bar("100", "101", "99", "100")
    for code in ("MAX_DRAWDOWN", "MAX_DAILY_LOSS", "MAX_ORDERS_PER_DAY", "MAX_OPEN_ORDERS"):
        RiskLimit.objects.filter(code=code).update(value=Decimal(0))
    assert desk.submit().order_id is None, "no new exposure"
    pair = desk.submit(
        Side.SELL, "100", order_type=OrderType.STOP, stop_price=Decimal(95), other=OtherLeg(OrderType.LIMIT, limit_price=Decimal(120))
    )
    assert pair.order_id is not None
    assert len(pair.leg_ids) == 1
    desk.settle()
    desk.bar("100", "121", "99", "120")
    assert desk.statuses(pair.order_id, *pair.leg_ids) == ["CANCELLED", "FILLED"]
    assert desk.position == 0


def test_a_pair_of_entries_shares_what_is_left() -> None:
    desk = Desk(**FREE, volume_percent=Decimal(1))
    first = desk.submit(
        quantity="30", order_type=OrderType.LIMIT, limit_price=Decimal(95), other=OtherLeg(OrderType.STOP, stop_price=Decimal(110))
    )
    assert first.order_id is not None
    second = first.leg_ids[0]
    desk.settle()
    desk.bar("96", "97", "94", "96")
    assert (desk.order(first.order_id).filled_quantity, desk.order(second).quantity) == (10, 20)
    desk.bar("109", "111", "108", "110", volume=100_000)
    assert desk.statuses(first.order_id, second) == ["CANCELLED", "FILLED"]
    assert desk.position == 30


def test_a_trailing_stop_follows_over_restarts_and_never_loosens() -> None:
    desk = Desk(**FREE)
    entry, (trailing,) = desk.bracket(exits=ExitPrices(trail_percent=Decimal(5)))
    desk.bar("100", "110", "100", "109")
    row = SimulatedOrder.objects.get(client_order_id=desk.order(trailing).client_order_id)
    assert (row.best_price, row.stop_price) == (Decimal(110), Decimal("104.5"))
    desk.restart()
    desk.bar("108", "109", "105", "106")
    row.refresh_from_db()
    assert (row.best_price, row.stop_price) == (Decimal(110), Decimal("104.5"))
    desk.restart()
    desk.bar("106", "106", "104", "105")
    assert [(fill.price, fill.reason) for fill in desk.fills(trailing)] == [(Decimal("104.5"), "TRAIL_TRIGGERED")]
    assert desk.statuses(entry, trailing) == ["FILLED", "FILLED"]


def test_a_stop_limit_triggers_and_waits_at_its_limit() -> None:
    desk = Desk(**FREE)
    order = desk.enter(order_type=OrderType.STOP_LIMIT, stop_price=Decimal(105), limit_price=Decimal(104))
    desk.bar("100", "106", "100", "105.50")
    assert desk.statuses(order) == ["ACKNOWLEDGED"]
    desk.restart()
    desk.bar("105", "105", "103", "104")
    assert [(fill.price, fill.liquidity, fill.reason) for fill in desk.fills(order)] == [(Decimal(104), "MAKER", "LIMIT_CROSSED")]


def test_calendar_orders_fill_at_the_open_and_at_the_close() -> None:
    desk = Desk(**FREE)
    at_open = desk.enter(order_type=OrderType.MARKET_ON_OPEN)
    at_close = desk.enter(order_type=OrderType.MARKET_ON_CLOSE)
    desk.bar("101", "109", "99", "107")
    assert [(desk.fills(order)[0].price, desk.fills(order)[0].reason) for order in (at_open, at_close)] == [
        (Decimal(101), "MARKET_AT_OPEN"),
        (Decimal(107), "MARKET_AT_CLOSE"),
    ]


@pytest.mark.parametrize(
    ("terms", "status", "filled", "reason"),
    [
        ({"time_in_force": TimeInForce.IOC, "quantity": "25"}, "CANCELLED", 10, "It had to fill at once and did not."),
        ({"time_in_force": TimeInForce.FOK, "quantity": "25"}, "CANCELLED", 0, "It had to fill at once and did not."),
        ({"time_in_force": TimeInForce.FOK, "quantity": "10"}, "FILLED", 10, ""),
        ({"order_type": OrderType.LIMIT, "limit_price": Decimal(50), "time_in_force": TimeInForce.DAY}, "EXPIRED", 0, "The day ended before it filled."),
    ],
)  # fmt: skip
def test_what_must_fill_at_once_or_today_ends_with_its_reason(terms: dict[str, Any], status: str, filled: int, reason: str) -> None:
    desk = Desk(**FREE, volume_percent=Decimal(1))
    order = desk.enter(**terms)
    desk.bar("100", "101", "99", "100")
    assert desk.statuses(order) == [status]
    assert desk.order(order).filled_quantity == filled
    assert status == "FILLED" or desk.order(order).status_reason == reason


def test_an_order_until_a_date_expires_then_and_one_in_the_past_is_refused() -> None:
    desk = Desk()
    until = desk.world.now_at + timedelta(days=2)
    limit = {"order_type": OrderType.LIMIT, "limit_price": Decimal(50), "time_in_force": TimeInForce.GTD}
    order = desk.enter(**limit, expires_at=until)
    desk.bar("100", "101", "99", "100")
    assert desk.statuses(order) == ["ACKNOWLEDGED"]
    desk.bar("100", "101", "99", "100")
    assert (desk.statuses(order), desk.order(order).status_reason) == (["EXPIRED"], "Its time ended before it filled.")
    with pytest.raises(InvalidInput, match="not after the market's time"):
        desk.submit(**limit, expires_at=desk.world.now_at)


def test_a_post_only_order_at_the_market_is_refused_by_the_venue_in_words() -> None:
    desk = Desk()
    order = desk.enter(order_type=OrderType.LIMIT, limit_price=Decimal(100), is_post_only=True)
    assert (desk.statuses(order), desk.order(order).status_reason) == (
        ["REJECTED"],
        "A post-only order at or beyond the market would take.",
    )


def test_reduce_only_never_turns_a_position() -> None:
    desk = Desk(**FREE)
    desk.enter(quantity="10")
    desk.bar("100", "101", "99", "100")
    stop = desk.enter(Side.SELL, "10", order_type=OrderType.STOP, stop_price=Decimal(90), is_reduce_only=True)
    exit_order = desk.enter(Side.SELL, "6")
    desk.bar("89", "90", "88", "89")
    assert (desk.position, desk.order(stop).filled_quantity + desk.order(exit_order).filled_quantity) == (0, 10)
    assert desk.submit(Side.SELL, "1", is_reduce_only=True).order_id is None, "nothing is held that it could reduce"


def test_the_venue_refuses_what_the_account_cannot_pay() -> None:
    desk = Desk(capital=Decimal(1_000))
    RiskLimit.objects.all().update(is_enabled=False)
    desk.enter(quantity="6")
    second = desk.enter(quantity="3")
    desk.bar("150", "150", "150", "150")
    assert (desk.order(second).status, desk.order(second).filled_quantity, desk.position) == ("CANCELLED", 0, 6)
    assert desk.order(second).status_reason == "The account's free cash does not carry it."


def test_a_short_that_cannot_be_carried_is_closed_by_the_venue_and_in_our_books() -> None:
    desk = Desk(**FREE, capital=Decimal(10_000), leverage=Decimal(2), maintenance_percent=Decimal(25))
    RiskLimit.objects.all().update(is_enabled=False)
    short = desk.enter(Side.SELL, "90")
    desk.bar("100", "101", "99", "100")
    assert (desk.statuses(short), desk.position) == (["FILLED"], -90)
    desk.bar("150", "190", "150", "180")
    closing = Order.objects.get(origin=OrderOrigin.VENUE)
    assert (desk.position, closing.status, closing.quantity, closing.is_reducing) == (0, "FILLED", 90, True)
    assert desk.fills(closing.id)[0].reason == "LIQUIDATED"


def test_the_profile_of_the_account_says_when_a_touch_fills() -> None:
    desk = Desk(**FREE)
    order = desk.enter(order_type=OrderType.LIMIT, limit_price=Decimal(95))
    desk.bar("100", "101", "95", "100")
    assert desk.statuses(order) == ["ACKNOWLEDGED"]
    change_venue_terms(account_id=desk.world.account_id, terms=VenueTerms(profile=VenueProfile.IDEAL), actor="anna")
    desk.bar("100", "101", "95", "100")
    assert desk.fills(order)[0].price == Decimal(95)


def test_latency_keeps_an_order_out_of_the_bar_that_opens_too_soon() -> None:
    desk = Desk(**FREE, latency_ms=24 * 3600 * 1000)
    order = desk.enter()
    desk.bar("101", "103", "99", "102")
    assert desk.fills(order) == []
    desk.bar("104", "105", "103", "104")
    assert desk.fills(order)[0].price == Decimal(104)


def test_impact_and_fees_follow_the_terms_of_the_account() -> None:
    desk = Desk()
    change_venue_terms(
        account_id=desk.world.account_id,
        terms=VenueTerms(
            fee_bps=Decimal(0), fee_per_unit=Decimal("0.005"), fee_minimum=Decimal(1), spread_bps=Decimal(0), slippage_bps=Decimal(0),
            slippage_model=SlippageChoice.VOLUME_SHARE, impact_bps=Decimal(100),
        ),
        actor="anna",
    )  # fmt: skip
    small, large = desk.enter(quantity="10"), desk.enter(quantity="240")
    desk.bar("100", "101", "99", "100")
    assert [(desk.fills(order)[0].price, desk.fills(order)[0].fee) for order in (small, large)] == [
        (Decimal("100.01"), Decimal(1)),
        (Decimal("100.24"), Decimal("1.2")),
    ]


def test_the_venue_keeps_its_own_books() -> None:
    desk = Desk(**FREE)
    desk.enter(quantity="10")
    desk.bar("100", "101", "99", "100")
    account = SimulatedAccount.objects.get(pk=desk.world.account_id)
    assert (account.cash_flow, account.traded_value) == (Decimal(-1000), Decimal(1000))
    SimulatedPosition.objects.update(quantity=Decimal(9))
    SimulatedAccount.objects.update(cash_flow=Decimal(0))
    assert {item.code for item in selectors.audit()} == {"VENUE_CASH_DIFFERS", "VENUE_POSITION_DIFFERS"}
