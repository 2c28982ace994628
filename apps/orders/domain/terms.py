"""What an order asks of its venue, and what of it may be changed while it works."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal

from apps.core.vocabulary import OrderType, TimeInForce

PPM_PER_PERCENT = 10_000


@dataclass(frozen=True)
class OrderTerms:
    """Prices in the quote asset, quantity in the base asset. Percentages have at most four decimals (a millionth).

    The offsets belong to the child of another order: its price is that far from the price of its parent's first fill, signed.
    """

    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    """Distance of a trailing stop from the best price so far; or give `trail_percent`, of that price."""
    trail_percent: Decimal | None = None
    expires_at: datetime | None = None
    is_post_only: bool = False
    is_reduce_only: bool = False
    """The venue lets it fill at most the position on the other side."""
    limit_offset_percent: Decimal | None = None
    stop_offset_percent: Decimal | None = None

    @property
    def is_relative(self) -> bool:
        """Whether a price follows from the parent's fill."""
        return self.limit_offset_percent is not None or self.stop_offset_percent is not None


@dataclass(frozen=True)
class Amendment:
    """New values for what of an order may change while it works; None leaves a value as it is. Values are absolute, so that asking twice is harmless."""

    quantity: Decimal | None = None
    """Of the whole order, what has filled included."""
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it would change nothing."""
        return not self.values

    @property
    def values(self) -> dict[str, Decimal]:
        """What is given, by name."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def text(self) -> str:
        """What is to change, for people."""
        return ", ".join(f"{name.replace('_', ' ')} {value.normalize():f}" for name, value in self.values.items())


def amended(terms: OrderTerms, amendment: Amendment) -> OrderTerms:
    """The terms after the change. A price that is given takes the place of an offset, one kind of trail that of the other."""
    changed = replace(terms, **amendment.values)  # type: ignore[arg-type]
    if amendment.limit_price is not None:
        changed = replace(changed, limit_offset_percent=None)
    if amendment.stop_price is not None:
        changed = replace(changed, stop_offset_percent=None)
    if amendment.trail_amount is not None and amendment.trail_percent is None:
        return replace(changed, trail_percent=None)
    if amendment.trail_percent is not None and amendment.trail_amount is None:
        return replace(changed, trail_amount=None)
    return changed


def asks_for_more(before: OrderTerms, after: OrderTerms) -> bool:
    """Whether a change may use more than the order holds already: lowering one does not. Shorts hold their value too, so a higher price is the
    dearer one on both sides."""
    pairs = ((after.limit_price, before.limit_price), (after.stop_price, before.stop_price))
    return after.quantity > before.quantity or any(new is not None and (old is None or new > old) for new, old in pairs)


def ppm_of_percent(percent: Decimal) -> int:
    """Millionths in a percentage that was checked to have at most four decimals."""
    return int(percent * PPM_PER_PERCENT)
