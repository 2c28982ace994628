"""Opening and closing accounts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.common.fields import DECIMAL_PLACES
from apps.common.locks import Lock, lock_in_transaction
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.rounding import require_finite
from apps.core.values import decimal_unit, to_units
from apps.core.vocabulary import TradingMode
from apps.events.services import record_event
from apps.orders.services import open_broker_account, open_simulated_account
from apps.portfolio.contracts import AccountClosed, AccountOpened, EntryKind
from apps.portfolio.domain.journal import deposit_lines
from apps.portfolio.models import Account
from apps.portfolio.selectors.accounts import valuation
from apps.portfolio.services.journal import post_entry
from apps.portfolio.services.valuation import store_snapshot

OPENING = "opening"
SIMULATED = "simulated"


@transaction.atomic
def open_account(
    *,
    name: str,
    venue_id: UUID,
    initial_capital: Decimal,
    opened_at: datetime,
    currency: str = "USD",
    cash_scale: int = 8,
    mode: TradingMode = TradingMode.PAPER,
    broker: str = SIMULATED,
    make_default: bool = False,
) -> UUID:
    """Open an account with its opening balance booked, its place at the venue, and its first equity. Returns its id."""
    _check_capital(initial_capital, currency, cash_scale)
    if make_default:
        Account.objects.filter(is_default=True).update(is_default=False)
    account = Account.objects.create(
        name=name,
        venue_id=venue_id,
        broker=broker,
        mode=mode,
        currency=currency,
        cash_scale=cash_scale,
        initial_capital=initial_capital,
        is_default=make_default,
        opened_at=opened_at,
    )
    lock_in_transaction(Lock.ACCOUNT_LEDGER, account.id)
    _book_opening(account)
    if broker == SIMULATED:
        open_simulated_account(account_id=account.id, venue_id=venue_id, matched_through=opened_at)
    else:
        open_broker_account(account_id=account.id, matched_through=opened_at)
    record_event(
        AccountOpened(
            account_id=account.id,
            name=name,
            venue_id=venue_id,
            currency=currency,
            initial_capital=initial_capital,
            mode=str(mode),
        ),
        occurred_at=opened_at,
        subject=str(account.id),
    )
    return account.id


def _check_capital(initial_capital: Decimal, currency: str, cash_scale: int) -> None:
    if require_finite(initial_capital, name="initial_capital") <= 0:
        raise InvalidInput(f"The initial capital must be positive, got {initial_capital}.", where="initial_capital")
    if cash_scale > DECIMAL_PLACES:
        raise InvalidInput(
            f"The books keep {DECIMAL_PLACES} decimal places and {currency} at this venue needs {cash_scale}.",
            where="cash_scale",
            hint="Choose an instrument with a coarser price step or lot.",
        )
    to_units(initial_capital, decimal_unit(cash_scale), name="initial_capital")


def _book_opening(account: Account) -> None:
    post_entry(
        account_id=account.id,
        kind=EntryKind.DEPOSIT,
        reference=OPENING,
        lines=deposit_lines(amount=account.initial_capital, asset=account.currency),
        occurred_at=account.opened_at,
    )
    store_snapshot(account, at=account.opened_at, valuation=valuation(account), peak=account.initial_capital)


@transaction.atomic
def close_account(account_id: UUID, *, closed_at: datetime) -> None:
    """Close the account: it stays readable, nothing is traded in it any more, and it is no longer the default."""
    lock_in_transaction(Lock.ACCOUNT_LEDGER, account_id)
    account = Account.objects.select_for_update().filter(id=account_id).first()
    if account is None:
        raise NotFound(f"There is no account {account_id}.", where="account_id")
    if account.closed_at is not None:
        raise Conflict(f"{account.name} was closed at {account.closed_at}.", where="account_id")
    account.closed_at, account.is_default = closed_at, False
    account.save(update_fields=["closed_at", "is_default"])
    record_event(
        AccountClosed(account_id=account.id, name=account.name, equity=valuation(account).equity),
        occurred_at=closed_at,
        subject=str(account.id),
    )
