"""What the simulated venue charges an account, and by whose rules it fills: now, and as it has been."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.core.errors import NotFound
from apps.events import selectors as events
from apps.orders.adapters.simulated.mapping import venue_terms
from apps.orders.contracts import VenueTermsChanged
from apps.orders.domain.profiles import EngineProfile
from apps.orders.domain.venue_profiles import VenueTerms, terms_from_stored
from apps.orders.models import SimulatedAccount


def simulated_profile(account_id: UUID) -> EngineProfile:
    """The rules and costs in force; raises NotFound for an account that is not simulated."""
    return venue_terms(_row(account_id)).engine_profile


def leverage_of(account_id: UUID) -> Decimal:
    """Exposure that one unit of the account's equity may carry; 1 at a venue that is not simulated, whose own rules are not known."""
    found: Decimal | None = SimulatedAccount.objects.filter(pk=account_id).values_list("leverage", flat=True).first()
    return Decimal(1) if found is None else found


def profiles_over_time(account_id: UUID) -> list[tuple[datetime, EngineProfile]]:
    """The rules and costs as they have been: each for bars that close after its time of the venue, the first since ever, oldest first.

    Worked out backwards from those of now by the changes on the log. Raises NotFound for an account that is not simulated.
    """
    row = _row(account_id)
    standing: dict[str, Any] = {item.name: getattr(row, item.name) for item in fields(VenueTerms)}
    spells: list[tuple[datetime, EngineProfile]] = []
    for item in reversed(events.events_for_subject(str(account_id))):
        if item.event_type == VenueTermsChanged.event_type and item.payload.get("before"):
            spells.append((item.occurred_at, terms_from_stored(standing).engine_profile))
            standing |= item.payload["before"]
    spells.append((datetime.min.replace(tzinfo=UTC), terms_from_stored(standing).engine_profile))
    return spells[::-1]


def _row(account_id: UUID) -> SimulatedAccount:
    row = SimulatedAccount.objects.filter(pk=account_id).first()
    if row is None:
        raise NotFound(f"The simulated venue has no account {account_id}.", where="account_id")
    return row
