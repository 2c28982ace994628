"""What PostgreSQL itself refuses, whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core.ids import uuid7
from apps.core.ports import port
from apps.orders.ports import FillSink
from apps.portfolio.contracts import EntryKind, LedgerAccount
from apps.portfolio.models import JournalEntry, JournalLine
from tests.factories.trading_world import World, open_world
from tests.integration.portfolio.fills import make_fill

TABLES = ("portfolio_journalentry", "portfolio_journalline")


@pytest.fixture
def world(db: None) -> World:
    world = open_world()
    port(FillSink).book_fill(make_fill(world))
    return world


def _execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE portfolio_journalline SET amount = amount + 1",
        "UPDATE portfolio_journalentry SET reference = 'another'",
        "DELETE FROM portfolio_journalline",
        "DELETE FROM portfolio_journalentry",
    ],
)
def test_what_is_booked_is_neither_changed_nor_deleted(world: World, statement: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        _execute(statement)


@pytest.mark.parametrize("table", TABLES)
def test_the_journal_is_not_emptied(world: World, table: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {table} CASCADE")


def _entry(world: World) -> JournalEntry:
    return JournalEntry.objects.create(
        account_id=world.account_id, kind=EntryKind.DEPOSIT, reference=str(uuid7()), occurred_at=datetime(2015, 1, 6, tzinfo=UTC)
    )


def _check_at_commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_an_entry_that_does_not_balance_cannot_be_committed(world: World) -> None:
    with pytest.raises(IntegrityError, match="USD lines sum to 1"), transaction.atomic():
        JournalLine.objects.create(entry=_entry(world), ledger_account=LedgerAccount.CASH, asset="USD", amount=Decimal(1))
        _check_at_commit()


def test_assets_do_not_balance_each_other(world: World) -> None:
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        entry = _entry(world)
        JournalLine.objects.create(entry=entry, ledger_account=LedgerAccount.CASH, asset="USD", amount=Decimal(1))
        JournalLine.objects.create(entry=entry, ledger_account=LedgerAccount.CAPITAL, asset="EUR", amount=Decimal(-1))
        _check_at_commit()


def test_an_entry_without_lines_cannot_be_committed(world: World) -> None:
    with pytest.raises(IntegrityError, match="has no lines"), transaction.atomic():
        _entry(world)
        _check_at_commit()


def test_a_line_added_later_must_keep_the_balance(world: World) -> None:
    entry = JournalEntry.objects.filter(kind=EntryKind.FILL).get()
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        JournalLine.objects.create(entry=entry, ledger_account=LedgerAccount.CASH, asset="USD", amount=Decimal("0.0000000001"))
        _check_at_commit()


@pytest.mark.django_db(transaction=True)
def test_the_balance_is_enforced_by_a_plain_commit() -> None:
    world = open_world()
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        JournalLine.objects.create(entry=_entry(world), ledger_account=LedgerAccount.CASH, asset="USD", amount=Decimal(1))
    assert JournalEntry.objects.count() == 1
