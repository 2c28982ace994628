"""The gate: every check on every order, in a fixed order; a check that cannot be computed fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from apps.risk.domain import conditions, limits
from apps.risk.domain.facts import Facts, Limits
from apps.risk.domain.values import CheckCode, CheckResult, OrderProposal

Condition = Callable[[OrderProposal, Facts], CheckResult]
LimitCheck = Callable[[OrderProposal, Facts, Limits], CheckResult]

CONDITIONS: dict[CheckCode, Condition] = {
    CheckCode.HALT: conditions.check_halt,
    CheckCode.MODE: conditions.check_mode,
    CheckCode.VALID_NUMBERS: conditions.check_numbers,
    CheckCode.INSTRUMENT_RULES: conditions.check_instrument_rules,
    CheckCode.FREE_CASH: conditions.check_free_cash,
    CheckCode.EXIT_WITHIN_POSITION: conditions.check_exit_within_position,
}
LIMIT_CHECKS: dict[CheckCode, LimitCheck] = {
    CheckCode.MAX_ORDER_NOTIONAL: limits.check_order_notional,
    CheckCode.MAX_POSITION_NOTIONAL: limits.check_position_notional,
    CheckCode.MAX_GROSS_EXPOSURE: limits.check_gross_exposure,
    CheckCode.MAX_OPEN_ORDERS: limits.check_open_orders,
    CheckCode.MAX_ORDERS_PER_DAY: limits.check_orders_per_day,
    CheckCode.MAX_DAILY_LOSS: limits.check_daily_loss,
    CheckCode.MAX_DRAWDOWN: limits.check_drawdown,
    CheckCode.MIN_CONFIDENCE: limits.check_confidence,
    CheckCode.PRICE_COLLAR: limits.check_price_collar,
    CheckCode.MAX_DATA_AGE: limits.check_data_age,
    CheckCode.DUPLICATE_ORDER: limits.check_duplicate,
}


def judge(proposal: OrderProposal, facts: Facts, in_force: Limits) -> tuple[CheckResult, ...]:
    """Every check of `CheckCode`, in its order. The order may leave exactly if all have passed."""
    results = [_closed(code, partial(condition, proposal, facts)) for code, condition in CONDITIONS.items()]
    for code, check in LIMIT_CHECKS.items():
        result = _closed(code, partial(check, proposal, facts, in_force))
        results.append(replace(result, passed=True, message=limits.EXEMPT) if proposal.is_reducing and not result.passed else result)
    return tuple(results)


def _closed(code: CheckCode, check: Callable[[], CheckResult]) -> CheckResult:
    """The result of a check; one that breaks on its numbers has failed."""
    try:
        return check()
    except (ArithmeticError, TypeError, ValueError) as error:
        return CheckResult(code, False, "–", "–", f"The check could not be computed ({type(error).__name__}), so the order is refused.")  # noqa: RUF001
