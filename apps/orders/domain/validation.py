"""What can be an order at all: checked before the risk gate, each refusal naming the field and the fix."""

from __future__ import annotations

from decimal import Decimal

from apps.core.errors import InvalidInput
from apps.core.rounding import require_finite
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, TimeInForce


def check_order(
    instrument: InstrumentSpec,
    *,
    order_type: OrderType,
    time_in_force: TimeInForce,
    quantity: Decimal,
    limit_price: Decimal | None,
    stop_price: Decimal | None,
    reference_price: Decimal | None = None,
) -> None:
    """Raise InvalidInput unless the order is well-formed and on the instrument's grid.

    `reference_price` is the last known price, used for the minimum notional of orders without a price of their own.
    """
    _check_kind(order_type, time_in_force)
    _check_quantity(instrument, quantity)
    _check_prices(instrument, order_type, limit_price, stop_price)
    _check_notional(instrument, quantity, limit_price or stop_price or reference_price)


def _check_kind(order_type: OrderType, time_in_force: TimeInForce) -> None:
    if order_type not in set(OrderType):
        raise InvalidInput(f"There is no order type {order_type!r}.", where="order_type", hint=f"Use one of {', '.join(OrderType)}.")
    if time_in_force not in set(TimeInForce):
        raise InvalidInput(
            f"There is no time in force {time_in_force!r}.", where="time_in_force", hint=f"Use one of {', '.join(TimeInForce)}."
        )


def _check_quantity(instrument: InstrumentSpec, quantity: Decimal) -> None:
    require_finite(quantity, name="quantity")
    if quantity <= 0:
        raise InvalidInput(f"The quantity must be positive, got {quantity}.", where="quantity", hint="The side says the direction.")
    if quantity % instrument.lot_size:
        raise InvalidInput(
            f"The quantity {quantity} is not a multiple of the lot {instrument.lot_size} of {instrument.symbol}.",
            where="quantity",
            hint=f"Use {quantity - quantity % instrument.lot_size} or {quantity - quantity % instrument.lot_size + instrument.lot_size}.",
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


def _check_prices(instrument: InstrumentSpec, order_type: OrderType, limit_price: Decimal | None, stop_price: Decimal | None) -> None:
    _check_price(instrument, limit_price, name="limit_price", wanted=order_type is OrderType.LIMIT, order_type=order_type)
    _check_price(instrument, stop_price, name="stop_price", wanted=order_type is OrderType.STOP, order_type=order_type)


def _check_price(instrument: InstrumentSpec, price: Decimal | None, *, name: str, wanted: bool, order_type: OrderType) -> None:
    if price is None:
        if wanted:
            raise InvalidInput(f"A {order_type} order needs a {name}.", where=name, hint=f"Give {name} on the tick of the instrument.")
        return
    if not wanted:
        raise InvalidInput(f"A {order_type} order takes no {name}.", where=name, hint=f"Leave {name} out or choose another order_type.")
    require_finite(price, name=name)
    if price <= 0:
        raise InvalidInput(f"{name} must be positive, got {price}.", where=name)
    if price > instrument.max_price:
        raise InvalidInput(f"{name} {price} is above the largest price of {instrument.symbol}, {instrument.max_price}.", where=name)
    if price % instrument.tick_size:
        below = price - price % instrument.tick_size
        raise InvalidInput(
            f"{name} {price} is not a multiple of the tick {instrument.tick_size} of {instrument.symbol}.",
            where=name,
            hint=f"Use {below} or {below + instrument.tick_size}.",
        )


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
