"""Each finished day of paper beside its repetition: clean days, one change of each kind, the breaker, and a job that is killed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.backtests.domain.parity_day import ParityClass
from apps.backtests.models import ParityDay, ParityDifference
from apps.backtests.selectors.parity import parity_days, parity_differences, parity_summary
from apps.backtests.services.parity import change_tolerance, check_account
from apps.backtests.tasks import check_parity
from apps.common.failpoints import InjectedFault, arm_failpoints
from apps.events.models import LoggedEvent
from apps.markets import selectors as markets
from apps.markets.contracts import ClockStatus
from apps.markets.models import VenueClock
from apps.orders.models import Fill, Order
from apps.portfolio.models import EquitySnapshot
from apps.risk import selectors as risk_selectors
from apps.risk import services as risk
from apps.risk.domain.factor import Measure
from apps.risk.models import Halt, RiskFactorRule
from apps.strategies.models import Decision
from apps.strategies.services import event_sessions
from tests.factories.scripted import KIND, registered
from tests.integration.backtests.paper_world import account_of_world, entry, fill_of, open_world, tamper, wall
from tests.minute_series import walk
from tests.minutes import MinuteWorld

pytestmark = pytest.mark.django_db
BARS = 6


def check(**options: Any) -> list[ParityDifference]:
    check_account(account_id=account_of_world(), now=wall(), **options)
    return list(ParityDifference.objects.order_by("id"))


def test_clean_days_have_no_difference_and_are_compared_once() -> None:
    world = open_world(BARS)
    check_parity()
    days = list(ParityDay.objects.order_by("day"))
    assert len(days) == BARS - 1, "the newest day is not over"
    assert days[-1].day < markets.venue(world.venue_id).now_at.date()
    assert [(day.differences, day.deviation, day.is_breached) for day in days] == [(0, 0, False)] * len(days)
    assert sum(day.decisions for day in days) == 7 * (BARS - 1)
    assert sum(day.fills for day in days) == Fill.objects.filter(occurred_at__date__lte=days[-1].day).count() > 0
    checked_at = {day.id for day in days}
    check_parity()
    assert {day.id for day in ParityDay.objects.all()} == checked_at
    world.step(2)
    check_parity()
    assert ParityDay.objects.count() == BARS + 1
    assert LoggedEvent.objects.filter(event_type__startswith="backtests.parity").count() == 0
    summary = parity_summary(account_of_world())
    assert (summary.days, summary.clean_days, summary.differences, summary.is_behind) == (BARS + 1, BARS + 1, 0, False)


def test_every_change_is_given_its_own_class() -> None:
    open_world(BARS)
    change_tolerance(tolerance_bps=Decimal(10_000), halts=True, actor="test", now=wall())
    decision = entry()
    fill = fill_of(decision)
    assert check() == []

    def found_after(sql: str, values: list[Any], undo: list[Any]) -> list[tuple[str, str]]:
        tamper(sql, values)
        day = fill.occurred_at.date() if "orders_fill" in sql else decision.bar_at.date()
        found = [(row.kind, row.what.split(" (")[0]) for row in check(day=day)]
        tamper(sql, undo)
        assert check(day=day) == []
        return found

    price = "UPDATE orders_fill SET price = %s WHERE id = %s"
    assert found_after(price, [fill.price + 1, fill.id], [fill.price, fill.id]) == [(ParityClass.FILL, "fill")]
    quantity = "UPDATE orders_fill SET quantity = %s WHERE id = %s"
    assert found_after(quantity, [fill.quantity + 1, fill.id], [fill.quantity, fill.id]) == [(ParityClass.FILL, "fill")]
    fee = "UPDATE orders_fill SET fee = %s WHERE id = %s"
    assert found_after(fee, [fill.fee + 1, fill.id], [fill.fee, fill.id]) == [(ParityClass.FEE, "fill")]
    signal = "UPDATE strategies_decision SET signal = jsonb_set(signal, '{strength}', %s::jsonb) WHERE id = %s"
    strength = str(decision.signal["strength"])
    assert found_after(signal, ["0.123", decision.id], [strength, decision.id]) == [(ParityClass.SIGNAL, "signal")]
    size = "UPDATE strategies_decision SET risk_factor = %s WHERE id = %s"
    assert found_after(size, [Decimal("0.1"), decision.id], [decision.risk_factor, decision.id]) == [(ParityClass.SIZE, "risk factor")]
    checks = "UPDATE strategies_decision SET checks = jsonb_set(checks, '{0,value}', %s::jsonb) WHERE id = %s"
    assert found_after(checks, ['"halted"', decision.id], ['"not halted"', decision.id]) == [(ParityClass.RISK, "checks")]
    sentence = "UPDATE strategies_decision SET sentence = %s WHERE id = %s"
    assert found_after(sentence, ["Nothing.", decision.id], [decision.sentence, decision.id]) == [(ParityClass.DECISION, "sentence")]
    order = "UPDATE orders_order SET quantity = %s WHERE id = %s"
    assert found_after(order, [fill.quantity + 5, decision.order_id], [fill.quantity, decision.order_id]) == [(ParityClass.SIZE, "order")]


def test_a_later_fill_is_latency_a_lost_one_missing_and_one_too_many_extra() -> None:
    open_world(BARS)
    change_tolerance(tolerance_bps=Decimal(10_000), halts=True, actor="test", now=wall())
    decision = entry()
    fill = fill_of(decision)
    next_bar = Decision.objects.filter(session=decision.session, bar_at__gt=fill.occurred_at).order_by("bar_at")[0].bar_at
    tamper("UPDATE orders_fill SET occurred_at = %s WHERE id = %s", [next_bar, fill.id])
    assert [(row.kind, row.at) for row in check()] == [(ParityClass.LATENCY, next_bar)]
    ParityDay.objects.all().delete()
    tamper("UPDATE orders_fill SET occurred_at = %s WHERE id = %s", [fill.occurred_at, fill.id])

    held = Decision.objects.filter(session=decision.session, outcome="HOLD").order_by("bar_at")[0]
    tamper("UPDATE strategies_decision SET order_id = %s WHERE id = %s", [None, decision.id])
    tamper("UPDATE strategies_decision SET order_id = %s WHERE id = %s", [decision.order_id, held.id])
    found = check()
    assert {(row.kind, row.what) for row in found} >= {(ParityClass.MISSING, "order"), (ParityClass.EXTRA, "order")}
    assert {row.kind for row in found} == {ParityClass.MISSING, ParityClass.EXTRA}


def test_a_bar_that_changed_is_data_and_so_is_what_follows_from_it() -> None:
    world = open_world(BARS)
    change_tolerance(tolerance_bps=Decimal(10_000), halts=True, actor="test", now=wall())
    decision = entry()
    fill = fill_of(decision)
    spec = markets.instrument_spec(decision.instrument_id)
    lower = spec.price_units(Decimal("0.01"))
    tamper(
        "UPDATE markets_candle SET open = open - %s, low = least(low, open - %s) WHERE instrument_id = %s AND closed_at = %s",
        [lower, lower, decision.instrument_id, fill.occurred_at],
    )
    found = check()
    assert {row.kind for row in found} == {ParityClass.DATA}
    assert [(row.at, row.symbol) for row in found if row.what == "fill"] == [(fill.occurred_at, spec.symbol)]
    assert {row.what.split(" (")[0] for row in found if row.symbol == spec.symbol} == {"data hash", "fill"}
    assert {row.what.split(" (")[0] for row in found if row.symbol != spec.symbol} <= {"checks"}, "the account has another sum of cash"
    assert markets.venue(world.venue_id).bars_done == BARS


def test_a_value_of_the_account_that_nothing_explains_is_of_the_books() -> None:
    open_world(BARS)
    change_tolerance(tolerance_bps=Decimal(10_000), halts=True, actor="test", now=wall())
    point = EquitySnapshot.objects.order_by("at")[4]
    tamper("UPDATE portfolio_equitysnapshot SET equity = equity + 7 WHERE id = %s", [point.id])
    found = check()
    assert [(row.kind, row.at.date(), row.amount) for row in found][:1] == [(ParityClass.BOOKS, point.at.date(), Decimal(7))]
    assert len(found) == 2, "the day after gives it back"


def test_the_breaker_trips_once_and_holds_until_a_person_resets_it() -> None:
    world = open_world(BARS)
    account_id = account_of_world()
    fill = fill_of(entry())
    tamper("UPDATE orders_fill SET price = price + 100 WHERE id = %s", [fill.id])
    check()
    day = ParityDay.objects.get(is_breached=True)
    assert (day.day, day.differences, day.tolerance_bps) == (fill.occurred_at.date(), 1, Decimal(1))
    assert day.deviation == 100 * fill.quantity
    assert day.deviation_bps == (100 * fill.quantity * 10_000 / day.equity).quantize(Decimal("1e-10"))
    halt = Halt.objects.get()
    assert (halt.id, halt.account_id, halt.engaged_by, halt.reset_at) == (day.halt_id, account_id, "parity", None)
    assert halt.reason.startswith(f"Parity of {day.day}: ")
    assert halt.reason.endswith(" bps beside the backtest (fill); 1 are allowed")
    event = LoggedEvent.objects.get(event_type="backtests.parity_breached")
    assert (event.payload["kinds"], event.payload["halt_id"], event.payload["differences"]) == ("fill", str(halt.id), 1)

    world.step(2)
    check()
    check(day=day.day)
    held = risk_selectors.active_halt(account_id)
    assert held is not None
    assert held.id == halt.id
    risk.reset_halt(halt_id=halt.id, actor="ada", reason="the price was typed in wrongly", now=wall())
    world.step(2)
    check()
    check(day=day.day)
    assert risk_selectors.active_halt(account_id) is None
    assert Halt.objects.count() == LoggedEvent.objects.filter(event_type="backtests.parity_breached").count() == 1
    assert ParityDay.objects.get(is_breached=True).halt_id == halt.id
    assert ParityDay.objects.filter(differences__gt=0).count() == 1, "days under the halt are repeated under the halt"


def test_a_day_within_the_tolerance_is_told_and_nothing_is_halted() -> None:
    open_world(BARS)
    change_tolerance(tolerance_bps=Decimal("0.5"), halts=True, actor="ada", now=wall())
    change_tolerance(tolerance_bps=Decimal(50), halts=True, actor="ada", now=wall(), account_id=account_of_world())
    fill = fill_of(entry())
    tamper("UPDATE orders_fill SET fee = fee + 10 WHERE id = %s", [fill.id])
    assert [row.amount for row in check()] == [Decimal(10)]
    assert ParityDay.objects.get(differences=1).deviation_bps == Decimal(1)
    assert not Halt.objects.exists()
    assert LoggedEvent.objects.filter(event_type="backtests.parity_tolerance_changed").count() == 2


def test_a_job_that_is_killed_goes_on_where_it_was() -> None:
    open_world(BARS)
    arm_failpoints("backtests.parity_day:4=raise")
    with pytest.raises(InjectedFault):
        check()
    arm_failpoints("")
    assert ParityDay.objects.count() == 3
    first = set(ParityDay.objects.values_list("id", flat=True))
    check()
    assert ParityDay.objects.count() == BARS - 1
    assert first < set(ParityDay.objects.values_list("id", flat=True))


def test_days_after_a_real_difference_are_judged_by_themselves() -> None:
    world = open_world(2)
    change_tolerance(tolerance_bps=Decimal(10_000), halts=True, actor="test", now=wall())
    rule = RiskFactorRule.objects.get(measure=Measure.CONFIDENCE)
    risk.change_factor_rule(
        measure=Measure.CONFIDENCE,
        threshold=rule.threshold,
        multiplier=Decimal("0.4"),
        reason=rule.reason,
        is_enabled=True,
        actor="test",
        now=wall(),
    )
    world.step(BARS)
    found = check()
    assert {(row.kind, row.what.split(" (")[0]) for row in found} == {(ParityClass.SIZE, "risk factor"), (ParityClass.SIZE, "fill")}
    last = max(row.at for row in found)
    assert last == fill_of(Decision.objects.filter(outcome="TRADE", bar_at__lt=world_bars(3)).latest("bar_at")).occurred_at
    later = ParityDay.objects.filter(day__gt=last.date())
    assert later.count() >= BARS - 3
    assert {(day.differences, day.deviation) for day in later} == {(0, Decimal(0))}


def world_bars(count: int) -> datetime:
    """The close of that bar of the world, counted from 1."""
    bars: list[datetime] = sorted(set(Decision.objects.values_list("bar_at", flat=True)))
    return bars[count - 1]


def test_orders_of_event_strategies_are_compared_each_by_itself() -> None:
    with registered():
        event_sessions._living.clear()
        world = MinuteWorld(walk(41, seed=5))
        world.open_session(KIND, seed=11)
        world.step(40)
        VenueClock.objects.filter(venue_id=world.venue_id).update(status=ClockStatus.ENDED)
        checked = check_account(account_id=world.account_id, now=wall())
        assert (len(checked.days), checked.differences) == (1, 0)
        day = ParityDay.objects.get()
        assert (day.orders, day.fills) == (Order.objects.count(), Fill.objects.count())
        assert day.orders > Decision.objects.exclude(order_id=None).count(), "several orders of one decision"
        order = Order.objects.filter(filled_quantity__gt=0, group_id=None).order_by("-id")[0]
        tamper("UPDATE orders_order SET quantity = quantity + 1 WHERE id = %s", [order.id])
        check_account(account_id=world.account_id, now=wall(), day=day.day)
        assert [(row.kind, row.what) for row in ParityDifference.objects.all()] == [(ParityClass.SIZE, "order")]
    event_sessions._living.clear()


def test_the_command_says_what_differs_and_fails_beyond_the_tolerance() -> None:
    open_world(BARS)
    output = StringIO()
    call_command("check_parity", stdout=output)
    assert output.getvalue().endswith(f"{BARS - 1} days compared, 0 differences.\n")
    fill = fill_of(entry())
    tamper("UPDATE orders_fill SET price = price + 100 WHERE id = %s", [fill.id])
    with pytest.raises(CommandError):
        call_command("check_parity", "--account", str(account_of_world()), "--day", str(fill.occurred_at.date()), stdout=output)
    assert "beyond the tolerance" in output.getvalue()
    assert "paper price " in output.getvalue()
    day = parity_days(account_id=account_of_world(), only_different=True)[0]
    assert day.kinds == {"fill": 1}
    assert [row.order_id for row in parity_differences(day_id=day.id)] == [fill.order_id]
