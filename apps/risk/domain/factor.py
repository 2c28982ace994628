"""The global risk factor: one multiplier from rules that a person can edit; what is not known counts as bad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from apps.risk.domain.numbers import is_usable
from apps.risk.domain.values import RiskFactor


class Measure(StrEnum):
    """What a rule of the factor looks at."""

    CONFIDENCE = "confidence"
    DRAWDOWN = "drawdown"
    VOLATILITY_RATIO = "volatility_ratio"


@dataclass(frozen=True)
class FactorRule:
    """Beyond the threshold (below it for confidence, above it otherwise) the factor is multiplied and the reason given."""

    measure: Measure
    threshold: Decimal
    multiplier: Decimal
    reason: str


DEFAULT_RULES = (
    FactorRule(Measure.CONFIDENCE, Decimal("0.6"), Decimal("0.8"), "low_confidence"),
    FactorRule(Measure.DRAWDOWN, Decimal("0.05"), Decimal("0.5"), "high_drawdown"),
    FactorRule(Measure.VOLATILITY_RATIO, Decimal(2), Decimal("0.6"), "high_volatility"),
)


def factor_of(rules: Iterable[FactorRule], *, confidence: float | None, drawdown: Decimal, volatility_ratio: float | None) -> RiskFactor:
    """The factor for a forecast's confidence (None: there is none), a fall from the peak as a fraction, and volatility over its average."""
    measures = {
        Measure.CONFIDENCE: _decimal(confidence),
        Measure.DRAWDOWN: drawdown,
        Measure.VOLATILITY_RATIO: _decimal(volatility_ratio),
    }
    return risk_factor(rules, measures)


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(float(value)))


def risk_factor(rules: Iterable[FactorRule], values: dict[Measure, Decimal | None]) -> RiskFactor:
    """1 times the multiplier of every rule that applies, within 0..1. A value that is missing or not a number makes its rule apply."""
    factor, reasons = Decimal(1), []
    for rule in rules:
        if _applies(rule, values.get(rule.measure)):
            factor *= rule.multiplier if is_usable(rule.multiplier) else Decimal(0)
            reasons.append(rule.reason)
    return RiskFactor(min(max(factor, Decimal(0)), Decimal(1)), tuple(reasons))


def _applies(rule: FactorRule, value: Decimal | None) -> bool:
    if value is None or not is_usable(value) or not is_usable(rule.threshold):
        return True
    return value < rule.threshold if rule.measure is Measure.CONFIDENCE else value > rule.threshold
