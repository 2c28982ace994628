"""Why an order is refused: the checks of submission and amendment, in the order of the note."""

from __future__ import annotations

from apps.orders.domain.engine_codes import BUY, NO_ROW, PPM, EngineOrderState, EngineOrderType, EngineTimeInForce, Reason
from tests.unit.backtests.oracle import money
from tests.unit.backtests.oracle.model import Instrument, Order, State

_NEEDS_LIMIT = {EngineOrderType.LIMIT, EngineOrderType.STOP_LIMIT}
_NEEDS_STOP = {EngineOrderType.STOP, EngineOrderType.STOP_LIMIT}
_FILLS_AT_ONCE = {EngineTimeInForce.IOC, EngineTimeInForce.FOK}


def refusal(state: State, order: Order) -> Reason:
    """NONE, or the first check that the order does not pass."""
    instrument = state.places[order.place].instrument
    if not instrument.min_lots <= order.lots <= instrument.max_lots or order.lots <= order.filled:
        return Reason.BAD_QUANTITY
    if not _has_good_prices(instrument, order):
        return Reason.BAD_PRICE
    if _is_bad_combination(order) or _has_foreign_parent(state, order):
        return Reason.BAD_COMBINATION
    if _is_too_small(state, order):
        return Reason.TOO_SMALL
    if order.state is EngineOrderState.WAITING:
        # What depends on the position, the price or the money of now is met when the order may act.
        return Reason.NONE
    if _would_be_short(state, order):
        return Reason.NO_SHORT
    if _would_take(state, order):
        return Reason.WOULD_TAKE
    if not _has_cash(state, order):
        return Reason.INSUFFICIENT_CASH
    return Reason.NONE


def _has_good_prices(instrument: Instrument, order: Order) -> bool:
    """Needed prices are there, on the tick and in bounds; others are not. A child may give them relative to its parent."""
    is_trailing = order.type is EngineOrderType.TRAILING
    return (
        _is_good_price(instrument, order, order.limit, order.limit_ppm, is_needed=order.type in _NEEDS_LIMIT)
        and (
            _is_good_own_stop(order)
            if is_trailing
            else _is_good_price(instrument, order, order.stop, order.stop_ppm, is_needed=order.type in _NEEDS_STOP)
        )
        and _is_good_trail(instrument, order, is_needed=is_trailing)
    )


def _is_good_price(instrument: Instrument, order: Order, price: int, ppm: int, *, is_needed: bool) -> bool:
    if not is_needed:
        return price == 0 and ppm == 0
    if ppm and (price == 0 or order.state is EngineOrderState.WAITING):
        return price == 0 and order.parent != NO_ROW and -PPM < ppm <= 1000 * PPM
    return instrument.tick <= price <= instrument.max_price and price % instrument.tick == 0


def _is_good_own_stop(order: Order) -> bool:
    """The stop of a trailing order is its own; nobody gives it one."""
    return order.stop_ppm == 0 and (order.stop == 0 or order.best > 0)


def _is_good_trail(instrument: Instrument, order: Order, *, is_needed: bool) -> bool:
    """One distance, absolute or in millionths of the best price; below the whole price."""
    if not is_needed:
        return order.trail == 0 and order.trail_ppm == 0
    if order.trail_ppm == 0:
        return 0 < order.trail <= instrument.max_price
    return order.trail == 0 and 0 < order.trail_ppm < 1_000_000


def _is_bad_combination(order: Order) -> bool:
    if order.post_only and (order.type is not EngineOrderType.LIMIT or order.tif in _FILLS_AT_ONCE):
        return True
    return order.tif in _FILLS_AT_ONCE and order.type not in {EngineOrderType.MARKET, EngineOrderType.LIMIT}


def _has_foreign_parent(state: State, order: Order) -> bool:
    """A parent in another instrument: its bar may be known later than the one that the child would trade in."""
    return order.parent != NO_ROW and state.orders[order.parent].place != order.place


def _expected_price(state: State, order: Order) -> int:
    """At the limit, else the stop, else the last price. The stop of a trailing order is not one that the trader gave."""
    given_stop = 0 if order.type is EngineOrderType.TRAILING else order.stop
    return order.limit or given_stop or state.places[order.place].mark


def _is_too_small(state: State, order: Order) -> bool:
    """An order whose price nobody knows yet is not too small."""
    price = _expected_price(state, order)
    instrument = state.places[order.place].instrument
    return not order.reduce_only and price > 0 and price * order.lots * instrument.cash_per_price_lot < instrument.min_notional


def open_sells(state: State, asking: Order) -> int:
    """Lots that other open orders may still sell, but those of the same group, and reduce-only ones, which never go below zero."""
    return sum(
        order.left
        for order in state.active_orders(asking.place)
        if order.side < 0 and not order.reduce_only and order is not asking and not (asking.group and order.group == asking.group)
    )


def _would_be_short(state: State, order: Order) -> bool:
    place = state.places[order.place]
    if order.side == BUY or order.reduce_only or place.instrument.allows_short:
        return False
    return place.position - open_sells(state, order) - order.left < 0


def _would_take(state: State, order: Order) -> bool:
    last = state.places[order.place].mark
    if not order.post_only or last == 0 or order.limit == 0:
        return False
    return order.limit >= last if order.side == BUY else order.limit <= last


def _has_cash(state: State, order: Order) -> bool:
    """At the taker's fee: nobody knows yet whether it will make or take."""
    place = state.places[order.place]
    if order.reduce_only:
        return True
    if money.closing_lots(place, order.side, order.left) == order.left:
        return True
    price = _expected_price(state, order)
    return price <= 0 or money.free_cash_after(state, order.place, order.side, order.left, price, is_maker=False) >= 0
