"""An event strategy over bars or quotes: plain Python called only where something happens to its orders, the engine for everything else."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.coarse_bars import CoarseBars
from apps.backtests.domain.equity_nb import fill_equity
from apps.backtests.domain.margin_watch import told_first
from apps.backtests.domain.vector_run import Simulation, Workspace, book_simulation, close_out, raise_status
from apps.core.errors import InvalidInput, TradingError
from apps.core.values import InstrumentSpec
from apps.orders.domain import engine_codes as code
from apps.orders.domain.bar_nb import step_bar
from apps.orders.domain.engine import Engine, NewOrder
from apps.orders.domain.engine_codes import EngineOrderState, Reason, StepStatus
from apps.orders.domain.profiles import EngineProfile
from apps.orders.domain.quote_nb import step_quote
from apps.orders.domain.sizing_nb import BY_EQUITY, BY_LOTS, sized_lots
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.event_strategy import MOST_ORDERS_AT_ONCE, BarEvent, EventStrategy, FillEvent, QuoteEvent

Int64Array: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class QuoteColumns:
    """Best bids and asks as contiguous int64 arrays in the engine's units; sizes in lots, -1 where they are not known."""

    at: Int64Array
    bid: Int64Array
    ask: Int64Array
    bid_lots: Int64Array
    ask_lots: Int64Array

    def __len__(self) -> int:
        return len(self.at)

    def check(self, instrument: InstrumentSpec) -> None:
        """Raise InvalidInput naming the first quote that is out of order, crossed or no quote at all."""
        bad = (self.bid <= 0) | (self.ask < self.bid) | (self.ask > instrument.price_units(instrument.max_price))
        bad[1:] |= self.at[1:] < self.at[:-1]
        if bad.any():
            index = int(bad.argmax())
            raise InvalidInput(
                f"Quote {index} of {instrument.symbol} cannot be traded: bid {self.bid[index]}, ask {self.ask[index]} price units.",
                where=f"quotes[{index}]",
                hint="Bids must be positive and not above asks, and times must not go back.",
            )


@dataclass(frozen=True)
class EventPlan:
    """How a run trades: from which event on orders are taken, and what an entry buys when the strategy leaves it open (see `sizing_nb`).

    `watch` is called now and then with the number of events done; what it raises ends the run.
    """

    first_event: int = 0
    sizing: int = BY_EQUITY
    size: int = code.PPM
    closes_at_end: bool = False
    limits: Int64Array | None = None
    """Pre-trade limits, see `pretrade_nb`."""
    watch: Callable[[int], None] | None = None
    coarse: CoarseBars | None = None
    """What the strategy is told instead of the bars that orders fill on."""


WHOLE_EQUITY = EventPlan()
EVENTS_AT_ONCE = 65_536


class EngineDesk:
    """The desk of a backtest: orders go straight into the engine, at the moment of the event that is being told."""

    def __init__(self, engine: Engine, *, times: Int64Array, marks: Int64Array, plan: EventPlan, place: int = 0) -> None:
        self.engine, self.place = engine, place
        self.instrument = engine.instruments[place]
        self.position_lots = 0
        self.is_changed = False
        self.index = 0
        """The event that is being told."""
        self._times, self._marks, self._plan = times, marks, plan
        self._warmup = plan.first_event
        self._counted, self._at_once = -1, 0

    def mark(self) -> int:
        """The price at which the account is valued while the event is being told."""
        return int(self._marks[self.index])

    def _settle(self) -> None:
        index = self.index
        self.engine.account[code.A_NOW] = self._times[index]
        self.engine.places[0, code.I_MARK] = self.mark()
        self._count(index)

    def _count(self, event: int) -> None:
        """One more call on this event."""
        self.is_changed = True
        if event != self._counted:
            self._counted, self._at_once = event, 0
        self._at_once += 1
        if self._at_once > MOST_ORDERS_AT_ONCE:
            raise InvalidInput(
                f"The strategy gave more than {MOST_ORDERS_AT_ONCE} orders on one event.",
                where="strategy",
                hint="Look for an endless loop of orders.",
            )

    def submit(self, order: NewOrder) -> int:
        if self.index < self._warmup:
            return code.NO_ROW
        self._settle()
        return self.engine.submit(order, limits=self._plan.limits)

    def cancel(self, ticket: int) -> Reason:
        self._settle()
        return self.engine.cancel(ticket)

    def cancel_all(self, *, only_exits: bool = False) -> int:
        left = 0
        for row in self.engine.active[: int(self.engine.account[code.A_ACTIVE])].tolist():
            if self.engine.book[row, code.O_PLACE] != self.place:
                continue
            if only_exits and not self.engine.book[row, code.O_FLAGS] & code.REDUCE_ONLY:
                left += 1
            else:
                self.cancel(row)
        return left

    def amend(self, ticket: int, *, lots: int | None, limit: int | None, stop: int | None) -> Reason:
        self._settle()
        return self.engine.amend(ticket, lots=lots, limit=limit, stop=stop)

    def state(self, ticket: int) -> EngineOrderState:
        return self.engine.state(ticket)

    def new_group(self) -> int:
        return self.engine.new_group()

    def sized_lots(self) -> int:
        self.engine.places[0, code.I_MARK] = self.mark()
        if self._plan.sizing == BY_LOTS:
            return self._plan.size
        return int(sized_lots(self.engine.places, self.engine.account, 0, self._plan.sizing, self._plan.size))

    def equity(self) -> Decimal:
        self.engine.places[0, code.I_MARK] = self.mark()
        return self.engine.equity * self.instrument.cash_unit


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector, which halts a run for tens of milliseconds, out of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class EventRun:
    """What bars and quotes have in common: telling fills, and where cash and position changed."""

    def __init__(
        self,
        strategy: EventStrategy,
        instrument: InstrumentSpec,
        profile: EngineProfile,
        *,
        cash: Decimal,
        workspace: Workspace | None,
        plan: EventPlan,
        times: Int64Array,
        marks: Int64Array,
        desk: Callable[..., EngineDesk] = EngineDesk,
    ) -> None:
        self.strategy = strategy
        self.space = workspace or Workspace()
        self.engine = Engine([instrument], [profile], cash={instrument.quote_asset: cash})
        self.opening_cash = self.engine.cash(instrument.quote_asset)
        self.space.lend(self.engine)
        self.desk = desk(self.engine, times=times, marks=marks, plan=plan)
        self.hears_fills = type(strategy).on_fill is not EventStrategy.on_fill
        self.fills_told = 0
        self.changed_at: list[int] = [0]
        self.cash_then: list[int] = [self.opening_cash]
        self.worth_then: list[int] = [0]
        self.per_price = instrument.cash_units_per_price_unit_lot
        strategy.start(self.desk)
        self.on_bar = told_first(
            strategy, profile, instrument.cash_unit, now=lambda: int(times[self.desk.index]), account=self.account, tell=strategy.on_bar
        )

    def account(self) -> tuple[int, int]:
        """Equity and gross exposure at the price of the event."""
        held = self.worth_then[-1] * int(self.desk.mark())
        return self.cash_then[-1] + held, abs(held)

    @contextmanager
    def named_failures(self, event: str) -> Iterator[None]:
        """Turn what the strategy raises into an error that says at which event."""
        try:
            yield
        except TradingError:
            raise
        except Exception as error:
            name, where = type(self.strategy).__name__, f"{event} {self.desk.index}"
            raise InvalidInput(f"{name} raised {type(error).__name__} at {where}: {error}", where="strategy") from error

    def bounds(self) -> tuple[int, int, int]:
        """The envelope as Python numbers."""
        low, high, time = self.engine.places[0, code.I_LOW_BOUND : code.I_TIME_BOUND + 1].tolist()
        return low, high, time

    def after_step(self, status: int, index: int) -> None:
        """Note what the step changed and tell the fills."""
        if status != StepStatus.OK:
            raise_status(StepStatus(status), index)
        engine = self.engine
        used = int(engine.account[code.A_FILLS])
        if used == self.fills_told:
            return
        position = int(engine.places[0, code.I_POSITION])
        self.desk.position_lots = position
        self.changed_at.append(index)
        self.cash_then.append(int(engine.account[code.A_CASH]))
        self.worth_then.append(position * self.per_price)
        first, self.fills_told = self.fills_told, used
        if self.hears_fills:
            for row in engine.fills[first:used].tolist():
                self.strategy.on_fill(fill_event(row, engine.instruments[0]))

    def finish(self, prices: Int64Array, at: Int64Array, *, closing: BarColumns | None = None) -> Simulation:
        """Equity at every event, trades and entries."""
        equity = self.space.equity_of(len(prices))
        changed_at, cash, worth = (np.array(values, np.int64) for values in (self.changed_at, self.cash_then, self.worth_then))
        fill_equity(changed_at, cash, worth, prices, equity)
        if closing is not None:
            close_out(self.engine, closing, equity)
        self.space.keep(self.engine)
        return book_simulation(self.engine, self.space, equity, at, self.opening_cash)


def simulate_event_bars(
    strategy: EventStrategy,
    instrument: InstrumentSpec,
    profile: EngineProfile,
    bars: BarColumns,
    *,
    cash: Decimal,
    plan: EventPlan = WHOLE_EQUITY,
    workspace: Workspace | None = None,
) -> Simulation:
    """Tell the strategy every bar. Bars must have been checked. What the strategy raises becomes an InvalidInput that names the bar."""
    run = EventRun(strategy, instrument, profile, cash=cash, workspace=workspace, plan=plan, times=bars.closed_at, marks=bars.close)
    with no_collection(), run.named_failures("bar"):
        for first in range(0, len(bars), EVENTS_AT_ONCE):
            last = min(first + EVENTS_AT_ONCE, len(bars))
            if plan.coarse is None:
                _tell_bars(run, bars, first, last)
            else:
                _tell_coarse_bars(run, bars, plan.coarse, first, last)
            if plan.watch is not None:
                plan.watch(min(first + EVENTS_AT_ONCE, len(bars)))
    return run.finish(bars.close, bars.closed_at, closing=bars if plan.closes_at_end and len(bars) else None)


def _tell_bars(run: EventRun, bars: BarColumns, first: int, last: int) -> None:
    """Bars `first` to `last` (exclusive) as Python numbers: reading them out of arrays one by one would take longer than all the rest."""
    engine, desk, on_bar = run.engine, run.desk, run.on_bar
    part = slice(first, last)
    unit, scale = float(engine.instruments[0].price_unit), engine.instruments[0].price_scale
    opens, highs, lows, closes = ((column[part] * unit).round(scale).tolist() for column in (bars.open, bars.high, bars.low, bars.close))
    volumes = (bars.volume[part] * float(engine.instruments[0].lot_size)).tolist()
    low_units, high_units, ats = bars.low[part].tolist(), bars.high[part].tolist(), bars.closed_at[part].tolist()
    opened = bars.opened_at[part].tolist()
    is_at_close, symbol = engine.profiles[0].is_at_close, engine.instruments[0].symbol
    low_bound, high_bound, time_bound = run.bounds()
    columns = zip(ats, low_units, high_units, opens, highs, lows, closes, volumes, opened, strict=True)
    for index, (at, bottom, top, open_, high, low, close, volume, opened_at) in enumerate(columns, first):
        desk.index = index
        if bottom <= low_bound or top >= high_bound or at >= time_bound:
            run.after_step(_step_bar(engine, bars, index), index)
            low_bound, high_bound, time_bound = run.bounds()
        on_bar(BarEvent(index, at, open_, high, low, close, volume, opened_at, symbol))
        if desk.is_changed:
            desk.is_changed = False
            if is_at_close:
                run.after_step(int(engine.match_at_close(0, close=bars.close[index], volume=bars.volume[index])), index)
            low_bound, high_bound, time_bound = run.bounds()


def _tell_coarse_bars(run: EventRun, bars: BarColumns, coarse: CoarseBars, first: int, last: int) -> None:
    """Step every fine bar that may concern an order; tell a coarse bar at the fine bar that ends it."""
    engine, desk = run.engine, run.desk
    seen, spec = coarse.bars, engine.instruments[0]
    unit, scale, lot = float(spec.price_unit), spec.price_scale, float(spec.lot_size)
    ends = dict(zip(coarse.ends.tolist(), range(len(seen)), strict=True))
    for index in range(first, last):
        desk.index = index
        low_bound, high_bound, time_bound = run.bounds()
        if bars.low[index] <= low_bound or bars.high[index] >= high_bound or bars.closed_at[index] >= time_bound:
            run.after_step(_step_bar(engine, bars, index), index)
        bar = ends.get(index)
        if bar is None:
            continue
        open_, high, low, close = (round(float(column[bar]) * unit, scale) for column in (seen.open, seen.high, seen.low, seen.close))
        volume, opened_at = float(seen.volume[bar]) * lot, int(seen.opened_at[bar])
        run.on_bar(BarEvent(bar, int(seen.closed_at[bar]), open_, high, low, close, volume, opened_at, spec.symbol))
        if desk.is_changed:
            desk.is_changed = False
            if engine.profiles[0].is_at_close:
                run.after_step(int(engine.match_at_close(0, close=bars.close[index], volume=bars.volume[index])), index)


def simulate_event_quotes(
    strategy: EventStrategy,
    instrument: InstrumentSpec,
    profile: EngineProfile,
    quotes: QuoteColumns,
    *,
    cash: Decimal,
    plan: EventPlan = WHOLE_EQUITY,
    workspace: Workspace | None = None,
) -> Simulation:
    """Tell the strategy every quote; a market order meets the quote at which it is given (latency 0) or the first after its latency."""
    run = EventRun(strategy, instrument, profile, cash=cash, workspace=workspace, plan=plan, times=quotes.at, marks=quotes.bid)
    with no_collection(), run.named_failures("quote"):
        for first in range(0, len(quotes), EVENTS_AT_ONCE):
            _tell_quotes(run, quotes, first, min(first + EVENTS_AT_ONCE, len(quotes)))
            if plan.watch is not None:
                plan.watch(min(first + EVENTS_AT_ONCE, len(quotes)))
    return run.finish(quotes.bid, quotes.at)


def _tell_quotes(run: EventRun, quotes: QuoteColumns, first: int, last: int) -> None:
    engine, desk, on_quote = run.engine, run.desk, run.strategy.on_quote
    part = slice(first, last)
    unit, scale = float(engine.instruments[0].price_unit), engine.instruments[0].price_scale
    bids, asks = ((column[part] * unit).round(scale).tolist() for column in (quotes.bid, quotes.ask))
    bid_units, ask_units, ats = quotes.bid[part].tolist(), quotes.ask[part].tolist(), quotes.at[part].tolist()
    has_latency = engine.profiles[0].latency_us > 0
    low_bound, high_bound, time_bound = run.bounds()
    for index, (at, bottom, top, bid, ask) in enumerate(zip(ats, bid_units, ask_units, bids, asks, strict=True), first):
        desk.index = index
        if bottom <= low_bound or top >= high_bound or at >= time_bound:
            run.after_step(_step_quote(engine, quotes, index), index)
            low_bound, high_bound, time_bound = run.bounds()
        on_quote(QuoteEvent(index, at, bid, ask))
        if desk.is_changed:
            desk.is_changed = False
            if not has_latency:
                run.after_step(_step_quote(engine, quotes, index), index)
            low_bound, high_bound, time_bound = run.bounds()


def _step_bar(engine: Engine, bars: BarColumns, index: int) -> int:
    engine.make_room()
    return step_bar(
        engine.book, engine.active, engine.places, engine.account, engine.fills, 0, bars.opened_at[index], bars.closed_at[index],
        bars.open[index], bars.high[index], bars.low[index], bars.close[index], bars.volume[index],
    )  # fmt: skip


def _step_quote(engine: Engine, quotes: QuoteColumns, index: int) -> int:
    engine.make_room()
    return step_quote(
        engine.book, engine.active, engine.places, engine.account, engine.fills, 0,
        quotes.at[index], quotes.bid[index], quotes.ask[index], quotes.bid_lots[index], quotes.ask_lots[index],
    )  # fmt: skip


def fill_event(row: list[int], instrument: InstrumentSpec) -> FillEvent:
    """A row of the engine's fills as the strategy is told it."""
    return FillEvent(
        order=row[code.F_ORDER],
        at=row[code.F_AT],
        side=row[code.F_SIDE],
        quantity=instrument.quantity(row[code.F_LOTS]),
        price=instrument.price(row[code.F_PRICE]),
        fee=instrument.cash(row[code.F_FEE]),
        reason=Reason(row[code.F_REASON]),
        tag=row[code.F_TAG],
        symbol=instrument.symbol,
    )
