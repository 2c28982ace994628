"""What the simulated venue charges an account, and by whose rules it fills."""

from __future__ import annotations

from dataclasses import fields
from uuid import UUID

from apps.core.errors import NotFound
from apps.orders.domain.profiles import EngineProfile
from apps.orders.domain.venue_profiles import VenueTerms, tiers_of
from apps.orders.domain.vocabulary import SlippageChoice, VenueProfile
from apps.orders.models import SimulatedAccount


def simulated_profile(account_id: UUID) -> EngineProfile:
    """The rules and costs in force; raises NotFound for an account that is not simulated."""
    row = SimulatedAccount.objects.filter(pk=account_id).first()
    if row is None:
        raise NotFound(f"The simulated venue has no account {account_id}.", where="account_id")
    values = {item.name: getattr(row, item.name) for item in fields(VenueTerms)}
    choices = {
        "profile": VenueProfile(row.profile),
        "slippage_model": SlippageChoice(row.slippage_model),
        "fee_tiers": tiers_of(row.fee_tiers),
    }
    return VenueTerms(**values | choices).engine_profile
