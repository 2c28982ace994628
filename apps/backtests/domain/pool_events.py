"""Event strategies over the bars of several instruments on one account, in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from itertools import groupby

import numpy as np

from apps.backtests.domain.event_run import EVENTS_AT_ONCE, EngineDesk, EventPlan, fill_event, no_collection
from apps.backtests.domain.margin_watch import MarginWatch, watches
from apps.backtests.domain.pool import Pool
from apps.backtests.domain.pool_nb import gross_held, pool_lots
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.vector_run import Workspace, book_simulation
from apps.core.errors import InvalidInput, TradingError
from apps.core.values import InstrumentSpec
from apps.markets.domain.bars import from_micros
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import Engine, EngineBar, NewOrder
from apps.orders.domain.engine_codes import StepStatus
from apps.orders.domain.margin_calls import call_ppm
from apps.orders.domain.sizing_nb import BY_LOTS
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy

_NONE = np.zeros(0, np.int64)
Event = tuple[int, EngineBar, bool]
"""The place of a bar, the bar, and whether the strategy is told something at its close."""


class PoolDesk(EngineDesk):
    """The desk of one instrument. Orders do nothing until its warm-up is over, by its own bars."""

    def __init__(self, engine: Engine, *, place: int, plan: EventPlan) -> None:
        super().__init__(engine, times=_NONE, marks=_NONE, plan=plan, place=place)
        self.index = -1
        """The newest bar that has closed; -1 before the first."""
        self.bar: EngineBar | None = None

    def _settle(self) -> None:
        self._count(int(self.engine.account[code.A_NOW]))

    def submit(self, order: NewOrder) -> int:
        return super().submit(replace(order, place=self.place) if self.place else order)

    def sized_lots(self) -> int:
        if self._plan.sizing == BY_LOTS:
            return self._plan.size
        return int(pool_lots(self.engine.places, self.engine.account, self.place, self._plan.sizing, self._plan.size))

    def equity(self) -> Decimal:
        return self.engine.equity * self.instrument.cash_unit


class PoolEvents:
    """One run: an instance of the strategy for each instrument, or one for all where it trades several."""

    def __init__(self, pool: Pool, build: Callable[[], EventStrategy], plans: Sequence[EventPlan]) -> None:
        self.pool, self.space, self.engine = pool, Workspace(), pool.engine()
        self._opening = self.engine.cash(pool.currency)
        self._desks = [PoolDesk(self.engine, place=place, plan=plan) for place, plan in enumerate(plans)]
        self._strategies = _started(build, self._desks)
        self._seen = [columns if plan.coarse is None else plan.coarse.bars for columns, plan in zip(pool.bars, plans, strict=True)]
        self._told = [bars_told(spec, bars) for spec, bars in zip(pool.specs, self._seen, strict=True)]
        self._is_told = np.ones(len(pool.place), np.int64)
        for slots, plan in zip(pool.slots, plans, strict=True):
            if plan.coarse is not None:
                self._is_told[slots] = 0
                self._is_told[slots[plan.coarse.ends]] = 1
        self._fills_seen = 0
        self._fills: list[list[int]] = [[] for _ in plans]
        self._is_at_close = pool.profiles[0].is_at_close
        watched = watches(self._strategies, pool.profiles[0])
        self._margin = MarginWatch(call_ppm(pool.profiles[0]), pool.specs[0].cash_unit) if watched else None
        self._now = ""

    def run(self, *, closes_at_end: bool, watch: Callable[[int], None] | None) -> RunRecords:
        """Play all bars. Raises InvalidInput naming the bar at which the strategy raised; `watch` hears how many bars are done."""
        pool, engine = self.pool, self.engine
        line, exposure, done, heard = [], [], 0, 0
        with no_collection(), self._named_failures():
            for at, group in groupby(self._events(), key=lambda event: event[1].closed_at):
                events = list(group)
                for place, bar, _ in events:
                    self._meet(place, bar)
                engine.account[code.A_NOW] = at
                self._tell_call(at)
                for place, _, is_told in events:
                    self._tell(place, is_told=is_told)
                line.append(engine.equity)
                exposure.append(int(gross_held(engine.places, engine.account)))
                self._check(int(engine.account[code.A_STATUS]))
                done += len(events)
                if watch is not None and done - heard >= EVENTS_AT_ONCE:
                    watch(done)
                    heard = done
        if watch is not None:
            watch(done)
        values, held = np.array(line, np.int64), np.array(exposure, np.int64)
        if closes_at_end and done:
            pool.close_out(engine, values, held)
        self.space.keep(engine)
        return pool.records(book_simulation(engine, self.space, values, pool.times, self._opening), held)

    def _events(self) -> Iterator[Event]:
        """All bars in the order of time, as Python numbers."""
        events = self.pool.events
        for first in range(0, len(self.pool.place), EVENTS_AT_ONCE):
            part = slice(first, first + EVENTS_AT_ONCE)
            columns = (events.opened_at, events.closed_at, events.open, events.high, events.low, events.close, events.volume)
            places, told = self.pool.place[part].tolist(), self._is_told[part].tolist()
            for place, is_told, *bar in zip(places, told, *(column[part].tolist() for column in columns), strict=True):
                yield place, EngineBar(*bar), bool(is_told)

    def _meet(self, place: int, bar: EngineBar) -> None:
        """Step the bar where it may concern an order, else only take its price."""
        engine, desk = self.engine, self._desks[place]
        desk.index, desk.bar = desk.index + 1, bar
        low, high, time = engine.places[place, code.I_LOW_BOUND : code.I_TIME_BOUND + 1].tolist()
        if bar.low <= low or bar.high >= high or bar.closed_at >= time:
            self._now = f"bar {desk.index} of {desk.instrument.symbol}"
            self._check(int(engine.step_bar(place, bar)), place)
            self._note_fills(place)
        else:
            engine.places[place, code.I_MARK] = bar.close

    def _tell(self, place: int, *, is_told: bool) -> None:
        """Tell the fills of the instrument and its bar, and fill at the close what was ordered there."""
        strategy, desk = self._strategies[place], self._desks[place]
        self._now = f"bar {desk.index} of {desk.instrument.symbol}"
        self._tell_fills(place)
        if is_told:
            strategy.turn_to(desk.instrument.symbol)
            strategy.on_bar(next(self._told[place]))
        if self._is_at_close:
            self._match_at_close()

    def _tell_call(self, at: int) -> None:
        """Tell a margin call that begins at this close to every instance, for they share the account; what has been filled is told before it."""
        if self._margin is None:
            return
        call = self._margin.look(at, self.engine.equity, int(gross_held(self.engine.places, self.engine.account)))
        if call is None:
            return
        for place in range(len(self._desks)):
            self._tell_fills(place)
        self._now = f"the margin call of {from_micros(at):%Y-%m-%d %H:%M}"
        for strategy in dict.fromkeys(self._strategies):
            strategy.on_margin_call(call)

    def _match_at_close(self) -> None:
        now = int(self.engine.account[code.A_NOW])
        for place, desk in enumerate(self._desks):
            if not desk.is_changed:
                continue
            desk.is_changed = False
            if desk.bar is not None and desk.bar.closed_at == now:
                self._check(int(self.engine.match_at_close(place, close=desk.bar.close, volume=desk.bar.volume)), place)
                self._note_fills(place)
                self._tell_fills(place)

    def _note_fills(self, place: int) -> None:
        """Only an event of the instrument fills its orders."""
        used = int(self.engine.account[code.A_FILLS])
        if used > self._fills_seen:
            self._fills[place] += range(self._fills_seen, used)
            self._fills_seen = used
            self._desks[place].position_lots = self.engine.position(place)

    def _tell_fills(self, place: int) -> None:
        rows, strategy = self._fills[place], self._strategies[place]
        if not rows:
            return
        self._fills[place] = []
        if type(strategy).on_fill is not EventStrategy.on_fill:
            spec = self.pool.specs[place]
            strategy.turn_to(spec.symbol)
            for row in rows:
                strategy.on_fill(fill_event(self.engine.fills[row].tolist(), spec))

    def _check(self, status: int, place: int | None = None) -> None:
        if status != StepStatus.OK:
            at = int(np.searchsorted(self.pool.events.closed_at, self.engine.account[code.A_NOW]))
            self.pool.fail(StepStatus(status), at if place is None else int(self.pool.slots[place][self._desks[place].index]))

    @contextmanager
    def _named_failures(self) -> Iterator[None]:
        try:
            yield
        except TradingError:
            raise
        except Exception as error:
            name = type(self._strategies[0]).__name__
            raise InvalidInput(f"{name} raised {type(error).__name__} at {self._now}: {error}", where="strategy") from error


def bars_told(spec: InstrumentSpec, bars: BarColumns) -> Iterator[BarEvent]:
    """Bars as a strategy is told them, one after the other."""
    unit, scale, lot = float(spec.price_unit), spec.price_scale, float(spec.lot_size)
    for first in range(0, len(bars), EVENTS_AT_ONCE):
        part = slice(first, first + EVENTS_AT_ONCE)
        prices = [(column[part] * unit).round(scale).tolist() for column in (bars.open, bars.high, bars.low, bars.close)]
        columns = zip(
            bars.closed_at[part].tolist(), *prices, (bars.volume[part] * lot).tolist(), bars.opened_at[part].tolist(), strict=True
        )
        for index, (at, open_, high, low, close, volume, opened_at) in enumerate(columns, first):
            yield BarEvent(index, at, open_, high, low, close, volume, opened_at, spec.symbol)


def _started(build: Callable[[], EventStrategy], desks: Sequence[PoolDesk]) -> list[EventStrategy]:
    """The strategy of each place, connected to its desk or to all of them."""
    first = build()
    if first.trades_several:
        first.start_on(desks)
        return [first] * len(desks)
    found = [first, *(build() for _ in desks[1:])]
    for strategy, desk in zip(found, desks, strict=True):
        strategy.start(desk)
    return found
