"""Quotes, trades and depth snapshots against the book."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from apps.orders.domain.engine_codes import BUY, SELL, EngineOrderState, EngineOrderType, Reason, StepStatus
from tests.unit.backtests.oracle import costs, liquidation
from tests.unit.backtests.oracle.bars import expire, leave_at_once
from tests.unit.backtests.oracle.model import Order, State
from tests.unit.backtests.oracle.orders import Offer, end, raise_trail, try_fill


@dataclass(frozen=True)
class Quote:
    """The best prices and what stands there."""

    place: int
    at: int
    bid: int
    ask: int
    bid_lots: int
    ask_lots: int


@dataclass(frozen=True)
class Trade:
    """A trade of others."""

    place: int
    at: int
    price: int
    lots: int


@dataclass
class Level:
    """Displayed lots at a price."""

    price: int
    lots: int


@dataclass(frozen=True)
class Depth:
    """Both sides, best first."""

    place: int
    at: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


def step_quote(state: State, quote: Quote) -> StepStatus:
    number, at, bid, ask = quote.place, quote.at, quote.bid, quote.ask
    place = state.places[number]
    if not (0 < bid <= ask <= place.instrument.max_price and min(quote.bid_lots, quote.ask_lots) >= 0 and at >= state.now):
        return StepStatus.BAD_BAR
    expire(state, number, at)
    place.mark = (bid + ask) // 2
    _liquidate_at_quote(state, number, bid, ask, at)
    sizes = {BUY: quote.ask_lots, SELL: quote.bid_lots}
    queue = state.active_orders(number)
    for order in queue:
        if not order.is_open or order.active_at > at:
            continue
        # The price that this side trades at, and what stands there.
        price = ask if order.side == BUY else bid
        place.volume = sizes[order.side]
        place.left = sizes[order.side] if place.instrument.volume_share_ppm else None
        _meet_quote(state, order, price, at, queue)
        if place.left is not None:
            sizes[order.side] = place.left
    return _finish(state, number, at)


def _liquidate_at_quote(state: State, number: int, bid: int, ask: int, at: int) -> None:
    place = state.places[number]
    place.volume, place.left = 0, None
    liquidation.at_price(state, number, bid if place.position > 0 else ask, Reason.LIQUIDATED, at)


def _meet_quote(state: State, order: Order, price: int, at: int, queue: list[Order]) -> None:
    if order.type is EngineOrderType.MARKET:
        try_fill(state, order, Offer(price, Reason.MARKET_AT_QUOTE, at, has_spread=True), queue.append)
        return
    if order.type is EngineOrderType.TRAILING and (order.best == 0 or order.side * (price - order.stop) < 0):
        raise_trail(state, order, price)
    is_fresh = not order.is_seen
    if order.waits_for_stop and order.stop and order.side * (price - order.stop) >= 0:
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
        reason = Reason.LIMIT_MARKETABLE if order.type is EngineOrderType.LIMIT else Reason.STOP_LIMIT_TRIGGERED
        tick = state.places[order.place].instrument.tick
        rounded = costs.to_tick(price, tick, order.side)
        try_fill(state, order, Offer(rounded, reason, at, pays_slippage=False, has_spread=True), queue.append)


def _finish(state: State, number: int, at: int) -> StepStatus:
    place = state.places[number]
    leave_at_once(state, number, at, lambda order: order.active_at <= at)
    expire(state, number, at)
    place.volume, place.left = 0, None
    state.now = max(state.now, at)
    return state.status


def step_trade(state: State, trade: Trade) -> StepStatus:
    """Stops first, then resting limits; IOC, FOK and market orders wait for a quote, depth or bar."""
    number, at, price, lots = trade.place, trade.at, trade.price, trade.lots
    place = state.places[number]
    if not (0 < price <= place.instrument.max_price and lots > 0 and at >= state.now):
        return StepStatus.BAD_BAR
    expire(state, number, at)
    place.mark, place.volume, place.left = price, lots, None
    liquidation.at_price(state, number, price, Reason.LIQUIDATED, at)
    queue = [order for order in state.active_orders(number) if order.active_at <= at]
    for order in queue:
        if order.is_open and order.waits_for_stop:
            _meet_trade_as_stop(state, order, price, at, queue)
    brought = lots
    for order in queue:
        if order.is_open and order.acts_as_limit and not order.waits_for_next_event and order.tif.name not in {"IOC", "FOK"}:
            brought -= _meet_trade_as_limit(state, order, trade, lots - brought, queue)
    for order in queue:
        order.is_seen = True
        order.waits_for_next_event = False
    expire(state, number, at)
    place.volume, place.left = 0, None
    state.now = max(state.now, at)
    return state.status


def _meet_trade_as_stop(state: State, order: Order, price: int, at: int, queue: list[Order]) -> None:
    if order.type is EngineOrderType.TRAILING and (order.best == 0 or order.side * (price - order.stop) < 0):
        raise_trail(state, order, price)
    if order.stop == 0 or order.side * (price - order.stop) < 0:
        return
    if order.type is not EngineOrderType.STOP_LIMIT:
        reason = Reason.TRAIL_TRIGGERED if order.type is EngineOrderType.TRAILING else Reason.STOP_TRIGGERED
        try_fill(state, order, Offer(price, reason, at), queue.append)
        return
    order.is_triggered = order.waits_for_next_event = True
    if order.side * (order.limit - price) >= 0:
        rounded = costs.to_tick(price, state.places[order.place].instrument.tick, order.side)
        try_fill(state, order, Offer(rounded, Reason.STOP_LIMIT_TRIGGERED, at, pays_slippage=False), queue.append)


def _meet_trade_as_limit(state: State, order: Order, trade: Trade, shared: int, queue: list[Order]) -> int:
    """Lots filled. At the limit the trade first eats what is queued ahead of us; `shared` went to earlier orders."""
    lots = trade.lots
    beyond = order.side * (order.limit - trade.price)
    if beyond < 0:
        return 0
    eaten = 0
    if beyond == 0:
        eaten = min(order.queue or 0, lots)
        order.queue = (order.queue or 0) - eaten
    place = state.places[order.place]
    place.left = max(0, lots - eaten - shared)
    before = order.filled
    try_fill(state, order, Offer(order.limit, Reason.LIMIT_CROSSED, trade.at, is_maker=True), queue.append)
    place.left = None
    return order.filled - before


def is_bad_depth(state: State, depth: Depth) -> bool:
    """Levels best first, positive, not crossed."""
    bids, asks = depth.bids, depth.asks
    highest = state.places[depth.place].instrument.max_price
    levels = [*bids, *asks]
    is_sorted = all(a.price > b.price for a, b in pairwise(bids)) and all(a.price < b.price for a, b in pairwise(asks))
    if not bids or not asks or bids[0].price > asks[0].price:
        return True
    return not is_sorted or depth.at < state.now or any(not 0 < one.price <= highest or one.lots < 0 for one in levels)


def step_depth(state: State, depth: Depth) -> StepStatus:
    """Our fills take from the levels that later orders meet."""
    if is_bad_depth(state, depth):
        return StepStatus.BAD_BAR
    number, at, bids, asks = depth.place, depth.at, depth.bids, depth.asks
    place = state.places[number]
    expire(state, number, at)
    place.mark = (bids[0].price + asks[0].price) // 2
    _liquidate_at_quote(state, number, bids[0].price, asks[0].price, at)
    left = {BUY: [replace(level) for level in asks], SELL: [replace(level) for level in bids]}
    best = {BUY: asks[0].price, SELL: bids[0].price}
    shown = {BUY: bids, SELL: asks}
    queue = state.active_orders(number)
    for order in queue:
        if order.is_open and order.active_at <= at:
            _meet_depth(state, order, at, left[order.side], queue, best=best[order.side])
            _queue_up(order, shown[order.side])
    return _finish(state, number, at)


def _meet_depth(state: State, order: Order, at: int, levels: list[Level], queue: list[Order], *, best: int) -> None:
    if order.type is EngineOrderType.MARKET:
        _walk(state, order, at, levels, queue, limit=None)
        return
    if order.type is EngineOrderType.STOP_LIMIT and order.side * (best - order.stop) >= 0:
        order.is_triggered = True
    elif not order.acts_as_limit:
        _meet_quote(state, order, best, at, queue)
    if order.is_open and order.acts_as_limit and order.side * (order.limit - best) >= 0:
        if not order.post_only:
            _walk(state, order, at, levels, queue, limit=order.limit)
        else:
            _meet_limit(state, order, best, at, queue, is_fresh=not order.is_seen)


def _walk(state: State, order: Order, at: int, levels: list[Level], queue: list[Order], *, limit: int | None) -> None:
    """A fill per level until the order, the levels within its limit, or the money end."""
    place = state.places[order.place]
    for level in levels:
        if not order.is_open or (limit is not None and order.side * (limit - level.price) < 0):
            break
        place.volume, place.left = level.lots, level.lots
        try_fill(state, order, Offer(level.price, Reason.DEPTH_LEVEL, at, pays_slippage=limit is None, has_spread=True), queue.append)
        level.lots = place.left
    place.volume, place.left = 0, None


def _queue_up(order: Order, shown: tuple[Level, ...]) -> None:
    """A limit that joins a level has its lots ahead; later snapshots can only lower that."""
    if not order.is_open or not order.acts_as_limit:
        return
    displayed = sum(level.lots for level in shown if level.price == order.limit)
    order.queue = displayed if order.queue is None else min(order.queue, displayed)
