"""How much may be lost before no new exposure is taken: since the start of the day, and since the peak."""

from __future__ import annotations

from decimal import Decimal

from apps.risk.domain.facts import Facts
from apps.risk.domain.numbers import is_usable, show_percent
from apps.risk.domain.rules import Measured, Must, limit
from apps.risk.domain.values import LimitCode, OrderProposal


@limit(
    LimitCode.MAX_DAILY_LOSS,
    Must.BE_BELOW,
    help="Loss since the start of the venue's day at which no new exposure is taken, as a fraction of the equity then.",
    paper=Decimal("0.1"),
    live=Decimal("0.03"),
)
def daily_loss(proposal: OrderProposal, facts: Facts) -> Measured:
    value = fall(facts.day_start_equity, facts.equity)
    return Measured(value, f"Equity is {show_percent(value)} below the start of the venue's day")


@limit(
    LimitCode.MAX_DRAWDOWN,
    Must.BE_BELOW,
    help="Fall from the highest equity at which no new exposure is taken, as a fraction of that equity.",
    paper=Decimal("0.5"),
    live=lambda seeds: seeds.live_max_drawdown,
)
def drawdown(proposal: OrderProposal, facts: Facts) -> Measured:
    value = fall(facts.peak_equity, facts.equity)
    return Measured(value, f"Equity is {show_percent(value)} below its peak")


def fall(start: Decimal, now: Decimal) -> Decimal | None:
    """How far `now` is below `start`, as a fraction (0 when it is not below); None if either cannot be used."""
    if not is_usable(start, positive=True) or not is_usable(now):
        return None
    return max((start - now) / start, Decimal(0))
