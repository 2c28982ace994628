"""The trial balance names whatever differs from the journal."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.core.ports import port
from apps.core.vocabulary import Side
from apps.orders.models import Fill
from apps.orders.ports import FillSink
from apps.portfolio import selectors
from apps.portfolio.models import CashBalance, Position
from tests.factories.trading_world import World, open_world
from tests.integration.portfolio.fills import make_fill


@pytest.fixture
def world(db: None) -> World:
    world = open_world()
    for fill in (make_fill(world, Side.BUY, "10", "100"), make_fill(world, Side.SELL, "4", "110")):
        port(FillSink).book_fill(fill)
    return world


def test_books_that_agree(world: World) -> None:
    output = StringIO()
    call_command("trial_balance", stdout=output)
    balance = selectors.trial_balance()
    assert balance.is_balanced
    assert (balance.entries, balance.fills) == (2, 2)
    totals: dict[str, Decimal] = {}
    for row in balance.rows:
        totals[row.asset] = totals.get(row.asset, Decimal(0)) + row.total
    assert totals == {"USD": 0, "SYM0": 0}
    assert "The books agree" in output.getvalue()


def _difference() -> str:
    with pytest.raises(CommandError) as raised:
        call_command("trial_balance", stdout=StringIO())
    return str(raised.value)


def test_a_changed_position_is_named(world: World) -> None:
    Position.objects.update(quantity=Decimal(7), realised_pnl=Decimal(41))
    assert "SYM0: quantity is 7, the journal says 6." in _difference()
    assert "SYM0: cost less realised P&L is 559, the journal says 560." in _difference()


def test_changed_cash_is_named(world: World) -> None:
    CashBalance.objects.update(amount=Decimal(1))
    assert "cash is 1 USD, the journal says 999438." in _difference()


def test_a_fill_that_was_not_booked_is_named(world: World) -> None:
    fill = make_fill(world)
    assert f"fill {fill.id} is not in the journal" in _difference()


def test_a_booked_fill_that_orders_does_not_have_is_named(world: World) -> None:
    lost = Fill.objects.order_by("id").last()
    assert lost is not None
    Fill.objects.filter(id=lost.id).delete()
    assert f"books fill {lost.id}, which orders does not have" in _difference()


def test_a_journal_line_changed_behind_the_triggers_is_named(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE portfolio_journalline DISABLE TRIGGER USER")
        cursor.execute("UPDATE portfolio_journalline SET amount = amount - 5 WHERE ledger_account = 'CAPITAL'")
        cursor.execute("ALTER TABLE portfolio_journalline ENABLE TRIGGER USER")
    message = _difference()
    assert "USD lines sum to -5, not to zero" in message
    assert "the journal's capital is 1000005, the account's 1000000" in message
