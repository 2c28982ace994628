"""What the venue closes when equity falls below maintenance."""

from __future__ import annotations

from apps.orders.domain.engine_codes import BUY, NO_ROW, SELL, EngineOrderState, Reason
from tests.unit.backtests.oracle import costs, money
from tests.unit.backtests.oracle.model import State
from tests.unit.backtests.oracle.orders import Offer, book, end, offered_price


def at_price(state: State, number: int, price: int, reason: Reason, at: int) -> None:
    """Close the position at `price` where equity at it is below maintenance."""
    if state.places[number].position and money.is_below_maintenance(state, {number: price}):
        _close(state, number, price, reason, at)


def in_range(state: State, number: int, *, low: int, high: int, at: int) -> None:
    """Close the position where, on the way to the bar's worst price, equity meets maintenance."""
    position = state.places[number].position
    worst = low if position > 0 else high
    if position and money.is_below_maintenance(state, {number: worst}):
        _close(state, number, _meeting_price(state, number, low, high), Reason.LIQUIDATED, at)


def _meeting_price(state: State, number: int, low: int, high: int) -> int:
    """Where equity meets maintenance, to the tick against the trader, inside the bar.

    The first price, from the best of the bar on, at which equity is not above maintenance.
    """
    is_long = state.places[number].position > 0
    step = -1 if is_long else 1
    best, worst = (high, low) if is_long else (low, high)

    def has_met(price: int) -> bool:
        return money.equity(state, {number: price}) <= money.maintenance(state, {number: price})

    near, far = 0, abs(worst - best)
    while near < far:
        middle = (near + far) // 2
        if has_met(best + step * middle):
            far = middle
        else:
            near = middle + 1
    price = costs.to_tick(best + step * near, state.places[number].instrument.tick, SELL if is_long else BUY)
    return min(max(price, low), high)


def _close(state: State, number: int, price: int, reason: Reason, at: int) -> None:
    """The whole position, whatever the volume; what could open it again is cancelled."""
    place = state.places[number]
    side = SELL if place.position > 0 else BUY
    lots = abs(place.position)
    offer = Offer(price, reason, at)
    traded = offered_price(place, side, lots, offer)
    traded = min(max(traded, place.instrument.tick), place.instrument.max_price // place.instrument.tick * place.instrument.tick)
    book(state, number, offer, side=side, lots=lots, price=traded, row=NO_ROW, tag=0)
    state.branches[f"liquidation {reason.name}"] += 1
    for order in list(state.orders):
        if order.place == number and not order.has_ended and not order.reduce_only:
            end(state, order, EngineOrderState.CANCELLED, Reason.CLOSED_BY_LIQUIDATION, at)
