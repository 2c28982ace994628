"""What the simulated venue charges an account."""

from __future__ import annotations

from uuid import UUID

from apps.core.errors import NotFound
from apps.orders.domain.costs import Costs
from apps.orders.models import SimulatedAccount


def simulated_costs(account_id: UUID) -> Costs:
    """The costs in force; raises NotFound for an account that is not simulated."""
    row = SimulatedAccount.objects.filter(pk=account_id).first()
    if row is None:
        raise NotFound(f"The simulated venue has no account {account_id}.", where="account_id")
    return Costs.from_bps(fee_bps=row.fee_bps, spread_bps=row.spread_bps, slippage_bps=row.slippage_bps)
