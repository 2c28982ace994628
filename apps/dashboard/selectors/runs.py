"""The markets that were or are traded."""

from __future__ import annotations

from decimal import Decimal

from apps.dashboard.selectors.frame import account_at
from apps.dashboard.selectors.shapes import RunRow
from apps.markets import selectors as markets
from apps.markets.contracts import VenueKind, VenueView
from apps.portfolio import selectors as portfolio


def runs() -> list[RunRow]:
    """Every market that was or is traded, newest first, with its end equity."""
    present = markets.active_venue()
    return [
        _run(item, is_present=present is not None and item.id == present.id)
        for item in markets.venues()
        if item.kind is not VenueKind.LIBRARY
    ]


def _run(venue: VenueView, *, is_present: bool) -> RunRow:
    account = account_at(venue.id)
    equity = portfolio.account_summary(account.id).equity if account else None
    total = equity / account.initial_capital - Decimal(1) if account and equity is not None and account.initial_capital else None
    return RunRow(venue=venue, is_present=is_present, equity=equity, total_return=total)
