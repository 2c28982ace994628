"""Setting limits."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.core.errors import InvalidInput
from apps.core.vocabulary import TradingMode
from apps.events.services import record_event
from apps.risk.contracts import LimitChanged, is_limit, limit_choices
from apps.risk.domain.factor import DEFAULT_RULES
from apps.risk.domain.limits import limit_rules
from apps.risk.domain.numbers import is_usable, show
from apps.risk.domain.rules import Seeds
from apps.risk.models import RiskFactorRule, RiskLimit


@transaction.atomic
def change_limit(
    *,
    code: str,
    value: Decimal,
    actor: str,
    now: datetime,
    is_enabled: bool = True,
    mode: str = "",
    account_id: UUID | None = None,
    strategy: str = "",
    instrument_id: UUID | None = None,
    note: str = "",
) -> UUID:
    """Set the limit of this code and scope, creating it if needed; what changed goes on the log with its actor. Returns the row's id."""
    if not is_limit(code):
        raise InvalidInput(
            f"There is no limit {code!r}.", where="code", hint=f"Use one of {', '.join(name for name, _ in limit_choices())}."
        )
    if not is_usable(value) or value < 0:
        raise InvalidInput(f"The limit {code} cannot be {value}.", where="value", hint="Give a number that is zero or more.")
    scope: dict[str, Any] = {"mode": mode, "account_id": account_id, "strategy": strategy, "instrument_id": instrument_id}
    row = RiskLimit.objects.select_for_update().filter(code=code, **scope).first()
    old_value, was_enabled = (show(row.value), row.is_enabled) if row else ("", False)
    row = row or RiskLimit(code=code, **scope)
    row.value, row.is_enabled, row.note = value, is_enabled, note
    row.save()
    if (old_value, was_enabled) != (show(value), is_enabled):
        record_event(
            LimitChanged(code=str(code), scope=_scope(row), old_value=old_value, new_value=show(value), enabled=is_enabled),
            occurred_at=now,
            actor=actor,
            subject=str(row.id),
        )
    return row.id


def seed_default_limits() -> int:
    """Create the limits and factor rules that are missing, from the settings; what a person has set stays. Returns how many were made."""
    before, seeds = RiskLimit.objects.count(), _seeds()
    RiskLimit.objects.bulk_create(
        [
            RiskLimit(code=rule.code, mode=mode, value=rule.default(mode, seeds), note="Default; seeded from the settings.")
            for mode in TradingMode
            for rule in limit_rules()
        ],
        ignore_conflicts=True,
    )
    if not RiskFactorRule.objects.exists():
        RiskFactorRule.objects.bulk_create(
            [
                RiskFactorRule(measure=rule.measure, threshold=rule.threshold, multiplier=rule.multiplier, reason=rule.reason)
                for rule in DEFAULT_RULES
            ],
            ignore_conflicts=True,
        )
    return RiskLimit.objects.count() - before


def _seeds() -> Seeds:
    return Seeds(
        capital=settings.INITIAL_CAPITAL,
        live_max_drawdown=settings.LIVE_TRADING_MAX_DRAWDOWN,
        live_max_trades_per_day=settings.LIVE_TRADING_MAX_TRADES_PER_DAY,
        live_min_confidence=settings.LIVE_TRADING_MIN_SIGNAL_CONFIDENCE,
    )


def _scope(row: RiskLimit) -> str:
    parts = [
        f"mode {row.mode}" if row.mode else "",
        f"account {row.account_id}" if row.account_id else "",
        f"strategy {row.strategy}" if row.strategy else "",
        f"instrument {row.instrument_id}" if row.instrument_id else "",
    ]
    return ", ".join(part for part in parts if part) or "everything"
