"""The gate over real tables: verdicts are stored, reservations count, exits always pass, and one order at a time is judged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection, transaction

from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side, TradingMode
from apps.events.models import LoggedEvent
from apps.orders.ports import FillSink
from apps.portfolio.services import LedgerPortfolioView
from apps.risk import selectors
from apps.risk.contracts import CheckCode, LimitCode, OrderProposal, Verdict
from apps.risk.models import Reservation, RiskVerdict
from apps.risk.ports import AccountExposure
from apps.risk.services import assess_amendment, change_limit, end_reservation, engage_halt, set_live_trading, update_reservation
from tests.factories.trading_world import World, add_bar, open_world, place
from tests.integration.portfolio.fills import make_fill
from tests.integration.risk.orders import NOW, assess, propose, refused_by


@pytest.fixture
def world(db: None) -> World:
    return open_world(symbols=2)


def limit(code: LimitCode, value: str, **scope: object) -> None:
    change_limit(code=code, value=Decimal(value), actor="test", now=NOW, **scope)  # type: ignore[arg-type]


def test_an_approved_order_is_reserved_and_its_verdict_stored_with_every_check(world: World) -> None:
    proposal = propose(world)
    verdict = assess(proposal)
    assert verdict.approved
    stored = selectors.verdict(verdict.id)
    assert (stored.verdict, stored.order_id) == (verdict, proposal.order_id)
    assert [check.code for check in stored.verdict.checks] == list(CheckCode)
    held = Reservation.objects.get(order_id=proposal.order_id)
    assert (held.quantity, held.notional, held.cash, held.ended_at) == (Decimal(10), Decimal(1000), Decimal(1010), None)
    assert not LoggedEvent.objects.filter(event_type="trading.risk_triggered").exists()


def test_a_refusal_is_stored_logged_and_reserves_nothing(world: World) -> None:
    proposal = propose(world, quantity=251)
    verdict = assess(proposal)
    assert refused_by(verdict) == "MAX_ORDER_NOTIONAL"
    assert RiskVerdict.objects.get().first_failure == "MAX_ORDER_NOTIONAL"
    assert not Reservation.objects.exists()
    event = LoggedEvent.objects.get(event_type="trading.risk_triggered")
    assert (event.subject, event.actor, event.occurred_at) == (str(proposal.order_id), "strategy:momentum", world.now_at)
    assert (event.payload["value"], event.payload["limit"]) == ("25100", "25000")


def test_asking_again_for_the_same_order_gives_the_same_verdict(world: World) -> None:
    proposal = propose(world)
    assert assess(proposal) == assess(proposal)
    assert (RiskVerdict.objects.count(), Reservation.objects.count()) == (1, 1)


def test_a_rolled_back_transaction_leaves_neither_verdict_nor_reservation(world: World) -> None:
    with transaction.atomic():
        assess(propose(world))
        transaction.set_rollback(True)
    assert not RiskVerdict.objects.exists()
    assert not Reservation.objects.exists()


def test_open_orders_count_for_position_exposure_cash_and_number(world: World) -> None:
    for code, value in ((LimitCode.MAX_POSITION_NOTIONAL, "15000"), (LimitCode.MAX_OPEN_ORDERS, "3")):
        limit(code, value, mode="paper")
    assert refused_by(assess(propose(world, quantity=100))) == ""
    assert refused_by(assess(propose(world, quantity=51))) == "MAX_POSITION_NOTIONAL"
    assert refused_by(assess(propose(world, quantity=100, instrument=world.instruments[1]))) == ""
    limit(LimitCode.MAX_GROSS_EXPOSURE, "0.0249", mode="paper")
    assert refused_by(assess(propose(world, quantity=50))) == "MAX_GROSS_EXPOSURE"
    limit(LimitCode.MAX_GROSS_EXPOSURE, "0.025", mode="paper")
    assert refused_by(assess(propose(world, quantity=50))) == ""
    assert refused_by(assess(propose(world, quantity=1, instrument=world.instruments[1]))) == "MAX_GROSS_EXPOSURE"
    limit(LimitCode.MAX_GROSS_EXPOSURE, "1", mode="paper")
    assert refused_by(assess(propose(world, quantity=1, instrument=world.instruments[1]))) == "MAX_OPEN_ORDERS"


def test_what_an_order_holds_shrinks_with_its_fills_and_ends_with_it(world: World) -> None:
    proposal = propose(world, quantity=100)
    assess(proposal)
    update_reservation(proposal.order_id, Decimal(40))
    held = Reservation.objects.get()
    assert (held.quantity, held.notional, held.cash) == (Decimal(40), Decimal(4000), Decimal(4040))
    update_reservation(proposal.order_id, Decimal(60))
    held.refresh_from_db()
    assert held.quantity == 40, "a reservation never grows"
    update_reservation(proposal.order_id, Decimal(0))
    held.refresh_from_db()
    assert (held.notional, held.ended_at is not None) == (Decimal(0), True)
    ended_at = held.ended_at
    end_reservation(proposal.order_id)
    update_reservation(proposal.order_id, Decimal(0))
    held.refresh_from_db()
    assert held.ended_at == ended_at


def test_an_ended_reservation_makes_room_again(world: World) -> None:
    limit(LimitCode.MAX_OPEN_ORDERS, "1", mode="paper")
    first = propose(world)
    assess(first)
    assert refused_by(assess(propose(world))) == "MAX_OPEN_ORDERS"
    end_reservation(first.order_id)
    assert refused_by(assess(propose(world))) == ""


def test_orders_of_the_venue_s_day_are_counted_and_the_next_day_starts_anew(world: World) -> None:
    limit(LimitCode.MAX_ORDERS_PER_DAY, "2", mode="paper")
    closed_at = add_bar(world, "100", "100", "100", "100")
    port(FillSink).mark_to_market(world.account_id, at=closed_at)
    place(world)
    assert refused_by(assess(propose(world))) == ""
    place(world)
    assert refused_by(assess(propose(world))) == "MAX_ORDERS_PER_DAY"
    closed_at = add_bar(world, "100", "100", "100", "100")
    port(FillSink).mark_to_market(world.account_id, at=closed_at)
    assert refused_by(assess(propose(world))) == ""


def test_a_daily_loss_stops_new_exposure_and_lets_exits_pass(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.BUY, "1000", "100"))
    port(FillSink).mark_to_market(world.account_id, at=add_bar(world, "100", "100", "89", "89"))
    limit(LimitCode.MAX_DAILY_LOSS, "0.01", mode="paper")
    assert refused_by(assess(propose(world, instrument=world.instruments[1]))) == "MAX_DAILY_LOSS"
    assert refused_by(assess(propose(world, Side.SELL, 1000, is_reducing=True))) == ""


def test_open_exits_together_never_exceed_the_position(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.BUY, "10", "100"))
    resting = {"order_type": OrderType.LIMIT, "limit_price": Decimal(110), "is_reducing": True}
    assert refused_by(assess(propose(world, Side.SELL, 6, **resting))) == ""
    assert refused_by(assess(propose(world, Side.SELL, 5, is_reducing=True))) == "EXIT_WITHIN_POSITION"
    assert refused_by(assess(propose(world, Side.SELL, 4, is_reducing=True))) == ""
    assert refused_by(assess(propose(world, Side.SELL, 1, is_reducing=True))) == "EXIT_WITHIN_POSITION"


def test_a_halt_refuses_new_exposure_and_passes_exits(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.BUY, "10", "100"))
    engage_halt(actor="test", reason="a drill", now=NOW)
    verdict = assess(propose(world))
    assert refused_by(verdict) == "HALT"
    assert "a drill" in verdict.checks[0].message
    assert refused_by(assess(propose(world, Side.SELL, 10, is_reducing=True))) == ""


def test_a_halt_of_another_account_does_not_matter(world: World) -> None:
    other = open_world()
    engage_halt(actor="test", reason="a drill", now=NOW, account_id=other.account_id)
    assert refused_by(assess(propose(world))) == ""
    assert refused_by(assess(propose(other))) == "HALT"
    assert selectors.active_halt() is None


def test_the_same_manual_order_within_seconds_is_a_repetition(world: World) -> None:
    manual = {"is_manual": True, "confidence": None, "strategy": "", "origin_id": None}
    assert refused_by(assess(propose(world, **manual))) == ""
    place(world)
    assert refused_by(assess(propose(world, **manual))) == "DUPLICATE_ORDER"
    assert refused_by(assess(propose(world, quantity=11, **manual))) == ""
    assert refused_by(assess(propose(world))) == ""


def test_live_orders_need_the_account_the_environment_and_the_database_to_agree(world: World, settings: object) -> None:
    assert refused_by(assess(propose(world, mode=TradingMode.LIVE))) == "MODE"
    assert selectors.live_refusal().startswith("Live trading is off in the environment")
    settings.LIVE_TRADING_ENABLED = True  # type: ignore[attr-defined]
    assert selectors.live_refusal().startswith("Live trading is off in the database")
    set_live_trading(is_on=True, actor="test", reason="a drill", now=NOW)
    assert selectors.live_refusal() == ""
    set_live_trading(is_on=False, actor="test", reason="the drill is over", now=NOW)
    assert selectors.live_refusal() != ""
    assert LoggedEvent.objects.filter(event_type="risk.live_trading_switched").count() == 2


def _all_at_once(proposals: list[OrderProposal], ask: Callable[[OrderProposal], Verdict]) -> list[Verdict]:
    barrier = threading.Barrier(len(proposals))

    def run(proposal: OrderProposal) -> Verdict:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return ask(proposal)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(proposals)) as pool:
        return list(pool.map(run, proposals))


@pytest.mark.django_db(transaction=True)
def test_of_fifty_orders_at_once_with_room_for_one_exactly_one_passes() -> None:
    world = open_world(symbols=2)
    limit(LimitCode.MAX_GROSS_EXPOSURE, "0.002", mode="paper")
    assert assess(propose(world, quantity=10)).approved
    proposals = [propose(world, quantity=10, instrument=world.instruments[index % 2]) for index in range(50)]
    verdicts = _all_at_once(proposals, assess)
    assert sum(verdict.approved for verdict in verdicts) == 1
    assert {refused_by(verdict) for verdict in verdicts} == {"", "MAX_GROSS_EXPOSURE"}
    assert sum(row.notional for row in Reservation.objects.all()) == 2000
    assert RiskVerdict.objects.count() == 51


@pytest.mark.django_db(transaction=True)
def test_one_signal_replayed_by_many_at_once_is_one_order() -> None:
    world = open_world()
    proposal = propose(world)
    verdicts = _all_at_once([proposal] * 20, assess)
    assert len({verdict.id for verdict in verdicts}) == 1
    assert (Reservation.objects.count(), RiskVerdict.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_of_many_exits_at_once_no_more_than_the_position_passes() -> None:
    world = open_world()
    port(FillSink).book_fill(make_fill(world, Side.BUY, "10", "100"))
    exits = [propose(world, Side.SELL, 4, is_reducing=True) for _ in range(10)]
    verdicts = _all_at_once(exits, assess)
    assert sum(verdict.approved for verdict in verdicts) == 2


def _book_during_the_read(monkeypatch: pytest.MonkeyPatch, action: Callable[[], None], *, before_the_books: bool) -> None:
    """Let `action` happen once while the gate reads: just before or just after it has read the books."""
    read, pending = LedgerPortfolioView.exposure, [action]

    def exposure(self: LedgerPortfolioView, account_id: UUID, instrument_id: UUID) -> AccountExposure:
        if pending and before_the_books:
            pending.pop()()
        found = read(self, account_id, instrument_id)
        if pending:
            pending.pop()()
        return found

    monkeypatch.setattr(LedgerPortfolioView, "exposure", exposure)


@pytest.mark.parametrize("before_the_books", [True, False])
def test_a_fill_booked_while_the_gate_reads_is_seen_exactly_once(
    world: World, monkeypatch: pytest.MonkeyPatch, before_the_books: bool
) -> None:
    limit(LimitCode.MAX_POSITION_NOTIONAL, "2000", mode="paper")
    first = propose(world, quantity=10)
    assess(first)
    fill = make_fill(world, Side.BUY, "10", "100")

    def book() -> None:
        port(FillSink).book_fill(fill)
        update_reservation(first.order_id, Decimal(0))

    _book_during_the_read(monkeypatch, book, before_the_books=before_the_books)
    verdict = assess(propose(world, quantity=10))
    assert next(check.value for check in verdict.checks if check.code == "MAX_POSITION_NOTIONAL") == "2000"
    assert refused_by(verdict) == ""
    assert refused_by(assess(propose(world, quantity=1))) == "MAX_POSITION_NOTIONAL"


@pytest.mark.parametrize("before_the_books", [True, False])
def test_an_exit_is_not_held_back_by_another_that_fills_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, before_the_books: bool
) -> None:
    port(FillSink).book_fill(make_fill(world, Side.BUY, "10", "100"))
    first = propose(world, Side.SELL, 6, is_reducing=True)
    assess(first)
    fill = make_fill(world, Side.SELL, "6", "100")

    def book() -> None:
        port(FillSink).book_fill(fill)
        update_reservation(first.order_id, Decimal(0))

    _book_during_the_read(monkeypatch, book, before_the_books=before_the_books)
    assert refused_by(assess(propose(world, Side.SELL, 4, is_reducing=True))) == ""


def test_an_order_that_turns_a_position_waits_for_open_exits_and_counts_in_full(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.BUY, "10", "100"))
    resting = {"order_type": OrderType.LIMIT, "limit_price": Decimal(110), "is_reducing": True}
    exit_order = propose(world, Side.SELL, 6, **resting)
    assert refused_by(assess(exit_order)) == ""
    assert refused_by(assess(propose(world, Side.SELL, 20))) == "EXIT_WITHIN_POSITION"
    end_reservation(exit_order.order_id)
    limit(LimitCode.MAX_POSITION_NOTIONAL, "1999", mode="paper")
    assert refused_by(assess(propose(world, Side.SELL, 20))) == "MAX_POSITION_NOTIONAL", "an exit may come first"
    assert refused_by(assess(propose(world, Side.SELL, 19))) == ""


@pytest.mark.django_db
def test_an_amendment_is_judged_without_what_its_order_holds_and_holds_the_larger_of_both() -> None:
    world = open_world(capital=Decimal(100_000))
    first = propose(world, quantity=90)
    assert assess(first).approved
    larger = replace(first, quantity=Decimal(100), is_amendment=True)
    assert assess_amendment(larger, now=NOW).approved
    row = Reservation.objects.get(order_id=first.order_id)
    assert (row.quantity, row.notional) == (100, 10_000)
    smaller = replace(first, quantity=Decimal(10), is_amendment=True)
    assert assess_amendment(smaller, now=NOW).approved
    row.refresh_from_db()
    assert (row.quantity, row.notional) == (100, 10_000), "until it is known what it has become"
    too_large = replace(first, quantity=Decimal(1_000), is_amendment=True)
    assert not assess_amendment(too_large, now=NOW).approved
    row.refresh_from_db()
    assert row.quantity == 100


@pytest.mark.django_db
def test_a_reservation_without_quantity_ends_with_its_order_alone() -> None:
    world = open_world()
    bought = propose(world, quantity=10)
    assert assess(bought).approved
    child = propose(
        world,
        Side.SELL,
        10,
        is_reducing=True,
        is_reduce_only=True,
        parent_quantity=Decimal(10),
        order_type=OrderType.STOP,
        stop_price=Decimal(90),
    )
    assert assess(child).approved
    update_reservation(child.order_id, Decimal(3))
    assert Reservation.objects.get(order_id=child.order_id).ended_at is None
    end_reservation(child.order_id)
    assert Reservation.objects.get(order_id=child.order_id).ended_at is not None
