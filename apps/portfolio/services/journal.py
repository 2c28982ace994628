"""Storing entries with the cash balances that follow from them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F

from apps.portfolio.contracts import EntryKind, LedgerAccount
from apps.portfolio.domain.journal import Line
from apps.portfolio.models import CashBalance, JournalEntry, JournalLine


def is_booked(*, account_id: UUID, kind: EntryKind, reference: str) -> bool:
    """Whether this cause is in the journal already."""
    return JournalEntry.objects.filter(account_id=account_id, kind=kind, reference=reference).exists()


def post_entry(
    *, account_id: UUID, kind: EntryKind, reference: str, lines: Iterable[Line], occurred_at: datetime, instrument_id: UUID | None = None
) -> UUID:
    """Append an entry with its lines and move the cash balances, under the account's ledger lock. Returns the entry's id."""
    booked = list(lines)
    entry = JournalEntry.objects.create(
        account_id=account_id, kind=kind, reference=reference, instrument_id=instrument_id, occurred_at=occurred_at
    )
    JournalLine.objects.bulk_create(
        [JournalLine(entry=entry, ledger_account=line.ledger_account, asset=line.asset, amount=line.amount) for line in booked]
    )
    moved: dict[str, Decimal] = {}
    for line in booked:
        if line.ledger_account is LedgerAccount.CASH:
            moved[line.asset] = moved.get(line.asset, Decimal(0)) + line.amount
    for asset, amount in moved.items():
        _move_cash(account_id, asset, amount)
    return entry.id


def _move_cash(account_id: UUID, asset: str, amount: Decimal) -> None:
    if not CashBalance.objects.filter(account_id=account_id, asset=asset).update(amount=F("amount") + amount):
        CashBalance.objects.create(account_id=account_id, asset=asset, amount=amount)
