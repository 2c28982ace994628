"""Following an account's margin from close to close: a call is told when it begins and when it is over."""

from __future__ import annotations

from datetime import datetime

from apps.events.contracts import AlertLevel
from apps.events.services import raise_alert, record_event
from apps.orders.domain.margin_calls import is_called, required_of
from apps.portfolio.contracts import MarginCallCleared, MarginCalled
from apps.portfolio.domain.valuation import Valuation
from apps.portfolio.models import Account, MarginCall
from apps.portfolio.selectors.margin import call_level
from apps.risk.domain.numbers import show


def follow_margin(account: Account, worth: Valuation, *, at: datetime) -> None:
    """Begin or end a margin call at this close, in the caller's transaction, which holds the lock on the account's books."""
    if not account.is_margin_called and worth.equity >= worth.gross_exposure:
        return
    level = call_level(account.id)
    called = is_called(worth.equity, worth.gross_exposure, level)
    if called == account.is_margin_called:
        return
    account.is_margin_called = called
    account.save(update_fields=["is_margin_called"])
    if called:
        _begin(account, worth, level, at)
    else:
        _end(account, worth, at)


def _begin(account: Account, worth: Valuation, level: int, at: datetime) -> None:
    required = required_of(worth.gross_exposure, level)
    MarginCall.objects.create(account=account, called_at=at, equity=worth.equity, exposure=worth.gross_exposure, required=required)
    missing = required - worth.equity
    called = MarginCalled(
        account_id=account.id,
        account=account.name,
        at=at,
        equity=worth.equity,
        exposure=worth.gross_exposure,
        required=required,
        missing=missing,
    )
    record_event(called, occurred_at=at, subject=str(account.id))
    raise_alert(
        AlertLevel.CRITICAL,
        f"Margin call for {account.name}",
        f"Equity {show(worth.equity)} {account.currency} is below the {show(required)} that its positions ask for; {show(missing)} is missing."
        " Below the maintenance margin the venue closes positions.",
        occurred_at=at,
        actor="margin",
        subject=str(account.id),
    )


def _end(account: Account, worth: Valuation, at: datetime) -> None:
    standing = MarginCall.objects.get(account=account, cleared_at=None)
    standing.cleared_at, standing.is_flat = at, not worth.gross_exposure
    standing.save(update_fields=["cleared_at", "is_flat"])
    cleared = MarginCallCleared(
        account_id=account.id, account=account.name, at=at, called_at=standing.called_at, equity=worth.equity, is_flat=standing.is_flat
    )
    record_event(cleared, occurred_at=at, subject=str(account.id))
