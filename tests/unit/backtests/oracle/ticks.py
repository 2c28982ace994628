"""Quotes, trades and depth snapshots against the book."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from apps.orders.domain.engine_codes import BUY, SELL, EngineOrderState, EngineOrderType, EngineTimeInForce, LimitRule, Reason, StepStatus
from tests.unit.backtests.oracle import costs, liquidation
from tests.unit.backtests.oracle.bars import AT_ONCE, expire, leave_at_once
from tests.unit.backtests.oracle.model import Depth, Level, Order, Place, Quote, State, Trade
from tests.unit.backtests.oracle.orders import Offer, end, raise_trail, try_fill


def step_quote(state: State, quote: Quote) -> StepStatus:
    """Sizes below 0 are not known; they cap fills where a volume share is set."""
    number, at, bid, ask = quote.place, quote.at, quote.bid, quote.ask
    place = state.places[number]
    if not (0 < bid <= ask <= place.instrument.max_price and at >= max(state.now, place.stepped_at)):
        return StepStatus.BAD_BAR
    state.now = place.stepped_at = at
    place.volume = -1
    place.mark = _mark(place, bid, ask)
    expire(state, number, at)
    if place.quote != quote:
        # The same quote stepped again offers what is left of it.
        place.quote = quote
        place.quote_left = {BUY: _share_of_size(place, quote.ask_lots), SELL: _share_of_size(place, quote.bid_lots)}
    left = place.quote_left
    queue = state.active_orders(number)
    for order in queue:
        if order.is_open and order.active_at <= at:
            place.volume, place.left = -1, left[order.side]
            _meet_quote(state, order, ask if order.side == BUY else bid, at, queue)
            left[order.side] = place.left
    place.mark = _mark(place, bid, ask)
    liquidation.at_price(state, number, place.mark, Reason.LIQUIDATED, has_spread=True)
    place.mark = _mark(place, bid, ask)
    _finish(state, number, at)
    return state.status


def _mark(place: Place, bid: int, ask: int) -> int:
    """What closing the position would bring; the middle, rounded down, where there is none."""
    if place.position > 0:
        return bid
    return ask if place.position < 0 else (bid + ask) // 2


def _share_of_size(place: Place, lots: int) -> int | None:
    share = place.instrument.volume_share_ppm
    return costs.share_down(lots, share) if share and lots >= 0 else None


def _meet_quote(state: State, order: Order, price: int, at: int, queue: list[Order]) -> None:
    if order.type is EngineOrderType.MARKET:
        try_fill(state, order, Offer(price, Reason.MARKET_AT_QUOTE, at, has_spread=True), queue.append)
        return
    if order.type is EngineOrderType.TRAILING:
        raise_trail(state, order, price)
    is_fresh = not order.is_seen
    if order.waits_for_stop and order.side * (price - order.stop) >= 0:
        if order.type is not EngineOrderType.STOP_LIMIT:
            reason = Reason.TRAIL_TRIGGERED if order.type is EngineOrderType.TRAILING else Reason.STOP_TRIGGERED
            try_fill(state, order, Offer(price, reason, at, has_spread=True), queue.append)
            return
        order.is_triggered = is_fresh = True
    if order.acts_as_limit and order.side * (order.limit - price) >= 0:
        _meet_limit(state, order, price, at, queue, is_fresh=is_fresh)


def _meet_limit(state: State, order: Order, price: int, at: int, queue: list[Order], *, is_fresh: bool) -> None:
    """The other side has reached the limit: a fresh order takes its price, a waiting one is taken at the limit."""
    if not is_fresh:
        try_fill(state, order, Offer(order.limit, Reason.LIMIT_CROSSED, at, is_maker=True), queue.append)
    elif order.post_only:
        end(state, order, EngineOrderState.CANCELLED, Reason.WOULD_TAKE, at)
    else:
        tick = state.places[order.place].instrument.tick
        rounded = costs.to_tick(price, tick, order.side)
        try_fill(state, order, Offer(rounded, Reason.LIMIT_MARKETABLE, at, pays_slippage=False), queue.append)


def _finish(state: State, number: int, at: int) -> None:
    leave_at_once(state, number, at, lambda order: order.active_at <= at)
    expire(state, number, at)


def step_trade(state: State, trade: Trade) -> StepStatus:
    """Orders in the order of their acceptance: stops, and limits that rest. IOC, FOK and market orders wait for a quote, depth or bar."""
    number, at, price = trade.place, trade.at, trade.price
    place = state.places[number]
    if not (0 < price <= place.instrument.max_price and trade.lots > 0 and at >= max(state.now, place.stepped_at)):
        return StepStatus.BAD_BAR
    state.now = place.stepped_at = at
    place.volume = -1
    place.mark = price
    expire(state, number, at)
    left = trade.lots
    queue = state.active_orders(number)
    for order in queue:
        place.volume, place.left = -1, None
        if not order.is_open or order.active_at > at:
            continue
        if order.waits_for_stop:
            _meet_trade_as_stop(state, order, price, at, queue)
        elif order.acts_as_limit and order.tif not in AT_ONCE:
            left = _meet_trade_as_limit(state, order, trade, left, queue)
    liquidation.at_price(state, number, price, Reason.LIQUIDATED)
    for order in state.active_orders(number):
        order.is_seen, order.is_out = order.is_seen or order.active_at <= at, False
    expire(state, number, at)
    return state.status


def _meet_trade_as_stop(state: State, order: Order, price: int, at: int, queue: list[Order]) -> None:
    if order.type is EngineOrderType.TRAILING:
        raise_trail(state, order, price)
    if order.side * (price - order.stop) < 0:
        return
    if order.type is EngineOrderType.STOP_LIMIT:
        order.is_triggered = True
        return
    reason = Reason.TRAIL_TRIGGERED if order.type is EngineOrderType.TRAILING else Reason.STOP_TRIGGERED
    try_fill(state, order, Offer(price, reason, at), queue.append)


def _meet_trade_as_limit(state: State, order: Order, trade: Trade, left: int, queue: list[Order]) -> int:
    """Through the limit: all of it. At the limit: what is queued ahead first, then us. Returns what is left of the trade for others.

    Without a known queue a touch fills only where the profile lets it.
    """
    place = state.places[order.place]
    offer = Offer(order.limit, Reason.LIMIT_CROSSED, trade.at, is_maker=True)
    beyond = order.side * (order.limit - trade.price)
    if beyond > 0:
        try_fill(state, order, offer, queue.append)
        return left
    if beyond < 0 or left == 0 or (order.queue is None and place.instrument.limit_rule is not LimitRule.TOUCH):
        return left
    eaten = min(order.queue or 0, left)
    order.queue = (order.queue or 0) - eaten
    place.left = left - eaten
    before = order.filled
    if place.left:
        try_fill(state, order, offer, queue.append)
    return left - eaten - (order.filled - before)


def is_bad_depth(state: State, depth: Depth) -> bool:
    """Levels best first, positive, not crossed."""
    bids, asks = depth.bids, depth.asks
    highest = state.places[depth.place].instrument.max_price
    levels = [*bids, *asks]
    is_sorted = all(a.price > b.price for a, b in pairwise(bids)) and all(a.price < b.price for a, b in pairwise(asks))
    if not bids or not asks or bids[0].price > asks[0].price:
        return True
    return (
        not is_sorted
        or depth.at < max(state.now, state.places[depth.place].stepped_at)
        or any(not 0 < one.price <= highest or one.lots < 0 for one in levels)
    )


def step_depth(state: State, depth: Depth) -> StepStatus:
    """Our fills take from the levels that later orders meet, also when the same snapshot is stepped again."""
    if is_bad_depth(state, depth):
        return StepStatus.BAD_BAR
    number, at, bids, asks = depth.place, depth.at, depth.bids, depth.asks
    place = state.places[number]
    state.now = place.stepped_at = at
    place.volume = -1
    place.mark = _mark(place, bids[0].price, asks[0].price)
    expire(state, number, at)
    if place.depth != depth:
        place.depth = depth
        place.depth_left = {BUY: [replace(level) for level in asks], SELL: [replace(level) for level in bids]}
    best = {BUY: asks[0].price, SELL: bids[0].price}
    shown = {BUY: bids, SELL: asks}
    queue = state.active_orders(number)
    for order in queue:
        place.volume, place.left = -1, None
        if order.is_open and order.active_at <= at:
            _meet_depth(state, order, at, queue, best=best[order.side])
            _queue_up(order, shown[order.side])
    place.mark = _mark(place, depth.bids[0].price, depth.asks[0].price)
    liquidation.at_price(state, number, place.mark, Reason.LIQUIDATED, has_spread=True)
    place.mark = _mark(place, depth.bids[0].price, depth.asks[0].price)
    _finish(state, number, at)
    return state.status


def _meet_depth(state: State, order: Order, at: int, queue: list[Order], *, best: int) -> None:
    if order.type is EngineOrderType.MARKET:
        _walk(state, order, queue, lambda level: _taken(level, Reason.DEPTH_LEVEL, at))
        return
    if order.type is EngineOrderType.TRAILING:
        raise_trail(state, order, best)
    is_fresh = not order.is_seen
    if order.waits_for_stop and order.side * (best - order.stop) >= 0:
        if order.type is not EngineOrderType.STOP_LIMIT:
            reason = Reason.TRAIL_TRIGGERED if order.type is EngineOrderType.TRAILING else Reason.STOP_TRIGGERED
            _walk(state, order, queue, lambda level: _taken(level, reason, at))
            return
        order.is_triggered = is_fresh = True
    if not order.acts_as_limit or order.side * (order.limit - best) < 0:
        return
    tick = state.places[order.place].instrument.tick
    if not is_fresh:
        _walk(state, order, queue, lambda level: Offer(order.limit, Reason.LIMIT_CROSSED, at, is_maker=True))
    elif order.post_only:
        end(state, order, EngineOrderState.CANCELLED, Reason.WOULD_TAKE, at)
    else:
        _walk(
            state,
            order,
            queue,
            lambda level: Offer(costs.to_tick(level.price, tick, order.side), Reason.DEPTH_LEVEL, at, pays_slippage=False),
        )


def _taken(level: Level, reason: Reason, at: int) -> Offer:
    return Offer(level.price, reason, at, has_spread=True)


def _walk(state: State, order: Order, queue: list[Order], offer_of: Callable[[Level], Offer]) -> None:
    """A fill per level until the order, the levels within its limit, or the money end. FOK fills all of it so, or nothing."""
    place = state.places[order.place]
    levels = [
        level
        for level in place.depth_left[order.side]
        if level.lots and (not order.acts_as_limit or order.side * (order.limit - level.price) >= 0)
    ]
    if order.tif is EngineTimeInForce.FOK:
        if not _fills_all(state, order, levels, offer_of):
            return
        order.tif = EngineTimeInForce.IOC
        _walk(state, order, queue, offer_of)
        order.tif = EngineTimeInForce.FOK
        return
    for level in levels:
        if not order.is_open:
            break
        place.left = level.lots
        try_fill(state, order, offer_of(level), queue.append)
        level.lots = place.left
    place.left = None


def _fills_all(state: State, order: Order, levels: list[Level], offer_of: Callable[[Level], Offer]) -> bool:
    """Tried on a copy of the account in which the order is alone and need not fill at once."""
    trial = replace(
        state,
        places=[replace(place) for place in state.places],
        cash=list(state.cash),
        orders=[replace(one) for one in state.orders],
        active=[order.row],
        fills=[],
        branches=Counter(),
    )
    alone = trial.orders[order.row]
    alone.tif, alone.group = EngineTimeInForce.GTC, 0
    before = 0
    for level in levels:
        lots = min(alone.left, level.lots)
        if lots == 0:
            break
        trial.places[order.place].left = lots
        try_fill(trial, alone, offer_of(level), lambda child: None)
        if sum(fill.lots for fill in trial.fills[before:]) != lots:
            return False
        before = len(trial.fills)
    return alone.left == 0


def _queue_up(order: Order, shown: tuple[Level, ...]) -> None:
    """A limit that joins a level has its lots ahead; later snapshots can only lower that. Behind the last level nothing is known."""
    if not order.is_open or not order.acts_as_limit or order.side * (order.limit - shown[-1].price) < 0:
        return
    displayed = sum(level.lots for level in shown if level.price == order.limit)
    order.queue = displayed if order.queue is None else min(order.queue, displayed)
