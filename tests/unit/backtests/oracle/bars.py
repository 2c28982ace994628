"""One bar against the book, phase by phase as the note numbers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.orders.domain.engine_codes import (
    BUY,
    NEVER,
    EngineOrderState,
    EngineOrderType,
    EngineTimeInForce,
    LimitRule,
    RangeOrder,
    Reason,
    StepStatus,
    TrailRule,
)
from tests.unit.backtests.oracle import costs, liquidation
from tests.unit.backtests.oracle.model import Order, Place, State
from tests.unit.backtests.oracle.orders import Offer, end, raise_trail, try_fill

_AT_OPEN = {EngineOrderType.MARKET, EngineOrderType.MARKET_ON_OPEN}
AT_ONCE = {EngineTimeInForce.IOC, EngineTimeInForce.FOK}


@dataclass(frozen=True)
class Bar:
    """Prices in price units, volume in lots, times in microseconds."""

    place: int
    opened_at: int
    closed_at: int
    open: int
    high: int
    low: int
    close: int
    volume: int


def is_bad(state: State, bar: Bar) -> bool:
    place = state.places[bar.place]
    highest = place.instrument.max_price
    if bar.opened_at < place.stepped_at:
        return True
    return not (
        0 < bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high <= highest and bar.opened_at < bar.closed_at
    )


def step_bar(state: State, bar: Bar) -> StepStatus:
    if is_bad(state, bar):
        return StepStatus.BAD_BAR
    place = state.places[bar.place]
    _set_volume(place, bar.volume, bar.closed_at)
    state.now = bar.closed_at
    place.mark = bar.open
    expire(state, bar.place, bar.opened_at)
    liquidation.at_price(state, bar.place, bar.open, Reason.LIQUIDATED_AT_OPEN)
    _open_phase(state, bar)
    _range_phase(state, bar)
    _trailing_phase(state, bar)
    liquidation.in_range(state, bar.place, open_=bar.open, low=bar.low, high=bar.high)
    _close_phase(state, bar)
    place.mark = bar.close
    return state.status


def _set_volume(place: Place, volume: int, at: int) -> None:
    """What the bar traded (below 0: not known), and what of it orders may take."""
    share = place.instrument.volume_share_ppm
    place.volume, place.stepped_at = volume, at
    place.left = costs.share_down(volume, share) if share > 0 and volume >= 0 else None


def expire(state: State, place: int, at: int) -> None:
    """Open orders of the instrument whose time has come; one that waits for its parent does so only once it is open."""
    for order in state.active_orders(place):
        if order.expires_at != NEVER and order.expires_at <= at:
            reason = Reason.DAY_OVER if order.tif is EngineTimeInForce.DAY else Reason.TIME_OVER
            end(state, order, EngineOrderState.EXPIRED, reason, state.now)


def view(order: Order, bar: Bar) -> Bar | None:
    """What the order sees of the bar: all, its close only (where there is no open to trade on), or nothing."""
    if order.active_at <= bar.opened_at:
        return bar
    if order.active_at < bar.closed_at and order.type is not EngineOrderType.MARKET_ON_OPEN:
        return Bar(bar.place, bar.closed_at, bar.closed_at, bar.close, bar.close, bar.close, bar.close, bar.volume)
    return None


def _open_phase(state: State, bar: Bar) -> None:
    queue = state.active_orders(bar.place)
    for order in queue:
        seen = view(order, bar)
        if order.is_open and seen is not None:
            _meet_open(state, order, seen, queue)


def _meet_open(state: State, order: Order, bar: Bar, queue: list[Order]) -> None:
    price = bar.open
    if order.type in _AT_OPEN:
        try_fill(state, order, Offer(price, Reason.MARKET_AT_OPEN, bar.closed_at), queue.append)
        return
    if order.type is EngineOrderType.TRAILING and order.best == 0:
        raise_trail(state, order, price)
    if order.waits_for_stop and order.side * (price - order.stop) >= 0:
        if order.type is EngineOrderType.STOP_LIMIT:
            order.is_triggered = True
        else:
            reason = Reason.TRAIL_GAPPED if order.type is EngineOrderType.TRAILING else Reason.STOP_GAPPED
            try_fill(state, order, Offer(price, reason, bar.closed_at), queue.append)
            return
    if order.acts_as_limit and order.side * (order.limit - price) > 0:
        _gap_limit(state, order, bar, queue)


def _gap_limit(state: State, order: Order, bar: Bar, queue: list[Order]) -> None:
    """The open is strictly better than the limit. Rounded to the tick against the trader, which never passes the limit."""
    if not order.post_only:
        tick = state.places[order.place].instrument.tick
        price = costs.to_tick(bar.open, tick, order.side)
        try_fill(state, order, Offer(price, Reason.LIMIT_GAPPED, bar.closed_at, pays_slippage=False), queue.append)
    elif order.is_seen:
        try_fill(state, order, Offer(order.limit, Reason.LIMIT_CROSSED, bar.closed_at, is_maker=True), queue.append)
    else:
        end(state, order, EngineOrderState.CANCELLED, Reason.WOULD_TAKE, bar.closed_at)


def _range_phase(state: State, bar: Bar) -> None:
    instrument = state.places[bar.place].instrument
    orders = state.active_orders(bar.place)
    if instrument.trail_rule is TrailRule.RAISE_TEST:
        for order in orders:
            seen = view(order, bar)
            if seen is not None and order.type is EngineOrderType.TRAILING:
                raise_trail(state, order, _best_extreme(order, seen))
    if instrument.range_order is RangeOrder.ACCEPTANCE:
        for order in orders:
            _test_stop(state, order, bar)
            _test_limit(state, order, bar)
        return
    for order in orders:
        _test_stop(state, order, bar)
    for order in orders:
        _test_limit(state, order, bar)


def _open_in_range(state: State, child: Order, bar: Bar) -> None:
    """A child opened inside the bar: its stop is tested at once, all else waits for the next event.

    A stop that the market is already beyond when the parent fills trades no better than the parent did.
    """
    child.waits_for_next_event = True
    parent_fill = next(fill for fill in state.fills if fill.order == child.parent)
    _test_stop(state, child, bar, nearest=parent_fill.price)


def _test_stop(state: State, order: Order, bar: Bar, *, nearest: int | None = None) -> None:
    """At the stop; a stop that the whole bar is beyond trades at the bar's nearest price (or at `nearest`, where that is worse)."""
    seen = view(order, bar)
    if seen is None or not order.is_open or not order.waits_for_stop or order.stop == 0 or order.is_out:
        return
    reached = seen.high >= order.stop if order.side == BUY else seen.low <= order.stop
    if not reached:
        return

    def opened(child: Order) -> None:
        _open_in_range(state, child, bar)

    known = [order.stop, seen.low if order.side == BUY else seen.high] + ([] if nearest is None else [nearest])
    price = max(known) if order.side == BUY else min(known)
    reason = _reason_of_stop(order)
    if order.type is EngineOrderType.STOP_LIMIT:
        order.is_triggered = order.waits_for_next_event = True
        if order.side * (order.limit - order.stop) < 0:
            return
    try_fill(state, order, Offer(price, reason, seen.closed_at), opened)


def _reason_of_stop(order: Order) -> Reason:
    if order.type is EngineOrderType.STOP_LIMIT:
        return Reason.STOP_LIMIT_TRIGGERED
    return Reason.TRAIL_TRIGGERED if order.type is EngineOrderType.TRAILING else Reason.STOP_TRIGGERED


def _test_limit(state: State, order: Order, bar: Bar) -> None:
    seen = view(order, bar)
    if seen is None or not order.is_open or not order.acts_as_limit or order.waits_for_next_event:
        return
    beyond = order.limit - seen.low if order.side == BUY else seen.high - order.limit
    touches = state.places[order.place].instrument.limit_rule is LimitRule.TOUCH
    if beyond > 0 or (touches and beyond == 0):

        def opened(child: Order) -> None:
            _open_in_range(state, child, bar)

        try_fill(state, order, Offer(order.limit, Reason.LIMIT_CROSSED, seen.closed_at, is_maker=True), opened)


def _best_extreme(order: Order, bar: Bar) -> int:
    return bar.low if order.side == BUY else bar.high


def _trailing_phase(state: State, bar: Bar) -> None:
    """The bar's extreme raises the stop; a close beyond the raised stop has crossed it. One opened inside the bar knows only its close."""
    rule = state.places[bar.place].instrument.trail_rule
    if rule is TrailRule.RAISE_TEST:
        return
    for order in state.active_orders(bar.place):
        seen = view(order, bar)
        if seen is None or not order.is_open or order.type is not EngineOrderType.TRAILING:
            continue
        raise_trail(state, order, seen.close if order.waits_for_next_event else _best_extreme(order, seen))
        if rule is TrailRule.TEST_RAISE_TEST_CLOSE and not order.is_out and order.side * (seen.close - order.stop) >= 0:

            def opened(child: Order) -> None:
                child.waits_for_next_event = True

            try_fill(state, order, Offer(order.stop, Reason.TRAIL_TRIGGERED, seen.closed_at), opened)


def _close_phase(state: State, bar: Bar) -> None:
    def opened(child: Order) -> None:
        child.waits_for_next_event = True

    for order in state.active_orders(bar.place):
        if order.is_open and order.type is EngineOrderType.MARKET_ON_CLOSE and view(order, bar) is not None:
            try_fill(state, order, Offer(bar.close, Reason.MARKET_AT_CLOSE, bar.closed_at), opened)
    leave_at_once(state, bar.place, bar.closed_at, lambda order: view(order, bar) is not None)
    expire(state, bar.place, bar.closed_at)


def leave_at_once(state: State, place: int, at: int, has_met: Callable[[Order], bool]) -> None:
    """The event is over: what had to fill in it leaves, the others have been seen."""
    for order in state.active_orders(place):
        is_new, order.waits_for_next_event, order.is_out = order.waits_for_next_event, False, False
        if is_new or not has_met(order):
            continue
        order.is_seen = True
        if order.tif in AT_ONCE:
            end(state, order, EngineOrderState.CANCELLED, Reason.NOT_FILLED_AT_ONCE, at)


def match_at_close(state: State, number: int, close: int, volume: int) -> StepStatus:
    """Market orders that were submitted on the close of the last bar fill at it, from what is left of its volume."""
    place = state.places[number]
    if place.stepped_at != state.now:
        _set_volume(place, volume, state.now)
    place.volume = volume
    for order in state.active_orders(number):
        is_fresh = order.submitted_at == state.now and order.active_at <= state.now
        if not order.is_open or order.type is not EngineOrderType.MARKET or not is_fresh:
            continue
        try_fill(state, order, Offer(close, Reason.MARKET_AT_CLOSE, state.now), lambda child: None)
        if order.is_open and order.tif in AT_ONCE:
            end(state, order, EngineOrderState.CANCELLED, Reason.NOT_FILLED_AT_ONCE, state.now)
    return state.status
