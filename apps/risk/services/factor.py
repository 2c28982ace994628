"""The account's risk factor."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.events.services import record_event
from apps.risk.contracts import RiskFactor, RiskFactorChanged
from apps.risk.domain.factor import FactorRule, Measure, risk_factor
from apps.risk.models import RiskFactorRule, RiskFactorState
from apps.risk.services.limits import seed_default_limits


@transaction.atomic
def current_factor(
    *, account_id: UUID, confidence: float | None, drawdown: Decimal, volatility_ratio: float | None, at: datetime
) -> RiskFactor:
    """The factor for these measures by the rules in force; stored as the account's state, and on the log when it changed.

    `confidence` is the forecast's (None: there is none), `drawdown` a fraction of the peak, `volatility_ratio` volatility over its average.
    A measure that is missing or not a number counts as beyond its threshold.
    """
    values = {
        Measure.CONFIDENCE: _decimal(confidence),
        Measure.DRAWDOWN: drawdown,
        Measure.VOLATILITY_RATIO: _decimal(volatility_ratio),
    }
    factor = risk_factor(_rules(), values)
    state, created = RiskFactorState.objects.select_for_update().get_or_create(
        account_id=account_id, defaults={"value": factor.value, "reasons": list(factor.reasons), "changed_at": at}
    )
    if not created and state.value == factor.value and state.reasons == list(factor.reasons):
        return factor
    state.value, state.reasons, state.changed_at = factor.value, list(factor.reasons), at
    state.save()
    record_event(
        RiskFactorChanged(account_id=account_id, risk_factor=factor.value, reasons=list(factor.reasons), at=at),
        occurred_at=at,
        subject=str(account_id),
    )
    return factor


def _rules() -> list[FactorRule]:
    rows = list(RiskFactorRule.objects.all())
    if not rows:
        seed_default_limits()
        rows = list(RiskFactorRule.objects.all())
    return [FactorRule(Measure(row.measure), row.threshold, row.multiplier, row.reason) for row in rows if row.is_enabled]


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(float(value)))
