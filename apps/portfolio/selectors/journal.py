"""The journal, entry by entry."""

from __future__ import annotations

from uuid import UUID

from apps.portfolio.contracts import EntryKind, EntryView, LedgerAccount, Line
from apps.portfolio.models import JournalEntry


def entry_for_fill(fill_id: UUID) -> EntryView | None:
    """The booking of a fill; None if it is not booked."""
    row = JournalEntry.objects.prefetch_related("lines").filter(kind=EntryKind.FILL, reference=str(fill_id)).first()
    return _view(row) if row else None


def entries(account_id: UUID, *, before: UUID | None = None, limit: int = 50) -> list[EntryView]:
    """The newest bookings of an account; `before` is the id of the last one already seen."""
    rows = JournalEntry.objects.prefetch_related("lines").filter(account_id=account_id, **({"id__lt": before} if before else {}))
    return [_view(row) for row in rows.order_by("-id")[:limit]]


def _view(row: JournalEntry) -> EntryView:
    return EntryView(
        id=row.id,
        account_id=row.account_id,
        kind=EntryKind(row.kind),
        reference=row.reference,
        instrument_id=row.instrument_id,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        lines=tuple(Line(LedgerAccount(line.ledger_account), line.asset, line.amount) for line in row.lines.all()),
    )
