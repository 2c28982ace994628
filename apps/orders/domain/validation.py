"""What can be an order at all: checked before the risk gate, each refusal naming the field and the fix."""

from __future__ import annotations

from decimal import Decimal

from apps.core.errors import InvalidInput
from apps.core.rounding import require_finite
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, TimeInForce
from apps.orders.domain.terms import PPM_PER_PERCENT, OrderTerms

_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
_LARGEST_OFFSET = Decimal(1000)


def check_order(instrument: InstrumentSpec, terms: OrderTerms, *, is_child: bool = False, reference_price: Decimal | None = None) -> None:
    """Raise InvalidInput unless the order is well-formed and on the instrument's grid.

    `is_child` says that it waits for a parent, so that its prices may be relative. `reference_price` is the last known price, used for
    the minimum notional of orders without a price of their own.
    """
    _check_kind(terms)
    _check_quantity(instrument, terms)
    for name, offset in (("limit_price", "limit_offset_percent"), ("stop_price", "stop_offset_percent")):
        _check_priced(instrument, terms, name, offset, is_child=is_child)
    _check_trail(instrument, terms)
    _check_combination(terms)
    _check_expiry(terms)
    if not terms.is_reduce_only:
        _check_notional(instrument, terms.quantity, terms.limit_price or terms.stop_price or reference_price)


def _check_kind(terms: OrderTerms) -> None:
    if terms.order_type not in set(OrderType):
        raise InvalidInput(f"There is no order type {terms.order_type!r}.", where="order_type", hint=f"Use one of {', '.join(OrderType)}.")
    if terms.time_in_force not in set(TimeInForce):
        raise InvalidInput(
            f"There is no time in force {terms.time_in_force!r}.", where="time_in_force", hint=f"Use one of {', '.join(TimeInForce)}."
        )


def _check_quantity(instrument: InstrumentSpec, terms: OrderTerms) -> None:
    quantity = terms.quantity
    require_finite(quantity, name="quantity")
    if quantity <= 0:
        raise InvalidInput(f"The quantity must be positive, got {quantity}.", where="quantity", hint="The side says the direction.")
    if quantity % instrument.lot_size:
        raise InvalidInput(
            f"The quantity {quantity} is not a multiple of the lot {instrument.lot_size} of {instrument.symbol}.",
            where="quantity",
            hint=_neighbours(quantity, instrument.lot_size),
        )
    if quantity < instrument.min_quantity:
        raise InvalidInput(
            f"The quantity {quantity} is below the minimum of {instrument.symbol}.",
            where="quantity",
            hint=f"Use at least {instrument.min_quantity}.",
        )
    if quantity > instrument.max_quantity:
        raise InvalidInput(
            f"The quantity {quantity} is above the maximum of {instrument.symbol}.",
            where="quantity",
            hint=f"Use at most {instrument.max_quantity}.",
        )


def _check_priced(instrument: InstrumentSpec, terms: OrderTerms, name: str, offset_name: str, *, is_child: bool) -> None:
    """A price where the type has one, absolute or, for a child, relative; none where it has none."""
    kind = terms.order_type
    is_wanted = kind.takes_limit if name == "limit_price" else kind.takes_stop
    price, offset = getattr(terms, name), getattr(terms, offset_name)
    if offset is not None:
        _check_offset(kind, offset, offset_name, is_wanted=is_wanted, is_child=is_child)
        if price is not None:
            raise InvalidInput(f"Give either {name} or {offset_name}, not both.", where=offset_name, hint=f"Leave {offset_name} out.")
        return
    if price is None:
        if is_wanted:
            raise InvalidInput(f"A {kind} order needs a {name}.", where=name, hint=f"Give {name} on the tick of the instrument.")
        return
    if not is_wanted:
        raise InvalidInput(f"A {kind} order takes no {name}.", where=name, hint=f"Leave {name} out or choose another order_type.")
    _check_price(instrument, price, name)


def _check_offset(kind: OrderType, offset: Decimal, name: str, *, is_wanted: bool, is_child: bool) -> None:
    if not is_wanted:
        raise InvalidInput(f"A {kind} order takes no {name}.", where=name, hint=f"Leave {name} out or choose another order_type.")
    if not is_child:
        raise InvalidInput(f"{name} needs a parent order to be relative to.", where=name, hint="Give the price itself.")
    require_finite(offset, name=name)
    if not -100 < offset <= _LARGEST_OFFSET or offset * PPM_PER_PERCENT % 1:
        raise InvalidInput(
            f"{name} must be above -100 and at most {_LARGEST_OFFSET} with at most four decimals, got {offset}.",
            where=name,
            hint="A stop 5 % below the entry is -5.",
        )


def _check_price(instrument: InstrumentSpec, price: Decimal, name: str) -> None:
    require_finite(price, name=name)
    if price <= 0:
        raise InvalidInput(f"{name} must be positive, got {price}.", where=name)
    if price > instrument.max_price:
        raise InvalidInput(f"{name} {price} is above the largest price of {instrument.symbol}, {instrument.max_price}.", where=name)
    if price % instrument.tick_size:
        raise InvalidInput(
            f"{name} {price} is not a multiple of the tick {instrument.tick_size} of {instrument.symbol}.",
            where=name,
            hint=_neighbours(price, instrument.tick_size),
        )


def _neighbours(value: Decimal, step: Decimal) -> str:
    """The multiples on both sides that can be used: nothing can be ordered at, or in a quantity of, zero."""
    below = value - value % step
    return f"Use {below.normalize():f} or {(below + step).normalize():f}." if below else f"Use {step.normalize():f}."


def _check_trail(instrument: InstrumentSpec, terms: OrderTerms) -> None:
    if terms.order_type is not OrderType.TRAILING:
        for name in ("trail_amount", "trail_percent"):
            if getattr(terms, name) is not None:
                raise InvalidInput(
                    f"A {terms.order_type} order takes no {name}.", where=name, hint=f"Leave {name} out or use the order_type TRAILING."
                )
        return
    amount, percent = terms.trail_amount, terms.trail_percent
    if amount is None and percent is None:
        raise InvalidInput(
            "A TRAILING order needs a trail_amount or a trail_percent.",
            where="trail_amount",
            hint="Say how far behind the market it follows.",
        )
    if amount is not None and percent is not None:
        raise InvalidInput("Give either trail_amount or trail_percent, not both.", where="trail_percent", hint="Leave one of them out.")
    if amount is not None:
        _check_price(instrument, amount, "trail_amount")
    if percent is not None:
        require_finite(percent, name="trail_percent")
        if not 0 < percent < 100 or percent * PPM_PER_PERCENT % 1:
            raise InvalidInput(
                f"trail_percent must be above 0 and below 100 with at most four decimals, got {percent}.",
                where="trail_percent",
                hint="5 follows five percent behind the best price.",
            )


def _check_combination(terms: OrderTerms) -> None:
    kind = terms.order_type
    if terms.is_post_only and kind is not OrderType.LIMIT:
        raise InvalidInput(
            f"A {kind} order cannot be post-only.", where="is_post_only", hint="Only a LIMIT order can wait for others to trade."
        )
    if terms.time_in_force in _AT_ONCE and kind not in (OrderType.MARKET, OrderType.LIMIT):
        raise InvalidInput(
            f"A {kind} order cannot be {terms.time_in_force}.",
            where="time_in_force",
            hint="Only MARKET and LIMIT orders can be told to fill at once.",
        )


def _check_expiry(terms: OrderTerms) -> None:
    is_wanted = terms.time_in_force is TimeInForce.GTD
    if is_wanted and terms.expires_at is None:
        raise InvalidInput("A GTD order needs expires_at.", where="expires_at", hint="Say until when it is good, with the time zone.")
    if not is_wanted and terms.expires_at is not None:
        raise InvalidInput(
            f"A {terms.time_in_force} order takes no expires_at.", where="expires_at", hint="Leave it out or use the time in force GTD."
        )
    if terms.expires_at is not None and terms.expires_at.tzinfo is None:
        raise InvalidInput("expires_at must have a time zone.", where="expires_at", hint="Write for example 2026-01-31T21:00:00Z.")


def _check_notional(instrument: InstrumentSpec, quantity: Decimal, price: Decimal | None) -> None:
    if price is None:
        return
    notional = instrument.notional(price, quantity)
    if notional < instrument.min_notional:
        raise InvalidInput(
            f"The order is worth {notional} {instrument.quote_asset}, less than the minimum {instrument.min_notional} of {instrument.symbol}.",
            where="quantity",
            hint="Raise the quantity.",
        )
