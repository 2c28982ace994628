"""The limits: each compares one measured value with one limit; whatever is missing or not a number refuses."""

from __future__ import annotations

from decimal import Decimal

from apps.core.vocabulary import OrderType, Side
from apps.risk.domain.facts import Facts, Limits, order_notional, worst_price
from apps.risk.domain.numbers import is_usable, percent, show
from apps.risk.domain.values import CheckCode, CheckResult, LimitCode, OrderProposal

EXEMPT = "A reducing order is never held back by this limit."


def check_order_notional(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    value, currency = order_notional(proposal), proposal.instrument.quote_asset
    return _at_most(LimitCode.MAX_ORDER_NOTIONAL, value, limits, proposal, f"The order is worth {show(value)} {currency}")


def check_position_notional(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    price, symbol = worst_price(proposal), proposal.instrument.symbol
    value: Decimal | None = None
    if price is not None and is_usable(facts.position_quantity) and is_usable(facts.reserved_same_side):
        after = facts.position_quantity + proposal.side.sign * (facts.reserved_same_side + proposal.quantity)
        value = proposal.instrument.notional(price, abs(after))
    text = f"With open orders the position in {symbol} would be worth {show(value)} {proposal.instrument.quote_asset}"
    return _at_most(LimitCode.MAX_POSITION_NOTIONAL, value, limits, proposal, text)


def check_gross_exposure(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    notional = order_notional(proposal)
    value: Decimal | None = None
    if notional is not None and is_usable(facts.equity, positive=True):
        value = (facts.gross_exposure + facts.reserved_notional + notional) / facts.equity
    text = f"All positions and open orders together would be {_percent(value)} of equity"
    return _at_most(LimitCode.MAX_GROSS_EXPOSURE, value, limits, proposal, text)


def check_open_orders(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    value = Decimal(facts.open_orders + 1)
    return _at_most(LimitCode.MAX_OPEN_ORDERS, value, limits, proposal, f"This would be open order number {show(value)}")


def check_orders_per_day(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    value = Decimal(facts.orders_today + 1)
    return _at_most(LimitCode.MAX_ORDERS_PER_DAY, value, limits, proposal, f"This would be order number {show(value)} of the venue's day")


def check_daily_loss(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    value = fall(facts.day_start_equity, facts.equity)
    text = f"Equity is {_percent(value)} below the start of the venue's day"
    return _below(LimitCode.MAX_DAILY_LOSS, value, limits, proposal, text)


def check_drawdown(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    value = fall(facts.peak_equity, facts.equity)
    return _below(LimitCode.MAX_DRAWDOWN, value, limits, proposal, f"Equity is {_percent(value)} below its peak")


def check_confidence(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    code = CheckCode.MIN_CONFIDENCE
    if proposal.is_reducing:
        return CheckResult(code, True, show(proposal.confidence), "", EXEMPT)
    if proposal.is_manual:
        return CheckResult(
            code, True, show(proposal.confidence), "", "A person entered the order; there is no signal to be confident about."
        )
    limit, refusal = _limit(LimitCode.MIN_CONFIDENCE, limits, proposal.confidence)
    if limit is None:
        return refusal
    value = proposal.confidence
    if value is None or not is_usable(value) or not 0 <= value <= 1:
        return CheckResult(code, False, show(value), show(limit), "The confidence of the signal is not known.")
    return CheckResult(
        code, value >= limit, show(value), show(limit), f"The signal's confidence is {show(value)}, the least is {show(limit)}."
    )


def check_price_collar(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    value, text = _distance(proposal)
    return _at_most(LimitCode.PRICE_COLLAR, value, limits, proposal, text)


def check_data_age(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    age = proposal.data_age_bars
    value = Decimal(age) if age is not None and age >= 0 and proposal.data_at is not None else None
    text = f"The data is {show(value)} bars behind the venue's clock" if value is not None else "The age of the data is not known"
    return _at_most(LimitCode.MAX_DATA_AGE, value, limits, proposal, text)


def check_duplicate(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
    code = CheckCode.DUPLICATE_ORDER
    if proposal.is_reducing:
        return CheckResult(code, True, "", "", EXEMPT)
    if not proposal.is_manual:
        return CheckResult(code, True, "", "", "A session decides each bar once, so its orders cannot repeat.")
    limit, refusal = _limit(LimitCode.DUPLICATE_ORDER, limits, None)
    if limit is None:
        return refusal
    seen = "the same order was just entered" if facts.is_duplicate else "no such order was entered"
    message = f"Within the last {show(limit)} s {seen}."
    return CheckResult(code, not facts.is_duplicate, "repeated" if facts.is_duplicate else "new", f"{show(limit)} s", message)


def fall(start: Decimal, now: Decimal) -> Decimal | None:
    """How far `now` is below `start`, as a fraction (0 when it is not below); None if either cannot be used."""
    if not is_usable(start, positive=True) or not is_usable(now):
        return None
    return max((start - now) / start, Decimal(0))


def _distance(proposal: OrderProposal) -> tuple[Decimal | None, str]:
    """How far reference and aggressive own price are from the previous close, and a sentence about the furthest."""
    close, reference = proposal.previous_close, proposal.reference_price
    if close is None or reference is None or not is_usable(close, positive=True) or not is_usable(reference, positive=True):
        return None, "The price or the previous close is not known"
    value, what = abs(reference - close) / close, f"The price {show(reference)}"
    if proposal.order_type is OrderType.LIMIT and proposal.limit_price is not None:
        worse = (proposal.limit_price - close) / close * (1 if proposal.side is Side.BUY else -1)
        if not is_usable(worse):
            return None, "The limit price cannot be used"
        if worse > value:
            value, what = worse, f"The limit price {show(proposal.limit_price)}"
    return value, f"{what} is {percent(value)} from the previous close {show(close)}"


def _percent(value: Decimal | None) -> str:
    return percent(value) if value is not None and is_usable(value) else "an unknown part"


def _limit(code: LimitCode, limits: Limits, value: Decimal | None) -> tuple[Decimal | None, CheckResult]:
    """The limit to compare with, or the result that stands without a comparison (switched off, not set, not a number)."""
    check = CheckCode(code.value)
    if code not in limits:
        return None, CheckResult(check, False, show(value), "–", "This limit is not set, so nothing can be approved under it.")  # noqa: RUF001
    limit = limits[code]
    if limit is None:
        return None, CheckResult(check, True, show(value), "off", "A person has switched this limit off.")
    if not is_usable(limit) or limit < 0:
        return None, CheckResult(check, False, show(value), str(limit), f"The limit is {limit}, which is not a usable number.")
    return limit, CheckResult(check, False, show(value), show(limit), "The value that this limit is about is not known.")


def _compare(code: LimitCode, value: Decimal | None, limits: Limits, proposal: OrderProposal, text: str, *, may_equal: bool) -> CheckResult:
    check = CheckCode(code.value)
    if proposal.is_reducing:
        return CheckResult(check, True, show(value), "", EXEMPT)
    limit, otherwise = _limit(code, limits, value)
    if limit is None or value is None or not is_usable(value) or value < 0:
        return otherwise
    passed = value <= limit if may_equal else value < limit
    return CheckResult(check, passed, show(value), show(limit), f"{text}; the limit is {show(limit)}.")


def _at_most(code: LimitCode, value: Decimal | None, limits: Limits, proposal: OrderProposal, text: str) -> CheckResult:
    return _compare(code, value, limits, proposal, text, may_equal=True)


def _below(code: LimitCode, value: Decimal | None, limits: Limits, proposal: OrderProposal, text: str) -> CheckResult:
    return _compare(code, value, limits, proposal, text, may_equal=False)
