"""The venue's side of an account."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.core.errors import NotFound
from apps.events.services import record_event
from apps.markets.selectors import venue
from apps.orders.contracts import CostsChanged, VenueTermsChanged
from apps.orders.domain.venue_profiles import VenueTerms
from apps.orders.models import FillCursor, SimulatedAccount

DEFAULT_FEE_BPS = Decimal(5)
DEFAULT_SPREAD_BPS = Decimal(2)
DEFAULT_SLIPPAGE_BPS = Decimal(1)


@transaction.atomic
def open_simulated_account(
    *,
    account_id: UUID,
    venue_id: UUID,
    matched_through: datetime,
    fee_bps: Decimal = DEFAULT_FEE_BPS,
    spread_bps: Decimal = DEFAULT_SPREAD_BPS,
    slippage_bps: Decimal = DEFAULT_SLIPPAGE_BPS,
) -> None:
    """Open the account at the simulated venue; bars that closed at or before `matched_through` are behind it. Opening twice raises.

    Costs are basis points with at most two decimals; others raise InvalidInput.
    """
    VenueTerms(fee_bps=fee_bps, spread_bps=spread_bps, slippage_bps=slippage_bps).check()
    SimulatedAccount.objects.create(
        account_id=account_id,
        venue_id=venue_id,
        matched_through=matched_through,
        fee_bps=fee_bps,
        spread_bps=spread_bps,
        slippage_bps=slippage_bps,
    )
    FillCursor.objects.create(account_id=account_id)


def open_broker_account(*, account_id: UUID, matched_through: datetime) -> None:
    """Follow an account at a venue that matches by itself; bars that closed at or before `matched_through` are behind it."""
    FillCursor.objects.create(account_id=account_id, matched_through=matched_through)


@transaction.atomic
def change_venue_terms(*, account_id: UUID, terms: VenueTerms, actor: str) -> None:
    """Set by whose rules the simulated venue fills and what it charges, from the next bar on.

    Raises InvalidInput naming the field where a number is off its grid, NotFound without such an account.
    """
    terms.check()
    account = _locked(account_id)
    changes = [
        f"{name.replace('_', ' ')} {value}" for name, value in terms.stored.items() if _stored(getattr(account, name)) != _stored(value)
    ]
    if not changes:
        return
    before = {name: _plain(getattr(account, name)) for name in terms.stored}
    for name, value in terms.stored.items():
        setattr(account, name, value)
    account.save(update_fields=list(terms.stored))
    record_event(
        VenueTermsChanged(account_id=account_id, changes=", ".join(changes), before=before),
        occurred_at=venue(account.venue_id).now_at,
        actor=actor,
        subject=str(account_id),
    )
    record_event(
        CostsChanged(account_id=account_id, fee_bps=terms.fee_bps, spread_bps=terms.spread_bps, slippage_bps=terms.slippage_bps),
        occurred_at=venue(account.venue_id).now_at,
        actor=actor,
        subject=str(account_id),
    )


def _plain(value: object) -> object:
    """As JSON has it."""
    return value if value is None or isinstance(value, bool | int | list) else str(value)


def _stored(value: object) -> object:
    return str(value) if isinstance(value, str) else value


def _locked(account_id: UUID) -> SimulatedAccount:
    account = SimulatedAccount.objects.select_for_update().filter(pk=account_id).first()
    if account is None:
        raise NotFound(f"The simulated venue has no account {account_id}.", where="account_id")
    return account
