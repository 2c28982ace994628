"""Sessions when others trade their account, restarts asked for twice, starts between two bars, and the end of an instrument's data."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection, transaction

from apps.common.leases import acquire
from apps.core.errors import OwnershipLost
from apps.core.vocabulary import OrderType, Side
from apps.markets.models import Instrument, Venue, VenueClock
from apps.orders import selectors as orders
from apps.orders.models import Fill, Order
from apps.orders.services import submit_manual_order
from apps.portfolio import selectors as portfolio
from apps.risk.models import Halt, Reservation
from apps.risk.services import engage_halt, reset_halt
from apps.strategies import selectors, services
from apps.strategies.contracts import Outcome, SessionState
from apps.strategies.models import Decision, ReplayRequest, TradingSession
from tests.world import World

NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)
OPEN = ["PENDING", "SENDING", "UNKNOWN", "ACKNOWLEDGED", "PARTIALLY_FILLED", "CANCEL_PENDING"]


def held(account_id: object) -> dict[object, Decimal]:
    return {item.instrument_id: item.quantity for item in portfolio.positions(account_id)}  # type: ignore[arg-type]


def of_sessions() -> dict[object, Decimal]:
    """What the sessions count on, by instrument."""
    total: dict[object, Decimal] = {}
    for session in selectors.active_sessions():
        quantity = orders.session_position(session.id, session.instrument_id)
        total[session.instrument_id] = total.get(session.instrument_id, Decimal(0)) + quantity
    return {key: value for key, value in total.items() if value}


@pytest.mark.django_db
def test_after_a_halt_flattened_several_sessions_they_know_it_and_trade_again() -> None:
    world = World()
    world.step_until(lambda: Fill.objects.values("instrument").distinct().count() >= 3)
    account_id = portfolio.default_account_id()
    assert account_id is not None
    halt_id = engage_halt(actor="test", reason="enough", now=NOW, flatten=True)
    world.settle()
    assert orders.unsent_intents(world.venue_id) == len(held(account_id)), "the exits are recorded, and wake the executor"
    world.settle()
    world.step()
    world.settle()
    assert Halt.objects.get().verified_at is not None
    assert held(account_id) == {} == of_sessions()
    reset_halt(halt_id=halt_id, actor="test", reason="go on", now=NOW)
    before = Order.objects.filter(origin="SESSION").count()
    for _ in range(30):
        world.step()
        assert held(account_id) == of_sessions()
    assert Order.objects.filter(origin="SESSION").count() > before
    refused = Decision.objects.filter(outcome=Outcome.REFUSED_BY_RISK, sentence__contains="can still be closed")
    assert not refused.exists(), "a session keeps asking to sell what is gone"


@pytest.mark.django_db
def test_a_session_does_not_count_on_what_a_person_sold() -> None:
    world = World()
    world.step_until(Fill.objects.exists)
    fill = Fill.objects.select_related("order").order_by("id")[0]
    origin = fill.order.origin_id
    assert origin is not None
    assert orders.session_position(origin, fill.instrument_id) == fill.quantity
    submit_manual_order(
        account_id=fill.account_id,
        instrument_id=fill.instrument_id,
        side=Side.SELL,
        order_type=OrderType.MARKET,
        quantity=fill.quantity,
        actor="person",
        now=NOW,
    )
    world.settle()
    world.step()
    assert held(fill.account_id) == of_sessions()


@pytest.mark.django_db(transaction=True)
def test_a_restart_served_by_two_owners_at_once_opens_one_world() -> None:
    """Both have read the open request; the second waits for the first's transaction and then finds it done."""
    world = World()
    services.request_replay_restart(venue_id=world.venue_id, starts_at=None, actor="test")
    barrier = threading.Barrier(2)

    def serve() -> None:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            services.serve_replay_requests()
        finally:
            connection.close()

    owners = [threading.Thread(target=serve) for _ in range(2)]
    for owner in owners:
        owner.start()
    for owner in owners:
        owner.join(60)
    assert Venue.objects.count() == 2
    assert ReplayRequest.objects.get().done_at is not None


@pytest.mark.django_db(transaction=True)
def test_an_owner_that_lost_its_lease_restarts_nothing() -> None:
    world = World()
    services.request_replay_restart(venue_id=world.venue_id, starts_at=None, actor="test")
    lease = acquire("sessions", seconds=15)
    assert lease is not None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE common_lease SET expires_at = clock_timestamp() - interval '1 second'")
    assert acquire("sessions", seconds=15, owner="another") is not None
    with pytest.raises(OwnershipLost):
        services.serve_replay_requests(lease=lease)
    assert Venue.objects.count() == 1
    assert ReplayRequest.objects.filter(done_at=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_bar_cannot_pass_while_a_session_is_being_started() -> None:
    """Its barrier does not see the session before the commit, so the clock has to wait, or the session would miss that bar."""
    world = World()
    world.step()
    session = TradingSession.objects.filter(strategy__kind="forecast")[0]
    services.stop_session(session_id=session.id, keep_positions=True, actor="test", reason="test")
    world.settle()
    played = threading.Event()

    def play() -> None:
        try:
            world.play()
            played.set()
        finally:
            connection.close()

    player = threading.Thread(target=play)
    with transaction.atomic():
        services.start_session(session_id=session.id, actor="test")
        player.start()
        assert not played.wait(0.5), "a bar was played while the start was not committed"
    player.join(10)
    assert played.is_set()
    world.settle()
    assert services.SessionBarrier().waiting_for(world.venue_id, VenueClock.objects.get(venue_id=world.venue_id).now_at) == ""
    assert Decision.objects.filter(session=session, bar_at=VenueClock.objects.get(venue_id=world.venue_id).now_at).exists()


@pytest.mark.django_db
def test_an_order_of_the_last_bar_of_an_instrument_is_cancelled_and_holds_nothing() -> None:
    world = World()
    world.step_until(lambda: Order.objects.filter(status="ACKNOWLEDGED").exists())
    order = Order.objects.filter(status="ACKNOWLEDGED")[0]
    assert order.origin_id is not None
    services.finish_session(session_id=order.origin_id, reason="The data has no further bars.")
    world.settle()
    order.refresh_from_db()
    assert selectors.session(order.origin_id).state is SessionState.FINISHED
    assert order.status == "CANCELLED"
    assert Reservation.objects.get(order_id=order.id).ended_at is not None


@pytest.mark.django_db
def test_indices_end_in_2018_stocks_in_2022_and_then_the_replay() -> None:
    world = World(starts_at=datetime(2018, 12, 27, tzinfo=UTC))
    index_ids = set(Instrument.objects.filter(venue_id=world.venue_id, asset_class="index").values_list("id", flat=True))
    world.step(5)
    states = {session.instrument_id: session.state for session in TradingSession.objects.all()}
    assert {state for key, state in states.items() if key in index_ids} == {"FINISHED"}
    assert {state for key, state in states.items() if key not in index_ids} == {"RUNNING"}
    assert services.SessionBarrier().waiting_for(world.venue_id, VenueClock.objects.get(venue_id=world.venue_id).now_at) == ""


@pytest.mark.django_db
def test_at_the_end_of_the_replay_every_session_is_finished_and_nothing_stays_open() -> None:
    world = World(starts_at=datetime(2022, 12, 22, tzinfo=UTC))
    while VenueClock.objects.get(venue_id=world.venue_id).status == "RUNNING":
        world.step()
    world.settle()
    assert VenueClock.objects.get(venue_id=world.venue_id).status == "ENDED"
    assert set(TradingSession.objects.values_list("state", flat=True)) == {"FINISHED"}
    assert not Order.objects.filter(status__in=OPEN).exists()
    assert not Reservation.objects.filter(ended_at=None).exists()
    services.request_replay_restart(venue_id=world.venue_id, starts_at=None, actor="test")
    assert services.serve_replay_requests()
    assert {session.state for session in selectors.active_sessions()} == {SessionState.RUNNING}
    assert len(selectors.active_sessions()) == 7
