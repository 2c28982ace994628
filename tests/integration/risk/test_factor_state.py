"""The factor of an account is stored, and announced when it changes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.core.errors import InvalidInput
from apps.core.ids import uuid7
from apps.events.models import LoggedEvent
from apps.risk import selectors
from apps.risk.domain.factor import Measure
from apps.risk.models import RiskFactorRule
from apps.risk.services import change_factor_rule, current_factor
from tests.integration.risk.orders import NOW

pytestmark = pytest.mark.django_db


def test_only_changes_are_announced() -> None:
    account_id = uuid7()
    assert selectors.factor(account_id).value == 1
    for confidence in (0.9, 0.9, 0.5, 0.4, None, float("nan"), 0.7):
        current_factor(account_id=account_id, confidence=confidence, drawdown=Decimal(0), volatility_ratio=1.0, at=NOW)
    rows = LoggedEvent.objects.filter(event_type="risk.factor_changed", subject=str(account_id)).order_by("id")
    assert [(row.payload["risk_factor"], row.payload["reasons"]) for row in rows] == [
        ("0.8", ["low_confidence"]),
        ("1", []),
    ]
    assert selectors.factor(account_id).value == 1


def test_rules_can_be_changed_and_switched_off() -> None:
    account_id = uuid7()
    change_factor_rule(
        measure=Measure.CONFIDENCE,
        threshold=Decimal("0.9"),
        multiplier=Decimal("0.1"),
        reason="unsure",
        is_enabled=True,
        actor="ada",
        now=NOW,
    )
    factor = current_factor(account_id=account_id, confidence=0.8, drawdown=Decimal(0), volatility_ratio=1.0, at=NOW)
    assert (factor.value, factor.reasons) == (Decimal("0.1"), ("unsure",))
    RiskFactorRule.objects.update(is_enabled=False)
    factor = current_factor(account_id=account_id, confidence=None, drawdown=Decimal(1), volatility_ratio=9.0, at=NOW)
    assert (factor.value, factor.reasons) == (Decimal(1), ())


def test_a_multiplier_above_one_is_refused() -> None:
    with pytest.raises(InvalidInput):
        change_factor_rule(
            measure=Measure.DRAWDOWN, threshold=Decimal(1), multiplier=Decimal("1.1"), reason="x", is_enabled=True, actor="ada", now=NOW
        )
