"""The exits of a bracket: checked against the entry, and as the terms of the orders that carry them out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.core.errors import InvalidInput
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.orders.domain.terms import OrderTerms


@dataclass(frozen=True)
class ExitPrices:
    """How a bracket leaves: a target, a stop and a trailing stop, each given in one way or not at all.

    Percentages are from the price of the entry's fill and unsigned: the side of the entry says in which direction each lies.
    """

    take_profit: Decimal | None = None
    take_profit_percent: Decimal | None = None
    stop_loss: Decimal | None = None
    stop_loss_percent: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is no exit at all."""
        return all(value is None for value in vars(self).values())


def check_exits(side: Side, exits: ExitPrices, *, entry_price: Decimal | None) -> None:
    """Raise InvalidInput where an exit is given twice or lies on the wrong side of the entry. Tick and bounds are checked with each leg."""
    for name, other in (("take_profit", "take_profit_percent"), ("stop_loss", "stop_loss_percent"), ("trail_amount", "trail_percent")):
        if getattr(exits, name) is not None and getattr(exits, other) is not None:
            raise InvalidInput(f"Give either {name} or {other}, not both.", where=other, hint="Leave one of them out.")
    for name in ("take_profit_percent", "stop_loss_percent"):
        percent = getattr(exits, name)
        if percent is not None and not (percent.is_finite() and percent > 0):
            raise InvalidInput(
                f"{name} must be above 0, got {percent}.", where=name, hint="The side of the entry says in which direction it lies."
            )
    _check_side(side, exits.take_profit, entry_price, name="take_profit", is_above=side is Side.BUY)
    _check_side(side, exits.stop_loss, entry_price, name="stop_loss", is_above=side is Side.SELL)


def _check_side(side: Side, price: Decimal | None, entry_price: Decimal | None, *, name: str, is_above: bool) -> None:
    if price is None or entry_price is None or not price.is_finite():
        return
    if price == entry_price or (price > entry_price) != is_above:
        where = "above" if is_above else "below"
        raise InvalidInput(
            f"The {name} of a {side} must be {where} the entry at {entry_price}, got {price}.",
            where=name,
            hint=f"Give a price {where} {entry_price}, or a percentage.",
        )


def exit_terms(side: Side, quantity: Decimal, exits: ExitPrices) -> dict[str, OrderTerms]:
    """The terms of each exit by its name; all are reduce-only and good till cancelled."""
    legs: dict[str, OrderTerms] = {}
    if exits.take_profit is not None or exits.take_profit_percent is not None:
        legs["take_profit"] = OrderTerms(
            OrderType.LIMIT,
            TimeInForce.GTC,
            quantity,
            limit_price=exits.take_profit,
            limit_offset_percent=_signed(exits.take_profit_percent, side.sign),
            is_reduce_only=True,
        )
    if exits.stop_loss is not None or exits.stop_loss_percent is not None:
        legs["stop_loss"] = OrderTerms(
            OrderType.STOP,
            TimeInForce.GTC,
            quantity,
            stop_price=exits.stop_loss,
            stop_offset_percent=_signed(exits.stop_loss_percent, -side.sign),
            is_reduce_only=True,
        )
    if exits.trail_amount is not None or exits.trail_percent is not None:
        legs["trailing"] = OrderTerms(
            OrderType.TRAILING,
            TimeInForce.GTC,
            quantity,
            trail_amount=exits.trail_amount,
            trail_percent=exits.trail_percent,
            is_reduce_only=True,
        )
    return legs


def _signed(percent: Decimal | None, sign: int) -> Decimal | None:
    return None if percent is None else percent * sign
