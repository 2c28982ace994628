"""The gate: every check on every order, in a fixed order; a check that cannot be computed fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from apps.risk.domain import conditions
from apps.risk.domain.facts import Facts, Limits
from apps.risk.domain.limits import limit_rules
from apps.risk.domain.rules import EXEMPT
from apps.risk.domain.values import CheckCode, CheckResult, OrderProposal

Condition = Callable[[OrderProposal, Facts], CheckResult]

CONDITIONS: dict[CheckCode, Condition] = {
    CheckCode.HALT: conditions.check_halt,
    CheckCode.MODE: conditions.check_mode,
    CheckCode.VALID_NUMBERS: conditions.check_numbers,
    CheckCode.INSTRUMENT_RULES: conditions.check_instrument_rules,
    CheckCode.FREE_CASH: conditions.check_free_cash,
    CheckCode.EXIT_WITHIN_POSITION: conditions.check_exit_within_position,
}


def judge(proposal: OrderProposal, facts: Facts, in_force: Limits) -> tuple[CheckResult, ...]:
    """Every check, conditions before limits, each in its order. The order may leave exactly if all have passed."""
    results = [_closed(code, partial(condition, proposal, facts)) for code, condition in CONDITIONS.items()]
    for rule in limit_rules():
        result = _closed(rule.code, partial(rule.check, proposal, facts, in_force))
        results.append(replace(result, passed=True, message=EXEMPT) if proposal.is_reducing and not result.passed else result)
    return tuple(results)


def _closed(code: str, check: Callable[[], CheckResult]) -> CheckResult:
    """The result of a check; one that breaks on its numbers has failed."""
    try:
        return check()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return CheckResult(code, False, "–", "–", f"The check could not be computed ({type(error).__name__}), so the order is refused.")  # noqa: RUF001
