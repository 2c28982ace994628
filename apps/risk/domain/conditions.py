"""Checks that are not limits: halt, mode, usable numbers, the instrument's rules, cash, and exits within the position."""

from __future__ import annotations

from decimal import Decimal

from apps.core.vocabulary import Side, TradingMode
from apps.risk.domain.facts import CASH_ALLOWANCE, Facts, order_notional
from apps.risk.domain.numbers import is_usable, show
from apps.risk.domain.values import CheckCode, CheckResult, OrderProposal


def check_halt(proposal: OrderProposal, facts: Facts) -> CheckResult:
    """A halt stops everything but reducing orders."""
    code = CheckCode.HALT
    if facts.halt_reason is None:
        return CheckResult(code, True, "not halted", "not halted", "No emergency stop is engaged.")
    message = f"An emergency stop is engaged: {facts.halt_reason}."
    if proposal.is_reducing:
        return CheckResult(code, True, "halted", "not halted", f"{message} This order only reduces a position, so it may pass.")
    return CheckResult(code, False, "halted", "not halted", f"{message} Nothing that increases exposure may leave.")


def check_mode(proposal: OrderProposal, facts: Facts) -> CheckResult:
    """Order and account agree on paper or live, the account is open, and live needs both switches."""
    code, mode, account = CheckCode.MODE, str(proposal.mode), str(facts.account_mode)
    if not facts.is_open:
        return CheckResult(code, False, "closed", "open", "The account is closed.")
    if proposal.mode != facts.account_mode:
        return CheckResult(code, False, mode, account, f"A {mode} order cannot be placed in a {account} account.")
    if proposal.mode is TradingMode.LIVE and facts.live_refusal:
        return CheckResult(code, False, mode, str(TradingMode.PAPER), facts.live_refusal)
    return CheckResult(code, True, mode, account, f"A {mode} order in a {account} account.")


def check_numbers(proposal: OrderProposal, facts: Facts) -> CheckResult:
    """Every number that the decision rests on is there and finite."""
    problem = _first_bad_number(proposal, facts)
    if problem is None:
        return CheckResult(CheckCode.VALID_NUMBERS, True, "usable", "finite", "All numbers of the order and the account are usable.")
    name, value = problem
    return CheckResult(CheckCode.VALID_NUMBERS, False, f"{name}={value}", "finite", f"The {name} is {value}, which cannot be used.")


def _first_bad_number(proposal: OrderProposal, facts: Facts) -> tuple[str, str] | None:
    if not is_usable(proposal.quantity, positive=True):
        return "quantity", str(proposal.quantity)
    if not is_usable(facts.position_quantity):
        return "position", str(facts.position_quantity)
    prices = {"limit price": proposal.limit_price, "stop price": proposal.stop_price}
    if not proposal.is_reducing:
        prices["reference price"] = proposal.reference_price
    for name, price in prices.items():
        is_needed = name == "reference price"
        if (price is not None or is_needed) and not is_usable(price, positive=True):
            return name, str(price) if price is not None else "missing"
    return None if proposal.is_reducing else _first_bad_amount(proposal, facts)


def _first_bad_amount(proposal: OrderProposal, facts: Facts) -> tuple[str, str] | None:
    amounts = {
        "cash": facts.cash,
        "equity": facts.equity,
        "gross exposure": facts.gross_exposure,
        "reserved cash": facts.reserved_cash,
        "reserved exposure": facts.reserved_notional,
        "reserved quantity": facts.reserved_same_side,
    }
    for name, amount in amounts.items():
        if not is_usable(amount, positive=name == "equity") or (amount < 0 and name != "cash"):
            return name, str(amount)
    if proposal.confidence is not None and not (is_usable(proposal.confidence) and 0 <= proposal.confidence <= 1):
        return "confidence", str(proposal.confidence)
    return None


def check_instrument_rules(proposal: OrderProposal, facts: Facts) -> CheckResult:
    """The order is on the venue's grid and within its bounds; minima do not hold a reducing order back."""
    problem = _wrong_currency(proposal, facts) or _broken_rule(proposal)
    if problem is None:
        return CheckResult(CheckCode.INSTRUMENT_RULES, True, "kept", "kept", f"The order keeps the rules of {proposal.instrument.symbol}.")
    value, limit, message = problem
    return CheckResult(CheckCode.INSTRUMENT_RULES, False, value, limit, message)


def _wrong_currency(proposal: OrderProposal, facts: Facts) -> tuple[str, str, str] | None:
    quote, symbol = proposal.instrument.quote_asset, proposal.instrument.symbol
    if proposal.is_reducing or quote == facts.currency:
        return None
    return quote, facts.currency, f"{symbol} is priced in {quote}, but the account counts in {facts.currency}."


def _broken_rule(proposal: OrderProposal) -> tuple[str, str, str] | None:
    spec, quantity = proposal.instrument, proposal.quantity
    if not is_usable(quantity, positive=True):
        return show(quantity), "> 0", "The quantity must be greater than zero."
    if quantity % spec.lot_size:
        return show(quantity), show(spec.lot_size), f"{show(quantity)} is not a multiple of the lot size {show(spec.lot_size)}."
    if quantity > spec.max_quantity:
        return show(quantity), show(spec.max_quantity), f"{show(quantity)} is more than the largest quantity {show(spec.max_quantity)}."
    return _broken_price_rule(proposal) or _broken_minimum(proposal)


def _broken_price_rule(proposal: OrderProposal) -> tuple[str, str, str] | None:
    spec, kind = proposal.instrument, proposal.order_type
    for name, price, is_wanted in (
        ("limit price", proposal.limit_price, kind.takes_limit),
        ("stop price", proposal.stop_price, kind.takes_stop),
    ):
        if price is None:
            if is_wanted and not proposal.has_relative_price:
                return "missing", "present", f"A {kind.value.lower().replace('_', '-')} order needs a {name}."
            continue
        if not is_usable(price, positive=True):
            return show(price), "> 0", f"The {name} must be greater than zero."
        if price % spec.tick_size:
            return show(price), show(spec.tick_size), f"The {name} {show(price)} is not a multiple of the tick {show(spec.tick_size)}."
        if price > spec.max_price:
            return show(price), show(spec.max_price), f"The {name} {show(price)} is above the largest price {show(spec.max_price)}."
    return None


def _broken_minimum(proposal: OrderProposal) -> tuple[str, str, str] | None:
    spec = proposal.instrument
    if proposal.is_reducing:
        return None
    if proposal.quantity < spec.min_quantity:
        return (
            show(proposal.quantity),
            show(spec.min_quantity),
            f"{show(proposal.quantity)} is less than the least quantity {show(spec.min_quantity)}.",
        )
    notional = order_notional(proposal)
    if notional is None:
        return "–", show(spec.min_notional), "The value of the order is not known."  # noqa: RUF001
    if notional < spec.min_notional:
        return (
            show(notional),
            show(spec.min_notional),
            f"The order is worth {show(notional)}, less than the least {show(spec.min_notional)}.",
        )
    return None


def check_free_cash(proposal: OrderProposal, facts: Facts) -> CheckResult:
    """The value of the order and an allowance for costs fit into what no other open order may use: cash, or on margin what equity may carry beside
    the positions. What a short sale brought is no room: the venue keeps margin on it."""
    code, currency = CheckCode.FREE_CASH, proposal.instrument.quote_asset
    if proposal.is_reducing:
        return CheckResult(code, True, "", "", "A reducing order frees cash or collateral; it is never held back for cash.")
    notional = order_notional(proposal)
    room = _room(facts)
    if notional is None or room is None or not is_usable(facts.reserved_cash):
        return CheckResult(code, False, "–", show(room), "The cash that the order needs cannot be worked out.")  # noqa: RUF001
    needed, free = notional * (1 + CASH_ALLOWANCE), room - facts.reserved_cash
    passed = needed <= free
    verb = "leaves room" if passed else "is more than there is"
    return CheckResult(
        code,
        passed,
        show(needed),
        show(free),
        f"The order may need {show(needed)} {currency} of {show(free)} {currency} free; that {verb}.",
    )


def _room(facts: Facts) -> Decimal | None:
    """What new positions may be paid from before other open orders; None where it cannot be worked out."""
    if facts.leverage == 1:
        return facts.cash if is_usable(facts.cash) else None
    if not (is_usable(facts.leverage, positive=True) and is_usable(facts.equity) and is_usable(facts.gross_exposure)):
        return None
    return facts.leverage * facts.equity - facts.gross_exposure


def check_exit_within_position(proposal: OrderProposal, facts: Facts) -> CheckResult:
    """A reducing order is on the other side of the position and, with other open exits, not larger than it; a child not larger than its parent.

    A reduce-only exit need not leave room for the others: the venue keeps it within what is left of the position.

    Nor may an order turn a position that has open exits: were they to fill after it, they would add to the new position.
    """
    code, symbol = CheckCode.EXIT_WITHIN_POSITION, proposal.instrument.symbol
    if not is_usable(facts.position_quantity) or not is_usable(facts.reserved_exits) or not is_usable(proposal.quantity, positive=True):
        return CheckResult(code, False, show(proposal.quantity), "–", f"The position in {symbol} is not known.")  # noqa: RUF001
    if not proposal.is_reducing:
        return _turning(proposal, facts)
    if proposal.parent_quantity is not None:
        return _within_parent(proposal, proposal.parent_quantity)
    exits = Decimal(0) if proposal.is_reduce_only else facts.reserved_exits
    available = available_to_exit(position=facts.position_quantity, exits=exits, side=proposal.side)
    passed = proposal.quantity <= available
    message = f"{show(proposal.quantity)} {symbol} of {show(available)} that can still be closed (held {show(facts.position_quantity)}"
    message += f", {show(exits)} in other open exits)."
    return CheckResult(code, passed, show(proposal.quantity), show(available), message)


def _within_parent(proposal: OrderProposal, parent_quantity: Decimal) -> CheckResult:
    code, symbol = CheckCode.EXIT_WITHIN_POSITION, proposal.instrument.symbol
    passed = is_usable(parent_quantity, positive=True) and proposal.quantity <= parent_quantity
    message = (
        f"{show(proposal.quantity)} {symbol} of the {show(parent_quantity)} that its parent may trade; it closes only what that has opened."
    )
    return CheckResult(code, passed, show(proposal.quantity), show(parent_quantity), message)


def _turning(proposal: OrderProposal, facts: Facts) -> CheckResult:
    code = CheckCode.EXIT_WITHIN_POSITION
    is_against = facts.position_quantity * proposal.side.sign < 0
    if not is_against or not facts.reserved_exits:
        return CheckResult(code, True, "", "", "The order is meant to add exposure and is judged by the limits below.")
    exits, symbol = show(facts.reserved_exits), proposal.instrument.symbol
    message = f"Exits of {exits} {symbol} are open; an order that turns the position has to wait until they have ended."
    return CheckResult(code, False, exits, "0", message)


def available_to_exit(*, position: Decimal, exits: Decimal, side: Side) -> Decimal:
    """Quantity that an order on `side` may still close; zero when it would not reduce the position at all."""
    closable = -position * side.sign
    return max(closable - exits, Decimal(0)) if closable > 0 else Decimal(0)
