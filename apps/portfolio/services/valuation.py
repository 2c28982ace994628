"""Marking an account to market after a bar."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

from apps.common.locks import Lock, lock_in_transaction
from apps.core.errors import Conflict, NotFound
from apps.events.services import record_event
from apps.markets import selectors as markets
from apps.portfolio.contracts import PerformanceUpdated
from apps.portfolio.domain.valuation import Valuation, drawdown
from apps.portfolio.models import Account, EquitySnapshot, Position
from apps.portfolio.selectors.accounts import valuation as value_at_marks
from apps.portfolio.services.margin import follow_margin

_SAVE_MARKS = """
    UPDATE portfolio_position AS stored SET mark_price = new.mark_price, marked_at = %s
    FROM unnest(%s::bigint[], %s::numeric[]) AS new(id, mark_price)
    WHERE stored.id = new.id
"""
"""One statement for all: the ORM's bulk update takes longer to write its SQL than the database to run it."""


@transaction.atomic
def mark_to_market(account_id: UUID, *, at: datetime) -> None:
    """Value every position at the bars that closed at `at` (where an instrument has none, at its last mark) and store the equity, once.

    The same time again changes nothing; a time before the newest snapshot raises Conflict, for marks only move forward.
    """
    lock_in_transaction(Lock.ACCOUNT_LEDGER, account_id)
    account = Account.objects.filter(id=account_id).first()
    if account is None:
        raise NotFound(f"There is no account {account_id}.", where="account_id")
    newest = EquitySnapshot.objects.filter(account=account).order_by("-at").first()
    if newest is not None and newest.at >= at:
        _refuse_gap(account, at)
        return
    _move_marks(account, at)
    valuation = value_at_marks(account)
    peak = max(newest.peak_equity if newest else account.initial_capital, valuation.equity)
    store_snapshot(account, at=at, valuation=valuation, peak=peak)
    follow_margin(account, valuation, at=at)
    record_event(
        PerformanceUpdated(
            account_id=account.id,
            at=at,
            equity=valuation.equity,
            cash=valuation.cash,
            realised_pnl=valuation.realised_pnl,
            unrealised_pnl=valuation.unrealised_pnl,
            drawdown=drawdown(peak=peak, equity=valuation.equity),
        ),
        occurred_at=at,
        subject=str(account.id),
    )


def _refuse_gap(account: Account, at: datetime) -> None:
    if not EquitySnapshot.objects.filter(account=account, at=at).exists():
        raise Conflict(f"{account.name} has been valued at a later time than {at}.", where="at", hint="Mark bars in their order.")


def _move_marks(account: Account, at: datetime) -> None:
    held = list(Position.objects.filter(account=account).exclude(quantity=0))
    if not held:
        return
    bars = markets.bars_closed_at(account.venue_id, at)
    for position in held:
        bar = bars.get(position.instrument_id)
        if bar is not None:
            position.mark_price = markets.instrument_spec(position.instrument_id).price(bar.close)
            position.marked_at = at
    moved = [(position.id, position.mark_price) for position in held if position.marked_at == at]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_MARKS, [at, [key for key, _ in moved], [price for _, price in moved]])


def store_snapshot(account: Account, *, at: datetime, valuation: Valuation, peak: Decimal) -> None:
    """Store the account's equity at `at`."""
    EquitySnapshot.objects.create(
        account=account,
        at=at,
        cash=valuation.cash,
        holdings_value=valuation.holdings_value,
        equity=valuation.equity,
        realised_pnl=valuation.realised_pnl,
        unrealised_pnl=valuation.unrealised_pnl,
        fees=valuation.fees,
        gross_exposure=valuation.gross_exposure,
        peak_equity=peak,
    )
