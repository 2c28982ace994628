"""An event strategy over bars or quotes: plain Python called only where something happens to its orders, the engine for everything else."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.equity_nb import fill_equity
from apps.backtests.domain.vector_run import BarColumns, Simulation, Workspace, book_simulation, raise_status
from apps.core.errors import InvalidInput, TradingError
from apps.core.values import InstrumentSpec
from apps.orders.domain import engine_codes as code
from apps.orders.domain.bar_nb import match_at_close, step_bar
from apps.orders.domain.engine import Engine, NewOrder
from apps.orders.domain.engine_codes import EngineOrderState, Reason, StepStatus
from apps.orders.domain.profiles import EngineProfile
from apps.orders.domain.quote_nb import step_quote
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy, FillEvent, QuoteEvent

Int64Array: TypeAlias = npt.NDArray[np.int64]

MOST_ORDERS_AT_ONCE = 1_000
"""Orders that one event may bring; more is an endless loop."""


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


class EngineDesk:
    """The desk of a backtest: orders go straight into the engine, at the moment of the event that is being told."""

    def __init__(self, engine: Engine, *, times: Sequence[int], marks: Sequence[int], warmup: int) -> None:
        self.engine = engine
        self.instrument = engine.instruments[0]
        self.position_lots = 0
        self.is_changed = False
        self.index = 0
        """The event that is being told."""
        self._times, self._marks, self._warmup = times, marks, warmup
        self._counted, self._at_once = -1, 0

    def _settle(self) -> None:
        index = self.index
        self.engine.account[code.A_NOW] = self._times[index]
        self.engine.places[0, code.I_MARK] = self._marks[index]
        self.is_changed = True
        if index != self._counted:
            self._counted, self._at_once = index, 0
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
        return self.engine.submit(order)

    def cancel(self, ticket: int) -> Reason:
        self._settle()
        return self.engine.cancel(ticket)

    def cancel_all(self) -> None:
        active = self.engine.active[: int(self.engine.account[code.A_ACTIVE])]
        for row in active.tolist():
            self.cancel(row)

    def amend(self, ticket: int, *, lots: int | None, limit: int | None, stop: int | None) -> Reason:
        self._settle()
        return self.engine.amend(ticket, lots=lots, limit=limit, stop=stop)

    def state(self, ticket: int) -> EngineOrderState:
        return self.engine.state(ticket)

    def new_group(self) -> int:
        return self.engine.new_group()

    def equity(self) -> Decimal:
        self.engine.places[0, code.I_MARK] = self._marks[self.index]
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


class _Run:
    """What bars and quotes have in common: telling fills, and where cash and position changed."""

    def __init__(
        self,
        strategy: EventStrategy,
        instrument: InstrumentSpec,
        profile: EngineProfile,
        *,
        cash: Decimal,
        workspace: Workspace | None,
        times: Sequence[int],
        marks: Sequence[int],
    ) -> None:
        self.strategy = strategy
        self.space = workspace or Workspace()
        self.engine = Engine([instrument], [profile], cash={instrument.quote_asset: cash})
        self.opening_cash = self.engine.cash(instrument.quote_asset)
        self.space.lend(self.engine)
        self.desk = EngineDesk(self.engine, times=times, marks=marks, warmup=strategy.warmup_bars)
        self.hears_fills = type(strategy).on_fill is not EventStrategy.on_fill
        self.fills_told = 0
        self.changed_at: list[int] = [0]
        self.cash_then: list[int] = [self.opening_cash]
        self.worth_then: list[int] = [0]
        self.per_price = instrument.cash_units_per_price_unit_lot
        strategy.start(self.desk)

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
                self.strategy.on_fill(_fill_event(row, engine.instruments[0]))

    def finish(self, prices: Int64Array, at: Int64Array) -> Simulation:
        """Equity at every event, trades and entries."""
        equity = self.space.equity_of(len(prices))
        columns = [np.array(values, np.int64) for values in (self.changed_at, self.cash_then, self.worth_then)]
        fill_equity(*columns, prices, equity)
        self.space.keep(self.engine)
        return book_simulation(self.engine, self.space, equity, at, self.opening_cash)


def simulate_event_bars(
    strategy: EventStrategy,
    instrument: InstrumentSpec,
    profile: EngineProfile,
    bars: BarColumns,
    *,
    cash: Decimal,
    workspace: Workspace | None = None,
) -> Simulation:
    """Tell the strategy every bar. Bars must have been checked. What the strategy raises becomes a StrategyFailed that names the bar."""
    unit = float(instrument.price_unit)
    lows, highs, closes, ats = bars.low.tolist(), bars.high.tolist(), bars.close.tolist(), bars.closed_at.tolist()
    run = _Run(strategy, instrument, profile, cash=cash, workspace=workspace, times=ats, marks=closes)
    engine, desk, on_bar = run.engine, run.desk, strategy.on_bar
    floats = [(column * unit).round(instrument.price_scale).tolist() for column in (bars.open, bars.high, bars.low, bars.close)]
    volumes = (bars.volume * float(instrument.lot_size)).tolist()
    low_bound, high_bound, time_bound = run.bounds()
    is_at_close = profile.is_at_close
    with no_collection():
        for index, (open_, high, low, close, volume) in enumerate(zip(*floats, volumes, strict=True)):
            at = ats[index]
            desk.index = index
            if lows[index] <= low_bound or highs[index] >= high_bound or at >= time_bound:
                engine.make_room()
                status = step_bar(
                    engine.book, engine.active, engine.places, engine.account, engine.fills, 0,
                    bars.opened_at[index], at, bars.open[index], highs[index], lows[index], closes[index], bars.volume[index],
                )  # fmt: skip
                run.after_step(status, index)
                low_bound, high_bound, time_bound = run.bounds()
            try:
                on_bar(BarEvent(index, at, open_, high, low, close, volume))
            except TradingError:
                raise
            except Exception as error:
                raise strategy_failed(strategy, error, f"bar {index}") from error
            if desk.is_changed:
                desk.is_changed = False
                if is_at_close:
                    status = match_at_close(
                        engine.book, engine.active, engine.places, engine.account, engine.fills, 0, closes[index], bars.volume[index]
                    )
                    run.after_step(status, index)
                low_bound, high_bound, time_bound = run.bounds()
    return run.finish(bars.close, bars.closed_at)


def simulate_event_quotes(
    strategy: EventStrategy,
    instrument: InstrumentSpec,
    profile: EngineProfile,
    quotes: QuoteColumns,
    *,
    cash: Decimal,
    workspace: Workspace | None = None,
) -> Simulation:
    """Tell the strategy every quote; a market order meets the quote at which it is given (latency 0) or the first after its latency."""
    unit, scale = float(instrument.price_unit), instrument.price_scale
    bids, asks, ats = quotes.bid.tolist(), quotes.ask.tolist(), quotes.at.tolist()
    run = _Run(strategy, instrument, profile, cash=cash, workspace=workspace, times=ats, marks=bids)
    engine, desk, on_quote = run.engine, run.desk, strategy.on_quote
    float_bids, float_asks = (quotes.bid * unit).round(scale).tolist(), (quotes.ask * unit).round(scale).tolist()
    low_bound, high_bound, time_bound = run.bounds()
    has_latency = profile.latency_us > 0
    with no_collection():
        for index, (at, bid, ask) in enumerate(zip(ats, float_bids, float_asks, strict=True)):
            desk.index = index
            if bids[index] <= low_bound or asks[index] >= high_bound or at >= time_bound:
                run.after_step(_step_quote(engine, quotes, index), index)
                low_bound, high_bound, time_bound = run.bounds()
            try:
                on_quote(QuoteEvent(index, at, bid, ask))
            except TradingError:
                raise
            except Exception as error:
                raise strategy_failed(strategy, error, f"quote {index}") from error
            if desk.is_changed:
                desk.is_changed = False
                if not has_latency:
                    run.after_step(_step_quote(engine, quotes, index), index)
                low_bound, high_bound, time_bound = run.bounds()
    return run.finish(quotes.bid, quotes.at)


def _step_quote(engine: Engine, quotes: QuoteColumns, index: int) -> int:
    engine.make_room()
    return step_quote(
        engine.book, engine.active, engine.places, engine.account, engine.fills, 0,
        quotes.at[index], quotes.bid[index], quotes.ask[index], quotes.bid_lots[index], quotes.ask_lots[index],
    )  # fmt: skip


def strategy_failed(strategy: EventStrategy, error: Exception, where: str) -> InvalidInput:
    """What a strategy raised, as an error that says where."""
    return InvalidInput(f"{type(strategy).__name__} raised {type(error).__name__} at {where}: {error}", where="strategy")


def _fill_event(row: list[int], instrument: InstrumentSpec) -> FillEvent:
    return FillEvent(
        order=row[code.F_ORDER],
        at=row[code.F_AT],
        side=row[code.F_SIDE],
        quantity=instrument.quantity(row[code.F_LOTS]),
        price=instrument.price(row[code.F_PRICE]),
        fee=instrument.cash(row[code.F_FEE]),
        reason=Reason(row[code.F_REASON]),
        tag=row[code.F_TAG],
    )
