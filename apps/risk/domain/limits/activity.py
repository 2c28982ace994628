"""How much may be done: orders at once, orders a day, the same order again."""

from __future__ import annotations

from decimal import Decimal

from apps.risk.domain.facts import Facts, Limits
from apps.risk.domain.numbers import show
from apps.risk.domain.rules import EXEMPT, Measured, Must, limit, limit_check, value_in_force
from apps.risk.domain.values import CheckResult, LimitCode, OrderProposal


@limit(
    LimitCode.MAX_OPEN_ORDERS,
    Must.BE_AT_MOST,
    help="Most orders that may be open at once, this one included.",
    paper=Decimal(50),
    live=Decimal(20),
)
def open_orders(proposal: OrderProposal, facts: Facts) -> Measured:
    value = Decimal(facts.open_orders + 1)
    return Measured(value, f"This would be open order number {show(value)}")


@limit(
    LimitCode.MAX_ORDERS_PER_DAY,
    Must.BE_AT_MOST,
    help="Most exposure-increasing orders in one day of the venue's clock, this one included.",
    paper=Decimal(200),
    live=lambda seeds: Decimal(seeds.live_max_trades_per_day),
)
def orders_per_day(proposal: OrderProposal, facts: Facts) -> Measured:
    value = Decimal(facts.orders_today + 1)
    return Measured(value, f"This would be order number {show(value)} of the venue's day")


@limit_check(
    LimitCode.DUPLICATE_ORDER,
    help="Seconds of wall time in which a person cannot enter the same order twice. Sessions decide a bar once and are exempt.",
    paper=Decimal(5),
    live=Decimal(10),
    larger_is_stricter=True,
)
def check_duplicate(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    code = LimitCode.DUPLICATE_ORDER
    if proposal.is_reducing:
        return CheckResult(code, True, "", "", EXEMPT)
    if not proposal.is_manual:
        return CheckResult(code, True, "", "", "A session decides each bar once, so its orders cannot repeat.")
    seconds, refusal = value_in_force(code, limits, None)
    if seconds is None:
        return refusal
    seen = "an order" if facts.is_duplicate else "no other order"
    message = f"Within the last {show(seconds)} s {seen} of the same instrument, side and quantity was entered."
    return CheckResult(code, not facts.is_duplicate, "repeated" if facts.is_duplicate else "new", f"{show(seconds)} s", message)
