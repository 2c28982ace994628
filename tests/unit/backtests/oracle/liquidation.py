"""What the venue closes when equity falls below maintenance."""

from __future__ import annotations

from apps.orders.domain.engine_codes import BUY, SELL, EngineOrderState, EngineOrderType, Reason
from tests.unit.backtests.oracle import money
from tests.unit.backtests.oracle.model import Request, State
from tests.unit.backtests.oracle.orders import Offer, end, new_order, open_order, try_fill


def at_price(state: State, number: int, price: int, reason: Reason, *, has_spread: bool = False) -> None:
    """Close the position at `price` where equity at it is below maintenance."""
    if state.places[number].position and not money.is_cash_only(state) and money.is_below_maintenance(state, {number: price}):
        _close(state, number, price, reason, has_spread=has_spread)


def in_range(state: State, number: int, *, open_: int, low: int, high: int) -> None:
    """Close the position where, on the way to the bar's worst price, equity falls below maintenance."""
    position = state.places[number].position
    worst = low if position > 0 else high
    if position and not money.is_cash_only(state) and money.is_below_maintenance(state, {number: worst}):
        _close(state, number, _first_below(state, number, open_, worst), Reason.LIQUIDATED)


def _first_below(state: State, number: int, open_: int, worst: int) -> int:
    """The open, else the first price on the way to the worst, whole ticks from the worst, at which equity is below maintenance."""
    if money.is_below_maintenance(state, {number: open_}):
        return open_
    step = state.places[number].instrument.tick * (1 if open_ > worst else -1)
    price = worst
    while abs(open_ - price) > abs(step) and money.is_below_maintenance(state, {number: price + step}):
        price += step
    return price


def _close(state: State, number: int, price: int, reason: Reason, *, has_spread: bool = False) -> None:
    """The whole position by an order of the venue's own, whatever the volume; what could open it again is cancelled."""
    place = state.places[number]
    for order in state.active_orders(number):
        if not order.reduce_only:
            end(state, order, EngineOrderState.CANCELLED, Reason.CLOSED_BY_LIQUIDATION, state.now)
    side = SELL if place.position > 0 else BUY
    request = Request(number, side, EngineOrderType.MARKET, abs(place.position), reduce_only=True)
    order = new_order(state, request, state.now)
    state.orders.append(order)
    open_order(state, order, place.mark)
    left, place.left = place.left, None
    try_fill(state, order, Offer(price, reason, state.now, has_spread=has_spread), lambda child: None)
    place.left = left
    state.branches[f"liquidation {reason.name}"] += 1
