"""An event strategy over a tape: it is told every quote, trade of others and snapshot, after the engine has met its orders with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np

from apps.backtests.domain.event_run import EVENTS_AT_ONCE, WHOLE_EQUITY, EngineDesk, EventPlan, EventRun, no_collection
from apps.backtests.domain.tick_equity import close_at_best, equity_by_moment, raise_tick_status
from apps.backtests.domain.ticks import Int64Array, Tape, TickKind
from apps.backtests.domain.vector_run import Simulation, Workspace, book_simulation
from apps.core.values import InstrumentSpec
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import Engine, NewOrder
from apps.orders.domain.engine_codes import L_ASK, L_BID, Reason, StepStatus
from apps.orders.domain.profiles import EngineProfile
from apps.orders.domain.quote_nb import step_quote, step_trade
from apps.strategies.domain.event_strategy import EventStrategy
from apps.strategies.domain.told import DepthEvent, QuoteEvent, TradeEvent

TRADE, QUOTE, DEPTH = int(TickKind.TRADE), int(TickKind.QUOTE), int(TickKind.DEPTH)
_ALWAYS = -(2**62)
"""Below every envelope: a snapshot is always stepped, because it lowers the queues ahead of what rests."""
Told = QuoteEvent | TradeEvent | DepthEvent


class TickDesk(EngineDesk):
    """The desk over ticks. The account is valued as the engine values it at the event: at the bid where long, the ask where short, the middle
    where flat, and at the price of a trade. A post-only order is held against the other side's price, so that it may join a quote."""

    def __init__(self, engine: Engine, *, times: Int64Array, marks: Int64Array, plan: EventPlan, tape: Tape) -> None:
        super().__init__(engine, times=times, marks=marks, plan=plan)
        self._tape = tape
        self._posting = 0
        """The side of the post-only order that is being judged."""

    def mark(self) -> int:
        tape, index, position = self._tape, self.index, self.position_lots
        if self._posting:
            return int((tape.ask if self._posting > 0 else tape.bid)[index])
        if tape.kind[index] == TRADE:
            return int(tape.traded[index])
        if position:
            return int((tape.bid if position > 0 else tape.ask)[index])
        return super().mark()

    def submit(self, order: NewOrder) -> int:
        self._posting = order.side if order.flags & code.POST_ONLY else 0
        try:
            return super().submit(order)
        finally:
            self._posting = 0

    def amend(self, ticket: int, *, lots: int | None, limit: int | None, stop: int | None) -> Reason:
        book = self.engine.book
        is_post_only = 0 <= ticket < self.engine.orders_used and bool(book[ticket, code.O_FLAGS] & code.POST_ONLY)
        self._posting = int(book[ticket, code.O_SIDE]) if is_post_only else 0
        try:
            return super().amend(ticket, lots=lots, limit=limit, stop=stop)
        finally:
            self._posting = 0


def simulate_event_ticks(
    strategy: EventStrategy,
    instrument: InstrumentSpec,
    profile: EngineProfile,
    tape: Tape,
    *,
    cash: Decimal,
    plan: EventPlan = WHOLE_EQUITY,
    workspace: Workspace | None = None,
) -> Simulation:
    """Tell the strategy every event of a checked tape, each after the engine has met its orders with it.

    An order that is given on a quote or snapshot meets it at once (latency 0), one that is given on a trade the next event; with latency an
    order meets the first event at or after the moment at which it arrives. Equity is told for each moment, after its last event, at the price
    that would close the position. What the strategy raises becomes an InvalidInput that names the event.
    """
    desk = partial(TickDesk, tape=tape)
    marks = (tape.bid + tape.ask) // 2
    run = EventRun(strategy, instrument, profile, cash=cash, workspace=workspace, plan=plan, times=tape.at, marks=marks, desk=desk)
    with no_collection(), run.named_failures("tick"):
        for first in range(0, len(tape), EVENTS_AT_ONCE):
            last = min(first + EVENTS_AT_ONCE, len(tape))
            _tell(run, tape, first, last)
            if plan.watch is not None:
                plan.watch(last)
    if plan.closes_at_end and len(tape):
        close_at_best(run.engine, at=int(tape.at[-1]), bid=int(tape.bid[-1]), ask=int(tape.ask[-1]))
    run.space.keep(run.engine)
    moments, equity = equity_by_moment(run.engine, tape, run.opening_cash)
    return book_simulation(run.engine, run.space, equity, moments, run.opening_cash)


def _tell(run: EventRun, tape: Tape, first: int, last: int) -> None:
    """Events `first` to `last` (exclusive): the engine sees each of them first, unless it lies inside the envelope."""
    engine, desk = run.engine, run.desk
    meets_at_once = engine.profiles[0].latency_us == 0
    tell: dict[int, Callable[[Any], None]] = {TRADE: run.strategy.on_trade, QUOTE: run.strategy.on_quote, DEPTH: run.strategy.on_depth}
    kinds, rows, lows, highs, ats = (column.tolist() for column in _reach(tape, first, last))
    low_bound, high_bound, time_bound = run.bounds()
    told = zip(kinds, rows, lows, highs, ats, _events(engine.instruments[0], tape.part(first, last), first), strict=True)
    for index, (kind, row, bottom, top, at, event) in enumerate(told, first):
        desk.index = index
        if bottom <= low_bound or top >= high_bound or at >= time_bound:
            _step(run, tape, kind, row, index)
            low_bound, high_bound, time_bound = run.bounds()
        tell[kind](event)
        if desk.is_changed:
            desk.is_changed = False
            if meets_at_once and kind != TRADE:
                _step(run, tape, kind, row, index)
            low_bound, high_bound, time_bound = run.bounds()


def _reach(tape: Tape, first: int, last: int) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array, Int64Array]:
    """Kind, row, lowest and highest price and time of events."""
    part = slice(first, last)
    kind, traded = tape.kind[part], tape.traded[part]
    low = np.where(kind == TRADE, traded, np.where(kind == QUOTE, tape.bid[part], _ALWAYS))
    return kind, tape.row[part], low, np.where(kind == TRADE, traded, tape.ask[part]), tape.at[part]


def _step(run: EventRun, tape: Tape, kind: int, row: int, index: int) -> None:
    engine = run.engine
    engine.make_room()
    tables = (engine.book, engine.active, engine.places, engine.account, engine.fills)
    if kind == QUOTE:
        quotes = tape.quotes
        status = step_quote(*tables, 0, quotes.at[row], quotes.bid[row], quotes.ask[row], quotes.bid_lots[row], quotes.ask_lots[row])
    elif kind == TRADE:
        status = step_trade(*tables, 0, tape.trades.at[row], tape.trades.price[row], tape.trades.lots[row])
    else:
        status = engine.step_depth(0, int(tape.depth.at[row]), tape.depth.levels[row])
    if status != StepStatus.OK:
        raise_tick_status(StepStatus(int(status)), index)
    run.after_step(int(status), index)


def _events(spec: InstrumentSpec, tape: Tape, first: int) -> Iterator[Told]:
    """What is told, in the order of the tape: columns are turned into Python numbers at once, reading them one by one would take longer."""
    unit, scale, lot = float(spec.price_unit), spec.price_scale, float(spec.lot_size)

    def prices(column: Int64Array) -> list[float]:
        found: list[float] = (column * unit).round(scale).tolist()
        return found

    def sizes(column: Int64Array) -> list[float]:
        found: list[float] = np.where(column < 0, -1.0, column * lot).tolist()
        return found

    quotes, trades, depth = tape.quotes, tape.trades, tape.depth
    sides = [0] * len(trades) if trades.side is None else trades.side.tolist()
    makers: dict[int, Callable[..., Told]] = {TRADE: TradeEvent, QUOTE: QuoteEvent, DEPTH: DepthEvent}
    columns: dict[int, Iterator[tuple[object, ...]]] = {
        TRADE: zip(prices(trades.price), sizes(trades.lots), sides, strict=True),
        QUOTE: zip(prices(quotes.bid), prices(quotes.ask), sizes(quotes.bid_lots), sizes(quotes.ask_lots), strict=True),
        DEPTH: zip(_side(depth.levels, L_BID, unit, scale, lot), _side(depth.levels, L_ASK, unit, scale, lot), strict=True),
    }
    for index, (kind, at) in enumerate(zip(tape.kind.tolist(), tape.at.tolist(), strict=True), first):
        yield makers[kind](index, at, *next(columns[kind]))


def _side(levels: Int64Array, column: int, unit: float, scale: int, lot: float) -> Iterator[list[tuple[float, float]]]:
    """One side of each snapshot: price and size of its levels."""
    for shown in levels[:, :, column : column + 2].tolist():
        yield [(round(price * unit, scale), lots * lot) for price, lots in shown if price]
