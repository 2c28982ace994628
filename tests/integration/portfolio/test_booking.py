"""A fill in the books: once, balanced, with the position, cash, round trip and events that follow from it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.errors import InexactValue, NotFound
from apps.core.ids import uuid7
from apps.core.ports import port
from apps.core.vocabulary import Side
from apps.events.models import LoggedEvent
from apps.orders.contracts import FillRecord
from apps.orders.ports import FillSink
from apps.portfolio import selectors
from apps.portfolio.contracts import EntryKind, LedgerAccount, Line
from apps.portfolio.models import CashBalance, ClosedTrade, JournalEntry, Position
from tests.factories.trading_world import World, open_world
from tests.integration.portfolio.fills import make_fill

CAPITAL = Decimal(1_000_000)


def book(fill: FillRecord) -> None:
    port(FillSink).book_fill(fill)


def event_types(world: World) -> list[str]:
    rows = LoggedEvent.objects.filter(subject=str(world.account_id), event_type__startswith="trading.position").order_by("id")
    return list(rows.values_list("event_type", flat=True))


@pytest.mark.django_db
def test_a_buy_is_in_the_journal_the_cash_and_the_position() -> None:
    world = open_world()
    fill = make_fill(world, Side.BUY, "10", "100.25", fee="0.5")
    book(fill)

    entry = selectors.entry_for_fill(fill.id)
    assert entry is not None
    assert (entry.kind, entry.instrument_id, entry.occurred_at) == (EntryKind.FILL, world.instrument.id, fill.occurred_at)
    assert set(entry.lines) == {
        Line(LedgerAccount.CASH, "USD", Decimal("-1002.5")),
        Line(LedgerAccount.MARKET, "USD", Decimal("1002.5")),
        Line(LedgerAccount.HOLDINGS, "SYM0", Decimal(10)),
        Line(LedgerAccount.MARKET, "SYM0", Decimal(-10)),
        Line(LedgerAccount.CASH, "USD", Decimal("-0.5")),
        Line(LedgerAccount.FEES, "USD", Decimal("0.5")),
    }
    position = selectors.positions(world.account_id)[0]
    assert (position.quantity, position.cost_basis, position.average_price) == (Decimal(10), Decimal("1002.5"), Decimal("100.25"))
    assert (position.opened_at, position.mark_price) == (fill.occurred_at, Decimal("100.25"))
    summary = selectors.account_summary(world.account_id)
    assert (summary.cash, summary.equity, summary.fees) == (CAPITAL - Decimal(1003), CAPITAL - Decimal("0.5"), Decimal("0.5"))
    assert event_types(world) == ["trading.position_opened"]


@pytest.mark.django_db
def test_the_same_fill_is_booked_once() -> None:
    world = open_world()
    fill = make_fill(world)
    for _ in range(3):
        book(fill)
    assert JournalEntry.objects.filter(kind=EntryKind.FILL).count() == 1
    assert selectors.positions(world.account_id)[0].quantity == 10
    assert event_types(world) == ["trading.position_opened"]
    assert selectors.trial_balance().is_balanced


@pytest.mark.django_db
def test_a_round_trip_realises_its_profit_and_closes_the_position() -> None:
    world = open_world()
    first = make_fill(world, Side.BUY, "10", "100")
    last = make_fill(world, Side.SELL, "6", "130")
    for fill in (first, make_fill(world, Side.SELL, "4", "110"), last):
        book(fill)
    trade = ClosedTrade.objects.get()
    assert (trade.realised_pnl, trade.fees, trade.quantity) == (Decimal(220), Decimal(3), Decimal(10))
    assert (trade.opened_at, trade.closing_fill_id) == (first.occurred_at, last.id)
    assert (trade.entry_value, trade.exit_reason) == (Decimal(1000), "MARKET_AT_OPEN")
    assert selectors.positions(world.account_id) == []
    kept = selectors.positions(world.account_id, with_closed=True)[0]
    assert (kept.quantity, kept.cost_basis, kept.realised_pnl, kept.opened_at) == (Decimal(0), Decimal(0), Decimal(220), None)
    assert event_types(world) == ["trading.position_opened", "trading.position_changed", "trading.position_closed"]
    assert selectors.account_summary(world.account_id).equity == CAPITAL + 217


@pytest.mark.django_db
def test_through_zero_one_trip_ends_and_the_next_begins() -> None:
    world = open_world()
    for fill in (make_fill(world, Side.BUY, "10", "100"), make_fill(world, Side.SELL, "15", "120", fee="3")):
        book(fill)
    position = selectors.positions(world.account_id)[0]
    assert (position.quantity, position.cost_basis, position.realised_pnl) == (Decimal(-5), Decimal(-600), Decimal(200))
    trade = ClosedTrade.objects.get()
    assert (trade.fees, trade.entry_value) == (3, 1000)
    assert Position.objects.get().trip_entry_value == 600
    assert event_types(world) == ["trading.position_opened", "trading.position_closed", "trading.position_opened"]
    assert selectors.trial_balance().is_balanced


@pytest.mark.django_db
def test_a_fee_in_another_asset_is_booked_in_that_asset() -> None:
    world = open_world()
    book(make_fill(world, fee="0.02", fee_asset="BNB"))
    balances = dict(CashBalance.objects.filter(account_id=world.account_id).values_list("asset", "amount"))
    assert balances == {"USD": CAPITAL - 1000, "BNB": Decimal("-0.02")}
    assert Position.objects.get().fees == 0
    assert selectors.trial_balance().is_balanced


@pytest.mark.django_db
def test_what_is_off_the_grid_or_has_no_account_is_not_booked() -> None:
    world = open_world()
    fill = make_fill(world)
    for bad in (replace(fill, price=Decimal("100.00001")), replace(fill, quantity=Decimal("0.5"))):
        with pytest.raises(InexactValue), transaction.atomic():
            book(bad)
    with pytest.raises(NotFound):
        book(replace(fill, account_id=uuid7()))
    assert JournalEntry.objects.filter(kind=EntryKind.FILL).count() == 0
    assert CashBalance.objects.get().amount == CAPITAL


FILLS = st.lists(
    st.tuples(
        st.sampled_from(Side), st.integers(1, 50), st.decimals("0.01", 5000, places=2), st.decimals(0, 20, places=8), st.integers(0, 1)
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.django_db
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fills=FILLS)
def test_after_any_fills_the_books_agree_and_explain_the_equity(fills: list[tuple[Side, int, Decimal, Decimal, int]]) -> None:
    with transaction.atomic():
        world = open_world(symbols=2)
        cash, held = CAPITAL, [Decimal(0), Decimal(0)]
        for side, quantity, price, fee, which in fills:
            book(make_fill(world, side, str(quantity), str(price), fee=str(fee), instrument=world.instruments[which]))
            cash -= side.sign * quantity * price + fee
            held[which] += side.sign * quantity
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        summary = selectors.account_summary(world.account_id)
        quantities = selectors.held_quantities(world.account_id)
        assert [quantities.get(item.id, 0) for item in world.instruments] == held
        assert summary.cash == cash
        assert summary.realised_pnl + summary.unrealised_pnl == summary.equity - CAPITAL + summary.fees
        assert selectors.trial_balance().differences == ()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_one_fill_booked_by_many_at_once_is_booked_once() -> None:
    world = open_world()
    fill = make_fill(world)

    def book_in_thread(_: int) -> None:
        try:
            book(fill)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(book_in_thread, range(16)))
    assert JournalEntry.objects.filter(kind=EntryKind.FILL).count() == 1
    assert selectors.trial_balance().is_balanced


@pytest.mark.django_db(transaction=True)
def test_fills_booked_at_once_add_up() -> None:
    world = open_world(symbols=2)
    fills = [make_fill(world, Side.BUY, str(index + 1), "100", instrument=world.instruments[index % 2]) for index in range(12)]

    def book_in_thread(fill: FillRecord) -> None:
        try:
            book(fill)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(book_in_thread, fills))
    assert sum(selectors.held_quantities(world.account_id).values()) == 78
    assert selectors.account_summary(world.account_id).cash == CAPITAL - 7812
    assert selectors.trial_balance().is_balanced
