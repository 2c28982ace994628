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
from apps.risk.contracts import LimitChanged, LimitCode
from apps.risk.domain.factor import DEFAULT_RULES
from apps.risk.domain.numbers import is_usable, show
from apps.risk.models import RiskFactorRule, RiskLimit


@transaction.atomic
def change_limit(
    *,
    code: LimitCode,
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
    before = RiskLimit.objects.count()
    RiskLimit.objects.bulk_create(
        [
            RiskLimit(code=code, mode=mode, value=value, note="Default; seeded from the settings.")
            for mode, values in ((TradingMode.PAPER, _paper_defaults()), (TradingMode.LIVE, _live_defaults()))
            for code, value in values.items()
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


def _paper_defaults() -> dict[LimitCode, Decimal]:
    """Wide enough that several strategies can trade the initial capital, and narrow enough to stop nonsense."""
    capital: Decimal = settings.INITIAL_CAPITAL
    return {
        LimitCode.MAX_ORDER_NOTIONAL: capital * Decimal("0.25"),
        LimitCode.MAX_POSITION_NOTIONAL: capital * Decimal("0.4"),
        LimitCode.MAX_GROSS_EXPOSURE: Decimal(1),
        LimitCode.MAX_OPEN_ORDERS: Decimal(50),
        LimitCode.MAX_ORDERS_PER_DAY: Decimal(200),
        LimitCode.MAX_DAILY_LOSS: Decimal("0.1"),
        LimitCode.MAX_DRAWDOWN: Decimal("0.5"),
        LimitCode.MIN_CONFIDENCE: Decimal("0.5"),
        LimitCode.PRICE_COLLAR: Decimal("0.3"),
        LimitCode.MAX_DATA_AGE: Decimal(3),
        LimitCode.DUPLICATE_ORDER: Decimal(5),
    }


def _live_defaults() -> dict[LimitCode, Decimal]:
    capital: Decimal = settings.INITIAL_CAPITAL
    return {
        LimitCode.MAX_ORDER_NOTIONAL: capital * Decimal("0.05"),
        LimitCode.MAX_POSITION_NOTIONAL: capital * Decimal("0.1"),
        LimitCode.MAX_GROSS_EXPOSURE: Decimal(1),
        LimitCode.MAX_OPEN_ORDERS: Decimal(20),
        LimitCode.MAX_ORDERS_PER_DAY: Decimal(settings.LIVE_TRADING_MAX_TRADES_PER_DAY),
        LimitCode.MAX_DAILY_LOSS: Decimal("0.03"),
        LimitCode.MAX_DRAWDOWN: settings.LIVE_TRADING_MAX_DRAWDOWN,
        LimitCode.MIN_CONFIDENCE: settings.LIVE_TRADING_MIN_SIGNAL_CONFIDENCE,
        LimitCode.PRICE_COLLAR: Decimal("0.1"),
        LimitCode.MAX_DATA_AGE: Decimal(1),
        LimitCode.DUPLICATE_ORDER: Decimal(10),
    }


def _scope(row: RiskLimit) -> str:
    parts = [
        f"mode {row.mode}" if row.mode else "",
        f"account {row.account_id}" if row.account_id else "",
        f"strategy {row.strategy}" if row.strategy else "",
        f"instrument {row.instrument_id}" if row.instrument_id else "",
    ]
    return ", ".join(part for part in parts if part) or "everything"
