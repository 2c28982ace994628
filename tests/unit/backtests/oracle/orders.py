"""The life of an order: accepted, opened, changed, filled, ended; what that does to its group, its children and the money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.orders.domain.engine_codes import (
    BUY,
    INT64_SAFE,
    NO_ROW,
    PPM,
    EngineOrderState,
    EngineOrderType,
    EngineTimeInForce,
    Reason,
    StepStatus,
)
from tests.unit.backtests.oracle import checks, costs, money
from tests.unit.backtests.oracle.model import Amendment, Fill, Order, Place, Request, State

Opened = Callable[[Order], None]


@dataclass(frozen=True)
class Offer:
    """What the market offers an order: a price, and how it is traded."""

    price: int
    reason: Reason
    at: int
    is_maker: bool = False
    pays_slippage: bool = True
    has_spread: bool = False


def submit(state: State, request: Request, at: int) -> tuple[int, Reason]:
    """Take an order into the book; a refused one stays there as REFUSED. (row, reason)."""
    order = new_order(state, request, at)
    parent = state.orders[request.parent] if request.parent != NO_ROW else None
    if parent is not None and not parent.filled:
        order.state = EngineOrderState.WAITING
    reason = checks.refusal(state, order)
    if reason is Reason.NONE and parent is not None and parent.has_ended and not parent.filled:
        reason = Reason.PARENT_ENDED
    state.orders.append(order)
    if reason is not Reason.NONE:
        order.state, order.reason, order.ended_at = EngineOrderState.REFUSED, reason, at
        return order.row, reason
    if parent is None:
        open_order(state, order, state.places[order.place].mark)
    elif parent.filled:
        _open_child(state, order, parent, parent.value // (parent.filled * _unit(state, parent)))
    return order.row, Reason.NONE


def _unit(state: State, order: Order) -> int:
    return state.places[order.place].instrument.cash_per_price_lot


def new_order(state: State, request: Request, at: int) -> Order:
    return Order(
        row=len(state.orders),
        place=request.place,
        side=request.side,
        type=request.type,
        tif=request.tif,
        post_only=request.post_only,
        reduce_only=request.reduce_only,
        lots=request.lots,
        limit=request.limit,
        stop=request.stop,
        trail=request.trail,
        trail_ppm=request.trail_ppm,
        submitted_at=at,
        active_at=at + state.latency_us,
        expires_at=request.expires_at,
        parent=request.parent,
        group=request.group,
        stop_ppm=request.stop_ppm,
        limit_ppm=request.limit_ppm,
        tag=request.tag,
    )


def open_order(state: State, order: Order, first_price: int) -> None:
    """The order may act from now on, behind those that were accepted before it."""
    order.state = EngineOrderState.OPEN
    state.active.append(order.row)
    if order.type is EngineOrderType.TRAILING and first_price:
        order.best = first_price
        _tighten(state, order)


def _open_child(state: State, order: Order, parent: Order, price: int) -> None:
    """With the lots that the parent has filled so far, at prices fixed by its first fill."""
    order.lots = parent.filled
    instrument = state.places[order.place].instrument
    if order.limit_ppm and not order.limit:
        order.limit = max(instrument.tick, costs.nearest_tick(price * (PPM + order.limit_ppm), PPM, instrument.tick))
    if order.stop_ppm and not order.stop:
        order.stop = max(instrument.tick, costs.nearest_tick(price * (PPM + order.stop_ppm), PPM, instrument.tick))
    open_order(state, order, price)


def trailed_stop(state: State, order: Order) -> int:
    """The stop at the distance from the best price, to the tick away from the market, at least a tick."""
    tick = state.places[order.place].instrument.tick
    distance = order.trail or costs.share_up(order.best, order.trail_ppm)
    return max(tick, costs.to_tick(order.best + order.side * distance, tick, order.side))


def _tighten(state: State, order: Order) -> None:
    """The stop never loosens, not even by a wider distance."""
    stop = trailed_stop(state, order)
    if order.stop == 0 or order.side * (stop - order.stop) < 0:
        order.stop = stop


def raise_trail(state: State, order: Order, extreme: int) -> None:
    """Follow the market to a better price."""
    if order.best and order.side * (extreme - order.best) >= 0:
        return
    order.best = extreme
    _tighten(state, order)


def cancel(state: State, row: int, at: int) -> Reason:
    if not 0 <= row < len(state.orders):
        return Reason.UNKNOWN_ORDER
    order = state.orders[row]
    if order.has_ended:
        return Reason.NOT_OPEN
    end(state, order, EngineOrderState.CANCELLED, Reason.CANCELLED_BY_OWNER, at)
    return Reason.NONE


def amend(state: State, row: int, change: Amendment) -> Reason:
    """Change an order; refused changes leave it as it was."""
    if not 0 <= row < len(state.orders):
        return Reason.UNKNOWN_ORDER
    order = state.orders[row]
    if order.has_ended:
        return Reason.NOT_OPEN
    if order.type is EngineOrderType.TRAILING and change.stop not in {None, order.stop}:
        return Reason.BAD_PRICE
    before = (order.lots, order.limit, order.stop, order.trail, order.trail_ppm)
    order.lots, order.limit, order.stop, order.trail, order.trail_ppm = (
        old if new is None else new
        for old, new in zip(before, (change.lots, change.limit, change.stop, change.trail, change.trail_ppm), strict=True)
    )
    reason = checks.refusal(state, order)
    if reason is not Reason.NONE:
        order.lots, order.limit, order.stop, order.trail, order.trail_ppm = before
        return reason
    _accept_change(state, order, before)
    return Reason.NONE


def _accept_change(state: State, order: Order, before: tuple[int, int, int, int, int]) -> None:
    lots, *prices = before
    is_price_changed = prices != [order.limit, order.stop, order.trail, order.trail_ppm]
    if is_price_changed:
        order.queue = None
    if order.is_open and (is_price_changed or order.lots > lots):
        state.active.remove(order.row)
        state.active.append(order.row)
        if order.type is EngineOrderType.TRAILING and order.best:
            _tighten(state, order)


def end(state: State, order: Order, how: EngineOrderState, reason: Reason, at: int) -> None:
    """The order acts no more; without any fill its children go with it."""
    if order.has_ended:
        return
    order.state, order.reason, order.ended_at = how, reason, at
    if order.row in state.active:
        state.active.remove(order.row)
    state.branches[f"end {reason.name}"] += 1
    if order.filled:
        return
    for child in state.orders:
        if child.parent == order.row:
            end(state, child, EngineOrderState.CANCELLED, Reason.PARENT_ENDED, at)


def try_fill(state: State, order: Order, offer: Offer, opened: Opened) -> None:
    """Trade what the offer, the volume, the position and the money allow. `opened` is told of every child that opens."""
    place = state.places[order.place]
    lots = order.left if place.left is None else min(order.left, place.left)
    room, why_none = _room(place, order)
    price = offered_price(place, order, min(lots, room), offer)
    if not place.instrument.tick <= price <= place.instrument.max_price:
        order.reason, order.is_out = Reason.OUT_OF_BOUNDS, True
        return
    if room == 0:
        end(state, order, EngineOrderState.CANCELLED, why_none, offer.at)
        return
    lots = min(lots, room)
    if lots <= 0:
        return
    affordable = money.affordable_lots(state, order.place, order.side, lots, price, is_maker=offer.is_maker)
    if order.tif is EngineTimeInForce.FOK and affordable < order.left:
        end(state, order, EngineOrderState.CANCELLED, Reason.NOT_FILLED_AT_ONCE, offer.at)
        return
    children = record_fill(state, order, offer, lots=affordable, price=price) if affordable else []
    if affordable < lots:
        end(state, order, EngineOrderState.CANCELLED, Reason.INSUFFICIENT_CASH, offer.at)
    for child in children:
        opened(child)


def _room(place: Place, order: Order) -> tuple[int, Reason]:
    """How many lots the position allows, and why where it is none: reduce-only never opens, and no short where none may be."""
    if order.reduce_only:
        return money.closing_lots(place, order.side, order.left), Reason.NOTHING_TO_REDUCE
    if order.side == BUY or place.instrument.allows_short:
        return order.left, Reason.NONE
    return max(place.position, 0), Reason.NO_SHORT


def offered_price(place: Place, order: Order, lots: int, offer: Offer) -> int:
    """Slippage for takers; a stop-limit never pays more than its limit."""
    if offer.is_maker or not offer.pays_slippage:
        return offer.price
    price = costs.taker_price(place.instrument, offer.price, order.side, lots, place.volume, has_spread=offer.has_spread)
    if offer.reason is Reason.STOP_LIMIT_TRIGGERED and order.side * (price - order.limit) > 0:
        return order.limit
    return price


def record_fill(state: State, order: Order, offer: Offer, *, lots: int, price: int) -> list[Order]:
    """Trade, and what that does to others. Returns the children that open."""
    fee = book(state, order.place, offer, side=order.side, lots=lots, price=price, row=order.row, tag=order.tag)
    order.filled += lots
    order.value += lots * price * _unit(state, order)
    order.fee += fee
    order.reason = offer.reason
    state.branches[f"{order.type.name} {offer.reason.name}"] += 1
    is_first = order.filled == lots
    if order.left == 0:
        order.state, order.ended_at = EngineOrderState.FILLED, offer.at
        state.active.remove(order.row)
    _end_protected(state, order, offer.at)
    _share_group(state, order, lots, offer.at)
    children = _feed_children(state, order, is_first=is_first, lots=lots, price=price)
    _end_idle_exits(state, order.place, offer.at)
    return children


def book(state: State, number: int, offer: Offer, *, side: int, lots: int, price: int, row: int, tag: int) -> int:
    """Money, position and the record of one trade. Returns the fee."""
    place = state.places[number]
    instrument = place.instrument
    value = lots * price * instrument.cash_per_price_lot
    fee = costs.fee(instrument, value, lots, is_maker=offer.is_maker, traded_value=state.traded_value)
    state.cash[instrument.currency] -= side * value + fee
    place.position += side * lots
    if abs(state.cash[instrument.currency]) > INT64_SAFE or abs(place.position) > instrument.max_lots:
        state.status = StepStatus.OVERFLOW
    state.traded_value += costs.convert_down(value, state.rates[instrument.currency])
    if place.left is not None:
        place.left = max(0, place.left - lots)
    state.fills.append(Fill(row, number, offer.at, side, lots, price, value, fee, offer.reason, offer.is_maker, offer.price, tag))
    return fee


def _end_protected(state: State, order: Order, at: int) -> None:
    """Nothing more is traded behind a protection that has filled."""
    if order.reduce_only and order.parent != NO_ROW and state.orders[order.parent].is_open:
        end(state, state.orders[order.parent], EngineOrderState.CANCELLED, Reason.PROTECTION_FILLED, at)


def _share_group(state: State, order: Order, lots: int, at: int) -> None:
    """One cancels other: what one filled is taken off the rest."""
    if not order.group:
        return
    for other in state.orders:
        if other.group != order.group or other.row == order.row or not other.is_open:
            continue
        other.lots = max(other.lots - lots, other.filled)
        if other.left == 0:
            end(state, other, EngineOrderState.CANCELLED, Reason.GROUP_FILLED, at)


def _feed_children(state: State, parent: Order, *, is_first: bool, lots: int, price: int) -> list[Order]:
    """One triggers other: children open at the first fill and grow with the next ones. Returns those that open."""
    children = [order for order in state.orders if order.parent == parent.row]
    for child in children:
        if is_first and child.state is EngineOrderState.WAITING:
            _open_child(state, child, parent, price)
        elif not is_first and child.is_open:
            child.lots += lots
    return children if is_first else []


def _end_idle_exits(state: State, number: int, at: int) -> None:
    """A fill may leave reduce-only orders without a position that they could reduce."""
    position = state.places[number].position
    for order in state.active_orders(number):
        if order.reduce_only and order.side * position >= 0:
            end(state, order, EngineOrderState.CANCELLED, Reason.NOTHING_TO_REDUCE, at)
