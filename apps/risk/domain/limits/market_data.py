"""How far a price may be from the last close, and how old the data may be."""

from __future__ import annotations

from decimal import Decimal

from apps.core.vocabulary import Side
from apps.risk.domain.facts import Facts
from apps.risk.domain.numbers import is_usable, percent, show
from apps.risk.domain.rules import Measured, Must, limit
from apps.risk.domain.values import LimitCode, OrderProposal


@limit(
    LimitCode.PRICE_COLLAR,
    Must.BE_AT_MOST,
    help="Furthest that the price, or the worst price the order may trade at, may be from the previous close (0.2 = 20 %).",
    paper=Decimal("0.3"),
    live=Decimal("0.1"),
)
def distance_from_close(proposal: OrderProposal, facts: Facts) -> Measured:
    """How far reference and aggressive own price are from the previous close, and a sentence about the furthest."""
    close, reference = proposal.previous_close, proposal.reference_price
    if close is None or reference is None or not is_usable(close, positive=True) or not is_usable(reference, positive=True):
        return Measured(None, "The price or the previous close is not known")
    value, what = abs(reference - close) / close, f"The price {show(reference)}"
    if proposal.order_type.takes_limit and proposal.limit_price is not None:
        worse = (proposal.limit_price - close) / close * (1 if proposal.side is Side.BUY else -1)
        if not is_usable(worse):
            return Measured(None, "The limit price cannot be used")
        if worse > value:
            value, what = worse, f"The limit price {show(proposal.limit_price)}"
    return Measured(value, f"{what} is {percent(value)} from the previous close {show(close)}")


@limit(
    LimitCode.MAX_DATA_AGE,
    Must.BE_AT_MOST,
    help="Most bars that the data may lag behind the venue's clock.",
    paper=Decimal(3),
    live=Decimal(1),
)
def data_age(proposal: OrderProposal, facts: Facts) -> Measured:
    age = proposal.data_age_bars
    value = Decimal(age) if age is not None and age >= 0 and proposal.data_at is not None else None
    text = f"The data is {show(value)} bars behind the venue's clock" if value is not None else "The age of the data is not known"
    return Measured(value, text)
