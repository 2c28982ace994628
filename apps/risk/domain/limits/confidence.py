"""How sure a signal must be."""

from __future__ import annotations

from decimal import Decimal

from apps.risk.domain.facts import Facts, Limits
from apps.risk.domain.numbers import is_usable, show
from apps.risk.domain.rules import EXEMPT, limit_check, value_in_force
from apps.risk.domain.values import CheckResult, LimitCode, OrderProposal


@limit_check(
    LimitCode.MIN_CONFIDENCE,
    help="Least signal confidence, 0 to 1. Orders entered by a person carry no signal and are exempt.",
    paper=Decimal("0.5"),
    live=lambda seeds: seeds.live_min_confidence,
    larger_is_stricter=True,
)
def check_confidence(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    code, value = LimitCode.MIN_CONFIDENCE, proposal.confidence
    if proposal.is_reducing:
        return CheckResult(code, True, show(value), "", EXEMPT)
    if proposal.is_manual:
        return CheckResult(code, True, show(value), "", "A person entered the order; there is no signal to be confident about.")
    least, refusal = value_in_force(code, limits, value)
    if least is None:
        return refusal
    if value is None or not is_usable(value) or not 0 <= value <= 1:
        return CheckResult(code, False, show(value), show(least), "The confidence of the signal is not known.")
    return CheckResult(
        code, value >= least, show(value), show(least), f"The signal's confidence is {show(value)}, the least is {show(least)}."
    )
