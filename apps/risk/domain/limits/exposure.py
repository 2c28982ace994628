"""How much may be held: by one order, in one instrument, in total."""

from __future__ import annotations

from decimal import Decimal

from apps.risk.domain.facts import Facts, order_notional, worst_price
from apps.risk.domain.numbers import is_usable, show, show_percent
from apps.risk.domain.rules import Measured, Must, limit
from apps.risk.domain.values import LimitCode, OrderProposal


@limit(
    LimitCode.MAX_ORDER_NOTIONAL,
    Must.BE_AT_MOST,
    help="Largest value of one order, in the account's currency.",
    paper=lambda seeds: seeds.capital * Decimal("0.25"),
    live=lambda seeds: seeds.capital * Decimal("0.05"),
)
def order_value(proposal: OrderProposal, facts: Facts) -> Measured:
    value = order_notional(proposal)
    return Measured(value, f"The order is worth {show(value)} {proposal.instrument.quote_asset}")


@limit(
    LimitCode.MAX_POSITION_NOTIONAL,
    Must.BE_AT_MOST,
    help="Largest value held of one instrument, open orders included, in the account's currency.",
    paper=lambda seeds: seeds.capital * Decimal("0.4"),
    live=lambda seeds: seeds.capital * Decimal("0.1"),
)
def position_value(proposal: OrderProposal, facts: Facts) -> Measured:
    price, symbol = worst_price(proposal), proposal.instrument.symbol
    value: Decimal | None = None
    if price is not None and is_usable(facts.position_quantity) and is_usable(facts.reserved_same_side):
        added = facts.reserved_same_side + proposal.quantity
        after = facts.position_quantity + proposal.side.sign * added
        # A position on the other side is not counted on: exits, which nothing holds back, may have closed it before this order trades.
        value = proposal.instrument.notional(price, max(abs(after), added))
    return Measured(value, f"With open orders the position in {symbol} would be worth {show(value)} {proposal.instrument.quote_asset}")


@limit(
    LimitCode.MAX_GROSS_EXPOSURE,
    Must.BE_AT_MOST,
    help="Largest value of all positions and open orders together, as a fraction of equity (1 = no leverage).",
    paper=Decimal(1),
    live=Decimal(1),
)
def gross_exposure(proposal: OrderProposal, facts: Facts) -> Measured:
    notional = order_notional(proposal)
    value: Decimal | None = None
    if notional is not None and is_usable(facts.equity, positive=True):
        value = (facts.gross_exposure + facts.reserved_notional + notional) / facts.equity
    return Measured(value, f"All positions and open orders together would be {show_percent(value)} of equity")
