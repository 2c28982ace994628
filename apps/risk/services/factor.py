"""The account's risk factor."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.core.errors import InvalidInput
from apps.events.services import record_event
from apps.risk.contracts import LimitChanged, RiskFactor, RiskFactorChanged
from apps.risk.domain.factor import FactorRule, Measure, factor_of
from apps.risk.domain.numbers import is_usable, show
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
    factor = factor_of(_rules(), confidence=confidence, drawdown=drawdown, volatility_ratio=volatility_ratio)
    reasons = list(factor.reasons)
    state, _ = RiskFactorState.objects.select_for_update().get_or_create(account_id=account_id, defaults={"changed_at": at})
    if state.value == factor.value and state.reasons == reasons:
        return factor
    state.value, state.reasons, state.changed_at = factor.value, reasons, at
    state.save()
    record_event(
        RiskFactorChanged(account_id=account_id, risk_factor=factor.value, reasons=reasons, at=at),
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


@transaction.atomic
def change_factor_rule(
    *, measure: Measure, threshold: Decimal, multiplier: Decimal, reason: str, is_enabled: bool, actor: str, now: datetime
) -> None:
    """Set the rule of a measure; a multiplier outside 0..1 or a threshold that is no number raises. The change goes on the log."""
    if not is_usable(threshold) or not is_usable(multiplier) or not 0 <= multiplier <= 1:
        raise InvalidInput(
            f"The rule for {measure} cannot be {threshold} -> x{multiplier}.", where="multiplier", hint="Give a multiplier from 0 to 1."
        )
    _rules()
    row = RiskFactorRule.objects.select_for_update().get(measure=measure)
    old = f"{show(row.threshold)} -> x{show(row.multiplier)} ({row.reason})"
    row.threshold, row.multiplier, row.reason, row.is_enabled = threshold, multiplier, reason, is_enabled
    row.save()
    new = f"{show(threshold)} -> x{show(multiplier)} ({reason})"
    record_event(
        LimitChanged(code=f"FACTOR_{measure.upper()}", scope="risk factor", old_value=old, new_value=new, enabled=is_enabled),
        occurred_at=now,
        actor=actor,
        subject=str(row.id),
    )
