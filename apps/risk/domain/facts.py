"""What the gate looks at: the account, what is reserved already, and the limits in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, localcontext

from apps.core.vocabulary import Side, TradingMode
from apps.risk.domain.numbers import is_usable
from apps.risk.domain.values import OrderProposal

CASH_ALLOWANCE = Decimal("0.01")
"""Reserved beyond the value of an order for fees, spread, slippage and an opening gap."""

_GRID = Decimal("1e-10")

Limits = Mapping[str, Decimal | None]
"""The strictest limit in force by code; None where a person has switched it off. A code that is not there at all refuses."""


@dataclass(frozen=True)
class Facts:
    """The state around a proposal. None means not known, and a check that needs it fails."""

    halt_reason: str | None
    """Why everything or this account is halted; None while it is not."""
    live_refusal: str
    """Why live orders may not leave; empty when both switches are on."""
    account_mode: TradingMode
    currency: str
    is_open: bool
    cash: Decimal
    equity: Decimal
    day_start_equity: Decimal
    peak_equity: Decimal
    gross_exposure: Decimal
    position_quantity: Decimal
    reserved_cash: Decimal
    reserved_notional: Decimal
    reserved_same_side: Decimal
    """Quantity of open exposure-increasing orders on this instrument and side, unsigned."""
    reserved_exits: Decimal
    """Quantity of open reducing orders on this instrument, unsigned."""
    open_orders: int
    orders_today: int
    is_duplicate: bool
    leverage: Decimal = Decimal(1)
    """Exposure that one unit of equity may carry at the venue; what is beyond 1 is lent on the equity."""


@dataclass(frozen=True)
class Reserved:
    """What an approved order holds until it ends: signed quantity, exposure it adds, cash it may need."""

    quantity: Decimal
    notional: Decimal
    cash: Decimal
    is_reducing: bool


def worst_price(proposal: OrderProposal) -> Decimal | None:
    """The price to count the order at: the limit for a buy that has one, otherwise the higher of reference and own price. None if unusable.

    A trailing stop counts at the reference: its stop is beyond that, and follows the market away from it.
    """
    kind = proposal.order_type
    given = proposal.limit_price if kind.takes_limit else proposal.stop_price if kind.takes_stop else None
    if (kind.takes_limit or kind.takes_stop) and not is_usable(given, positive=True):
        return None
    if kind.takes_limit and proposal.side is Side.BUY:
        return given
    prices = [price for price in (given, proposal.reference_price) if price is not None]
    if not prices or not all(is_usable(price, positive=True) for price in prices):
        return None
    return max(prices)


def order_notional(proposal: OrderProposal) -> Decimal | None:
    """Value of the order at its worst price, in the quote asset; None if it cannot be known."""
    price = worst_price(proposal)
    if price is None or not is_usable(proposal.quantity, positive=True):
        return None
    return proposal.instrument.notional(price, proposal.quantity)


def reserve_for(proposal: OrderProposal) -> Reserved:
    """What the order reserves once approved. Shorts hold their value as collateral until they are booked.

    A reduce-only exit reserves nothing: whatever else closes the position, the venue keeps it within what is left.
    """
    quantity = proposal.side.sign * proposal.quantity
    if proposal.is_reducing and proposal.is_reduce_only:
        return Reserved(Decimal(0), Decimal(0), Decimal(0), is_reducing=True)
    if proposal.is_reducing:
        return Reserved(quantity, Decimal(0), _cash_of_exit(proposal), is_reducing=True)
    notional = order_notional(proposal) or Decimal(0)
    return Reserved(quantity, _up(notional), _up(notional * (1 + CASH_ALLOWANCE)), is_reducing=False)


def _cash_of_exit(proposal: OrderProposal) -> Decimal:
    """Cash that buying back may need; nothing where the price is unusable, for that must not hold an exit back."""
    if proposal.side is Side.SELL:
        return Decimal(0)
    try:
        return _up((order_notional(proposal) or Decimal(0)) * (1 + CASH_ALLOWANCE))
    except ArithmeticError:
        return Decimal(0)


def shrink(reserved: Reserved, *, remaining: Decimal) -> Reserved:
    """The part of a reservation that still stands when `remaining` (unsigned) may yet trade. It never grows."""
    held = abs(reserved.quantity)
    left = min(max(remaining, Decimal(0)), held)
    if not held:
        return reserved
    sign = 1 if reserved.quantity > 0 else -1
    with localcontext() as context:
        context.prec = 60
        share = left / held
        return Reserved(sign * left, _up(reserved.notional * share), _up(reserved.cash * share), reserved.is_reducing)


def _up(value: Decimal) -> Decimal:
    return value.quantize(_GRID, rounding=ROUND_CEILING)
