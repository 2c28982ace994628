"""The trial balance: the journal against itself, and everything kept beside the journal against the journal."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from apps.orders import selectors as orders
from apps.portfolio.contracts import EntryKind, LedgerAccount, TrialBalance, TrialBalanceRow
from apps.portfolio.models import Account, CashBalance, JournalEntry, JournalLine, Position

PAGE = 1_000
ZERO = Decimal(0)


def trial_balance() -> TrialBalance:
    """Every account: sums per column and asset, and in words each way in which cash, positions or fills differ from the journal."""
    rows: list[TrialBalanceRow] = []
    differences = [*_unbalanced_entries()]
    entries = fills = 0
    for account in Account.objects.order_by("id"):
        columns = _columns(account)
        rows += columns
        differences += [*_column_differences(account, columns), *_cash_differences(account, columns), *_position_differences(account)]
        booked, traded = _booked_fills(account.id), _fill_ids(account.id)
        differences += _fill_differences(account, booked, traded)
        entries += len(booked)
        fills += len(traded)
    return TrialBalance(rows=tuple(rows), differences=tuple(differences), entries=entries, fills=fills)


def _unbalanced_entries() -> Iterable[str]:
    wrong = JournalLine.objects.values("entry_id", "asset").annotate(total=Sum("amount")).exclude(total=0)
    for row in wrong[:PAGE]:
        yield f"Entry {row['entry_id']}: its {row['asset']} lines sum to {_plain(row['total'])}, not to zero."


def _columns(account: Account) -> list[TrialBalanceRow]:
    totals = (
        JournalLine.objects.filter(entry__account=account)
        .values("ledger_account", "asset")
        .annotate(total=Sum("amount"))
        .order_by("asset", "ledger_account")
    )
    return [TrialBalanceRow(account.id, account.name, LedgerAccount(row["ledger_account"]), row["asset"], row["total"]) for row in totals]


def _column_differences(account: Account, columns: list[TrialBalanceRow]) -> Iterable[str]:
    totals: dict[str, Decimal] = {}
    for row in columns:
        totals[row.asset] = totals.get(row.asset, ZERO) + row.total
    for asset, total in totals.items():
        if total:
            yield f"{account.name}: the journal's {asset} columns sum to {_plain(total)}, not to zero."
    capital = sum((row.total for row in columns if row.ledger_account is LedgerAccount.CAPITAL), ZERO)
    if -capital != account.initial_capital:
        yield f"{account.name}: the journal's capital is {_plain(-capital)}, the account's {_plain(account.initial_capital)}."


def _cash_differences(account: Account, columns: list[TrialBalanceRow]) -> Iterable[str]:
    booked = {row.asset: row.total for row in columns if row.ledger_account is LedgerAccount.CASH}
    kept = dict(CashBalance.objects.filter(account=account).values_list("asset", "amount"))
    for asset in sorted(booked.keys() | kept.keys()):
        if booked.get(asset, ZERO) != kept.get(asset, ZERO):
            yield f"{account.name}: cash is {_plain(kept.get(asset))} {asset}, the journal says {_plain(booked.get(asset))}."


def _position_differences(account: Account) -> Iterable[str]:
    """Quantity is the journal's holdings; fees its fees; cost less realised P&L what the market was paid."""
    rows = Position.objects.filter(account=account).select_related("instrument")
    positions = {row.instrument_id: row for row in rows}
    journal = _journal_by_instrument(account)
    for instrument_id in sorted(positions.keys() | journal.keys()):
        position, totals = positions.get(instrument_id), journal.get(instrument_id, {})
        if position is None:
            yield f"{account.name}: the journal holds instrument {instrument_id}, of which there is no position."
            continue
        base, quote = position.instrument.base_asset, position.instrument.quote_asset
        kept = {
            "quantity": (position.quantity, totals.get((LedgerAccount.HOLDINGS, base), ZERO)),
            "fees": (position.fees, totals.get((LedgerAccount.FEES, quote), ZERO)),
            "cost less realised P&L": (position.cost_basis - position.realised_pnl, totals.get((LedgerAccount.MARKET, quote), ZERO)),
        }
        for name, (value, booked) in kept.items():
            if value != booked:
                yield f"{account.name}, {position.instrument.symbol}: {name} is {_plain(value)}, the journal says {_plain(booked)}."


def _journal_by_instrument(account: Account) -> dict[UUID, dict[tuple[str, str], Decimal]]:
    totals = (
        JournalLine.objects.filter(entry__account=account, entry__instrument__isnull=False)
        .values("entry__instrument_id", "ledger_account", "asset")
        .annotate(total=Sum("amount"))
    )
    found: dict[UUID, dict[tuple[str, str], Decimal]] = {}
    for row in totals:
        found.setdefault(row["entry__instrument_id"], {})[row["ledger_account"], row["asset"]] = row["total"]
    return found


def _booked_fills(account_id: UUID) -> set[str]:
    return set(JournalEntry.objects.filter(account_id=account_id, kind=EntryKind.FILL).values_list("reference", flat=True))


def _fill_ids(account_id: UUID) -> set[str]:
    found: set[str] = set()
    before: UUID | None = None
    while page := orders.fills(account_id=account_id, before=before, limit=PAGE):
        found.update(str(fill.id) for fill in page)
        before = page[-1].id
    return found


def _fill_differences(account: Account, booked: set[str], traded: set[str]) -> Iterable[str]:
    for fill_id in sorted(traded - booked):
        yield f"{account.name}: fill {fill_id} is not in the journal."
    for fill_id in sorted(booked - traded):
        yield f"{account.name}: the journal books fill {fill_id}, which orders does not have."


def _plain(value: Decimal | None) -> str:
    return f"{(value or ZERO).normalize():f}"
