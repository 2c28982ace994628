"""The one place that rounds. Integer results are exact; nothing here uses float."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from enum import Enum

from apps.core.errors import InvalidInput
from apps.core.vocabulary import Side

_PRECISION = 76


class Rounding(Enum):
    DOWN = ROUND_FLOOR
    UP = ROUND_CEILING
    HALF_EVEN = ROUND_HALF_EVEN


def require_finite(value: Decimal, *, name: str) -> Decimal:
    """Return `value` if it is a finite Decimal, else raise InvalidInput."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise InvalidInput(f"{name} must be a finite decimal number, got {value!r}.", where=name)
    return value


def round_to_step(value: Decimal, step: Decimal, rounding: Rounding) -> Decimal:
    """Round `value` to a multiple of `step` (floor, ceiling or half-even)."""
    require_finite(value, name="value")
    if require_finite(step, name="step") <= 0:
        raise InvalidInput(f"The step must be positive, got {step}.", where="step")
    with localcontext() as context:
        context.prec = _PRECISION
        return (value / step).to_integral_value(rounding=rounding.value) * step


def round_quantity(quantity: Decimal, lot_size: Decimal) -> Decimal:
    """Quantities go down to the lot: never more than was asked for."""
    return round_to_step(quantity, lot_size, Rounding.DOWN)


def round_limit_price(price: Decimal, tick_size: Decimal, side: Side) -> Decimal:
    """A limit price moves away from the market: buys down, sells up."""
    return round_to_step(price, tick_size, Rounding.DOWN if side is Side.BUY else Rounding.UP)


def round_trade_price(price: Decimal, tick_size: Decimal, side: Side) -> Decimal:
    """A simulated trade price moves against the trader: buys up, sells down."""
    return round_to_step(price, tick_size, Rounding.UP if side is Side.BUY else Rounding.DOWN)


def round_fee(fee: Decimal, cash_unit: Decimal) -> Decimal:
    """Fees go up to the cash unit."""
    return round_to_step(fee, cash_unit, Rounding.UP)


def muldiv(left: int, right: int, divisor: int, rounding: Rounding) -> int:
    """left x right / divisor with an exact intermediate, rounded as asked. The plain-Python reference of the kernels."""
    if divisor <= 0:
        raise InvalidInput(f"The divisor must be positive, got {divisor}.", where="divisor")
    product = left * right
    quotient, remainder = divmod(product, divisor)
    if rounding is Rounding.UP and remainder:
        return quotient + 1
    if rounding is Rounding.HALF_EVEN:
        twice = 2 * remainder
        if twice > divisor or (twice == divisor and quotient % 2):
            return quotient + 1
    return quotient
