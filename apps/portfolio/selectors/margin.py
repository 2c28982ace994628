"""Margin calls of an account, and where its margin stands."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.errors import NotFound
from apps.orders.domain.engine_codes import PPM
from apps.orders.domain.margin_calls import call_ppm
from apps.orders.selectors.simulated import simulated_profile
from apps.portfolio.contracts import MarginCallView, MarginState
from apps.portfolio.models import MarginCall
from apps.portfolio.selectors.accounts import account_row, valuation


def call_level(account_id: UUID) -> int:
    """The level of a margin call in millionths of the exposure; 0 where nothing can be borrowed, or at a venue with rules of its own."""
    try:
        return call_ppm(simulated_profile(account_id))
    except NotFound:
        return 0


def margin_calls(account_id: UUID, *, limit: int = 20) -> list[MarginCallView]:
    """Newest first."""
    return [_view(row) for row in MarginCall.objects.filter(account_id=account_id)[:limit]]


def margin_call_at(account_id: UUID, at: datetime) -> MarginCallView | None:
    """The call that began at this close."""
    row = MarginCall.objects.filter(account_id=account_id, called_at=at).first()
    return _view(row) if row else None


def margin_state(account_id: UUID) -> MarginState | None:
    """Where the margin stands; None for an account that holds nothing, cannot borrow, or is at a venue with rules of its own. Raises NotFound."""
    row, level = account_row(account_id), call_level(account_id)
    worth = valuation(row)
    if not level or not worth.gross_exposure:
        return None
    profile = simulated_profile(account_id)
    standing = MarginCall.objects.filter(account_id=account_id, cleared_at=None).first() if row.is_margin_called else None
    return MarginState(
        equity=worth.equity,
        exposure=worth.gross_exposure,
        called_below=worth.gross_exposure * level / PPM,
        closed_below=worth.gross_exposure * min(profile.maintenance, Decimal(1) / profile.leverage),
        standing=_view(standing) if standing else None,
    )


def _view(row: MarginCall) -> MarginCallView:
    return MarginCallView(row.id, row.called_at, row.equity, row.exposure, row.required, row.cleared_at, row.is_flat)
