"""What the apps below need of the books: exposure for risk, accounts and the fill sink for orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.vocabulary import TradingMode
from apps.orders.contracts import FillRecord
from apps.orders.ports import AccountRef
from apps.portfolio import selectors
from apps.portfolio.models import Account
from apps.portfolio.selectors.accounts import account_row
from apps.portfolio.services.booking import book_fill
from apps.portfolio.services.valuation import mark_to_market
from apps.risk.ports import AccountExposure


class LedgerPortfolioView:
    """The books as risk sees them (its port PortfolioView)."""

    def exposure(self, account_id: UUID, instrument_id: UUID) -> AccountExposure:
        return selectors.exposure(account_id, instrument_id)

    def open_account_ids(self) -> list[UUID]:
        return list(Account.objects.filter(closed_at=None).order_by("id").values_list("id", flat=True))

    def open_positions(self, account_id: UUID) -> int:
        return len(selectors.held_quantities(account_id))


class LedgerFillSink:
    """Where orders books its fills (its port FillSink)."""

    def book_fill(self, fill: FillRecord) -> None:
        book_fill(fill)

    def mark_to_market(self, account_id: UUID, *, at: datetime) -> None:
        mark_to_market(account_id, at=at)


class LedgerAccountDirectory:
    """Which accounts there are (orders' port AccountDirectory)."""

    def open_accounts(self) -> Sequence[AccountRef]:
        return [_reference(row) for row in Account.objects.filter(closed_at=None).order_by("id")]

    def account(self, account_id: UUID) -> AccountRef:
        return _reference(account_row(account_id))

    def position(self, account_id: UUID, instrument_id: UUID) -> Decimal:
        return selectors.held_quantities(account_id).get(instrument_id, Decimal(0))

    def positions(self, account_id: UUID) -> dict[UUID, Decimal]:
        return selectors.held_quantities(account_id)


def _reference(row: Account) -> AccountRef:
    return AccountRef(
        id=row.id,
        name=row.name,
        venue_id=row.venue_id,
        broker=row.broker,
        mode=TradingMode(row.mode),
        currency=row.currency,
        cash_scale=row.cash_scale,
        initial_capital=row.initial_capital,
        is_open=row.closed_at is None,
    )
