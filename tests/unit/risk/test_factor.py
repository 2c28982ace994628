"""The risk factor's rules."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.risk.domain.factor import DEFAULT_RULES, Measure, risk_factor


@pytest.mark.parametrize(
    ("confidence", "drawdown", "ratio", "value", "reasons"),
    [
        ("0.6", "0.05", "2", "1", ()),
        ("0.59", "0.05", "2", "0.8", ("low_confidence",)),
        ("0.6", "0.051", "2", "0.5", ("high_drawdown",)),
        ("0.6", "0.05", "2.01", "0.6", ("high_volatility",)),
        ("0.1", "0.2", "3", "0.24", ("low_confidence", "high_drawdown", "high_volatility")),
        (None, "0", "1", "0.8", ("low_confidence",)),
        ("NaN", "NaN", "NaN", "0.24", ("low_confidence", "high_drawdown", "high_volatility")),
        ("0.9", "0", None, "0.6", ("high_volatility",)),
    ],
)
def test_the_default_rules(confidence: str | None, drawdown: str, ratio: str | None, value: str, reasons: tuple[str, ...]) -> None:
    factor = risk_factor(
        DEFAULT_RULES,
        {
            Measure.CONFIDENCE: None if confidence is None else Decimal(confidence),
            Measure.DRAWDOWN: Decimal(drawdown),
            Measure.VOLATILITY_RATIO: None if ratio is None else Decimal(ratio),
        },
    )
    assert (factor.value, factor.reasons) == (Decimal(value), reasons)


def test_without_rules_the_factor_is_one() -> None:
    assert risk_factor([], {}).value == 1


def test_the_factor_stays_between_zero_and_one_whatever_the_rules_say() -> None:
    for multiplier, expected in (("5", 1), ("-1", 0), ("NaN", 0)):
        rules = [replace(DEFAULT_RULES[0], multiplier=Decimal(multiplier))]
        assert risk_factor(rules, {}).value == expected
