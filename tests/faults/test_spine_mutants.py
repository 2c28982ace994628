"""The mistakes that the rules of sessions, risk, books, clock and log guard against, one line each; the tests of that rule must notice each.

The numbers are the rows of the list of properties to prove. Those of orders alone are in `test_order_mutants.py`.
"""

from __future__ import annotations

import random

import pytest
from django.db import connection

from apps.common.leases import acquire
from apps.core.errors import OwnershipLost
from apps.core.ports import port
from apps.events.models import LoggedEvent
from apps.orders.ports import AccountDirectory
from apps.orders.services.executing import AccountExecutor
from apps.orders.services.ownership import Ownership
from apps.risk.contracts import CheckCode
from apps.risk.models import Reservation
from apps.strategies import services as strategies
from apps.strategies.models import Decision, TradingSession
from tests.factories.trading_world import add_bar, open_world, place
from tests.faults import test_random_days as random_days
from tests.faults.mutation import Mutant, passes
from tests.integration.orders import test_executor as executor
from tests.integration.orders import test_winding_up as winding_up
from tests.integration.portfolio import test_booking as booking
from tests.integration.portfolio import test_journal_in_the_database as journal
from tests.integration.risk import test_gate as gate
from tests.integration.risk import test_halts as halts
from tests.integration.risk import test_limits as limits
from tests.integration.risk.orders import assess, propose
from tests.integration.strategies import test_adversity as adversity
from tests.unit.common import test_leases as leases
from tests.unit.orders import test_attribution as attribution
from tests.unit.risk import test_factor as factor
from tests.unit.risk import test_gate as gate_unit
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def exits_stay_within_the_position() -> None:
    gate.test_open_exits_together_never_exceed_the_position(open_world(symbols=2))


def turning_waits_for_exits() -> None:
    gate.test_an_order_that_turns_a_position_waits_for_open_exits_and_counts_in_full(open_world(symbols=2))


def open_orders_count() -> None:
    gate.test_open_orders_count_for_position_exposure_cash_and_number(open_world(symbols=2))


def days_are_the_venue_s() -> None:
    gate.test_orders_of_the_venue_s_day_are_counted_and_the_next_day_starts_anew(open_world(symbols=2))


def manual_orders_do_not_repeat() -> None:
    gate.test_the_same_manual_order_within_seconds_is_a_repetition(open_world(symbols=2))


def stale_data_refuse() -> None:
    gate_unit.test_what_is_missing_refuses({"data_age_bars": None}, CheckCode.MAX_DATA_AGE)


def a_missing_measure_counts_as_bad() -> None:
    factor.test_the_default_rules(None, "0", "1", "0.8", ("low_confidence",))


def halts_are_asked_last() -> None:
    world = open_world()
    ownership = Ownership.take(world.account_id)
    assert ownership is not None
    loop = AccountExecutor(port(AccountDirectory).account(world.account_id), ownership)
    executor.test_a_halt_is_asked_last_and_lets_reducing_orders_pass(world, loop)


def sleepers_are_fenced() -> None:
    with pytest.MonkeyPatch.context() as patch:
        winding_up.test_an_executor_that_wakes_in_the_middle_of_a_send_cannot_place_what_was_given_up(open_world(), patch)


def closed_accounts_are_wound_up() -> None:
    winding_up.test_orders_at_the_venue_when_their_account_closes_are_cancelled_and_a_halt_is_still_verified(open_world())


def a_bar_is_decided_once() -> None:
    world = World()
    closed_at = world.step(2)
    before = Decision.objects.count()
    for session_id in TradingSession.objects.values_list("id", flat=True):
        assert strategies.decide_bar(session_id=session_id, bar_at=closed_at) is None
    assert Decision.objects.count() == before


def a_lost_lease_decides_nothing() -> None:
    world = World()
    world.step()
    closed_at = world.play()
    world.executor.work()
    lease = acquire("sessions", seconds=15)
    assert lease is not None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE common_lease SET expires_at = clock_timestamp() - interval '1 second' WHERE name = 'sessions'")
    assert acquire("sessions", seconds=15, owner="another") is not None
    due = [strategies.Due(session_id, closed_at) for session_id in TradingSession.objects.values_list("id", flat=True)]
    with pytest.raises(OwnershipLost):
        strategies.decide_bars(due, lease=lease)
    assert not Decision.objects.filter(bar_at=closed_at).exists()


def ended_orders_hold_nothing() -> None:
    world = open_world()
    ownership = Ownership.take(world.account_id)
    assert ownership is not None
    loop = AccountExecutor(port(AccountDirectory).account(world.account_id), ownership)
    verdict = assess(propose(world))
    order_id = Reservation.objects.get().order_id
    assert verdict.approved
    executor.settle(loop)
    place(world)
    Reservation.objects.update(order_id=random_days.newest_order(world))
    executor.settle(loop)
    add_bar(world, "100", "101", "99", "100")
    executor.settle(loop)
    assert order_id is not None
    assert not Reservation.objects.filter(ended_at=None).exists()


def changes_of_limits_are_logged() -> None:
    limits.test_each_change_is_on_the_log_with_its_actor_and_both_values()


def a_barrier_waits_for_everybody() -> None:
    world = World()
    world.step()
    closed_at = world.play()
    barrier = strategies.SessionBarrier()
    assert "executor" in barrier.waiting_for(world.venue_id, closed_at)
    world.executor.work()
    assert "7 sessions" in barrier.waiting_for(world.venue_id, closed_at)
    world.settle()
    assert barrier.waiting_for(world.venue_id, closed_at) == ""


def decisions_are_on_the_log() -> None:
    world = World()
    world.step()
    made = set(LoggedEvent.objects.filter(event_type="trading.decision_made").values_list("subject", flat=True))
    assert made == {str(key) for key in Decision.objects.values_list("id", flat=True)}


GATE = "apps.risk.services.gate"
CONDITIONS = "apps.risk.domain.conditions"
CYCLE = "apps.strategies.services.cycle"
SESSIONS = "apps.strategies.services.sessions"
LIMITS = "apps.risk.domain.rules:_rules"
MUTANTS = (
    Mutant(
        "7: exits do not count each other",
        CONDITIONS,
        "    return max(closable - exits, Decimal(0)) if closable > 0 else Decimal(0)",
        "    return max(closable, Decimal(0)) if closable > 0 else Decimal(0)",
        exits_stay_within_the_position,
    ),
    Mutant(
        "7: a position is turned under its exits",
        CONDITIONS,
        "    if not is_against or not facts.reserved_exits:",
        "    if True:",
        turning_waits_for_exits,
    ),
    Mutant(
        "7: a position counts against the order that turns it",
        "apps.risk.domain.limits.exposure",
        "max(abs(after), added)",
        "abs(after)",
        turning_waits_for_exits,
        registry=LIMITS,
    ),
    Mutant(
        "7: a session counts on what a halt has sold",
        "apps.orders.domain.attribution",
        "            return held - taken",
        "            return held",
        attribution.test_a_halt_that_flattened_two_sessions_leaves_both_with_nothing,
    ),
    Mutant(
        "8: an ended order works on at the venue",
        "apps.orders.services.reconciliation",
        "        if status not in OPEN_STATUSES:",
        "        if False:",
        lambda: winding_up.test_what_works_at_the_venue_though_it_has_ended_for_us_is_cancelled_there(open_world()),
    ),
    Mutant(
        "8: a closed account is forgotten with its orders",
        "apps.orders.services.executing",
        "for account_id in with_orders if account_id not in known]",
        "for account_id in with_orders if account_id in known]",
        closed_accounts_are_wound_up,
    ),
    Mutant(
        "13: a fill is booked twice",
        "apps.portfolio.services.booking",
        "    if is_booked(account_id=fill.account_id, kind=EntryKind.FILL, reference=str(fill.id)):",
        "    if False:",
        booking.test_the_same_fill_is_booked_once,
    ),
    Mutant(
        "13: cash does not follow the journal",
        "apps.portfolio.services.journal",
        "        if line.ledger_account is LedgerAccount.CASH:",
        "        if False:",
        booking.test_a_buy_is_in_the_journal_the_cash_and_the_position,
    ),
    Mutant(
        "13: fills at once lose an update",
        "apps.portfolio.services.journal",
        '.update(amount=F("amount") + amount)',
        ".update(amount=amount)",
        booking.test_fills_booked_at_once_add_up,
    ),
    Mutant(
        "15: the gate is not locked",
        GATE,
        "    lock_in_transaction(Lock.ACCOUNT_RISK, proposal.account_id)\n    known",
        "    Lock.ACCOUNT_RISK\n    known",
        gate.test_of_fifty_orders_at_once_with_room_for_one_exactly_one_passes,
    ),
    Mutant(
        "15: what open orders may use is not counted",
        "apps.risk.domain.exposure",
        "        reserved_notional=held.notional,",
        "        reserved_notional=held.notional * 0,",
        open_orders_count,
    ),
    Mutant(
        "15: an ended order goes on holding",
        "apps.orders.services.transitions",
        "            end_reservation(order_id)\n",
        "            str(order_id)\n",
        ended_orders_hold_nothing,
    ),
    Mutant(
        "16: one signal is judged afresh each time",
        GATE,
        "    if known is not None:",
        "    if False:",
        gate.test_one_signal_replayed_by_many_at_once_is_one_order,
    ),
    Mutant(
        "16: the day's orders are not counted",
        GATE,
        "    return port(OrderControl).orders_since(account_id, since)",
        "    return 0 * port(OrderControl).orders_since(account_id, since)",
        days_are_the_venue_s,
    ),
    Mutant(
        "16: a person's order repeats",
        "apps.orders.services.control",
        "created_at__gte=since",
        "created_at__lt=since",
        manual_orders_do_not_repeat,
    ),
    Mutant(
        "17: the distance from the last close is not measured",
        "apps.risk.domain.limits.market_data",
        "    value, what = abs(reference - close) / close,",
        "    value, what = 0 * abs(reference - close) / close,",
        gate_unit.test_a_tenfold_spike_is_refused,
        registry=LIMITS,
    ),
    Mutant(
        "17: data of unknown age is fresh",
        "apps.risk.domain.limits.market_data",
        "    value = Decimal(age) if age is not None and age >= 0 and proposal.data_at is not None else None",
        "    value = Decimal(age or 0)",
        stale_data_refuse,
        registry=LIMITS,
    ),
    Mutant(
        "17: a measure that is missing is good",
        "apps.risk.domain.factor",
        "    if value is None or not is_usable(value) or not is_usable(rule.threshold):\n        return True",
        "    if value is None or not is_usable(value) or not is_usable(rule.threshold):\n        return False",
        a_missing_measure_counts_as_bad,
    ),
    Mutant(
        "18: the halt is not asked before the send",
        "apps.orders.services.sending",
        "    if halt is not None and not order.is_reducing:",
        "    if False:",
        halts_are_asked_last,
    ),
    Mutant(
        "18: the halt does not wait for sends",
        "apps.risk.services.halts",
        "    _wait_for_sends()\n    known",
        "    known",
        halts.test_when_a_halt_has_committed_no_send_is_in_flight,
    ),
    Mutant(
        "18: a sleeper places what was given up",
        "apps.orders.adapters.simulated.client",
        "            self._check()\n            account = self.locked_account()\n            stored",
        "            account = self.locked_account()\n            stored",
        sleepers_are_fenced,
    ),
    Mutant(
        "20: a bar is decided again",
        CYCLE,
        "    return session.last_bar_at is not None and session.last_bar_at >= item.bar_at",
        "    return False",
        a_bar_is_decided_once,
    ),
    Mutant(
        "20: an owner without its lease decides",
        CYCLE,
        "            fence(lease)",
        "            str(lease)",
        a_lost_lease_decides_nothing,
    ),
    Mutant(
        "20: an owner without its lease restarts the replay",
        "apps.strategies.services.replay",
        "                fence(lease)",
        "                str(lease)",
        adversity.test_an_owner_that_lost_its_lease_restarts_nothing,
    ),
    Mutant(
        "20: a restart is served twice",
        "apps.strategies.services.replay",
        "            if not ReplayRequest.objects.select_for_update().filter(id=row.id, done_at=None).exists():",
        "            if False:",
        adversity.test_a_restart_served_by_two_owners_at_once_opens_one_world,
    ),
    Mutant(
        "20: a bar passes a session that is being started",
        SESSIONS,
        "    venue = market_services.hold_clock(row.account.venue_id)",
        "    venue = markets.venue(row.account.venue_id)",
        adversity.test_a_bar_cannot_pass_while_a_session_is_being_started,
    ),
    Mutant(
        "20: the next bar does not wait for the sessions",
        "apps.strategies.services.barrier",
        "        if late:",
        "        if False:",
        a_barrier_waits_for_everybody,
    ),
    Mutant(
        "20: a lease is taken while it is held",
        "apps.common.leases",
        "            WHERE lease.owner = excluded.owner OR lease.expires_at < clock_timestamp()",
        "            WHERE true",
        leases.test_a_held_lease_is_refused_to_others_and_renewed_by_its_owner,
    ),
    Mutant(
        "20: an order is left open by a session that has ended",
        SESSIONS,
        '        order_services.request_cancel(order_id=order.id, actor="sessions", reason=reason)',
        "        str(order.id)",
        adversity.test_an_order_of_the_last_bar_of_an_instrument_is_cancelled_and_holds_nothing,
    ),
    Mutant(
        "31: a limit is changed and nobody knows by whom",
        "apps.risk.services.limits",
        "    if (old_value, was_enabled) != (show(value), is_enabled):",
        "    if False:",
        changes_of_limits_are_logged,
    ),
    Mutant(
        "31: a decision is not on the log",
        CYCLE,
        "    return [*told, made]",
        "    return [*told]",
        decisions_are_on_the_log,
    ),
)


@pytest.mark.parametrize("is_planted", [False, True], ids=["right", "wrong"])
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_the_check_passes_without_the_mistake_and_fails_with_it(mutant: Mutant, is_planted: bool) -> None:
    assert passes(mutant.check, mutant if is_planted else None) is not is_planted


@pytest.mark.parametrize("statement", ["UPDATE portfolio_journalline SET amount = amount + 1", "DELETE FROM portfolio_journalline"])
def test_13_the_database_itself_refuses_to_change_the_journal(statement: str) -> None:
    """The test of the journal asserts it; here it stands beside the mistakes that only checks find."""
    journal.test_what_is_booked_is_neither_changed_nor_deleted(open_world(), statement)


def test_random_days_are_repeatable() -> None:
    """The random days are a function of their seed, so that a printed seed finds the same day again."""
    assert random_days.plan_of(random.Random(7)) == random_days.plan_of(random.Random(7))
