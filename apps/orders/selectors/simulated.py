"""What the simulated venue charges an account, and by whose rules it fills."""

from __future__ import annotations

from uuid import UUID

from apps.core.errors import NotFound
from apps.orders.adapters.simulated.mapping import venue_terms
from apps.orders.domain.profiles import EngineProfile
from apps.orders.models import SimulatedAccount


def simulated_profile(account_id: UUID) -> EngineProfile:
    """The rules and costs in force; raises NotFound for an account that is not simulated."""
    row = SimulatedAccount.objects.filter(pk=account_id).first()
    if row is None:
        raise NotFound(f"The simulated venue has no account {account_id}.", where="account_id")
    return venue_terms(row).engine_profile
