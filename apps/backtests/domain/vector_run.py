"""A vector strategy's signals through the engine: bars and arrays in, the records of a run out.

The tables are kept by `Workspace` and reused, because the first touch of fresh memory costs more than the run itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.simulate_nb import (
    R_AT_CLOSE,
    R_SIZE,
    R_SIZING,
    R_STOP_PPM,
    R_TARGET_PPM,
    R_TRAIL_PPM,
    RULE_COLUMNS,
    run_signals,
)
from apps.backtests.domain.timed_nb import STATE_COLUMNS, run_timed
from apps.core.errors import InvalidInput, OutOfBounds
from apps.core.values import InstrumentSpec
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import Engine, NewOrder
from apps.orders.domain.engine_codes import EngineOrderState, EngineOrderType, Reason, StepStatus, TrailRule
from apps.orders.domain.profiles import EngineProfile
from apps.portfolio.domain.engine_books import book_run, book_tables
from apps.portfolio.domain.ledger_codes import ENTRY_COLUMNS, TRADE_COLUMNS
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.vector_strategy import Signals

Int64Array: TypeAlias = npt.NDArray[np.int64]

TAG_END = 7
"""The order that closes what is held at the end of the data."""


@dataclass(eq=False)
class Workspace:
    """Tables that one run after the other uses."""

    book: Int64Array = field(default_factory=lambda: np.zeros((0, code.BOOK_COLUMNS), np.int64))
    active: Int64Array = field(default_factory=lambda: np.zeros(0, np.int64))
    fills: Int64Array = field(default_factory=lambda: np.zeros((0, code.FILL_COLUMNS), np.int64))
    trades: Int64Array = field(default_factory=lambda: np.zeros((0, TRADE_COLUMNS), np.int64))
    entries: Int64Array = field(default_factory=lambda: np.zeros((0, ENTRY_COLUMNS), np.int64))
    equity: Int64Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def equity_of(self, bars: int) -> Int64Array:
        """Room for the equity of that many bars."""
        if len(self.equity) < bars:
            self.equity = np.zeros(bars, np.int64)
        return self.equity[:bars]

    def lend(self, engine: Engine) -> None:
        """Give the engine the larger of its tables and ours."""
        if len(self.book) > len(engine.book):
            engine.book, engine.active, engine.fills = self.book, self.active, self.fills

    def keep(self, engine: Engine) -> None:
        """Take the tables back, grown as they may be."""
        self.book, self.active, self.fills = engine.book, engine.active, engine.fills


@dataclass(frozen=True, eq=False)
class Simulation:
    """A finished run: views into the workspace, valid until its next run. `records` copies what is to be kept."""

    engine: Engine
    orders: Int64Array
    fills: Int64Array
    trades: Int64Array
    entries: Int64Array
    equity: Int64Array
    closed_at: Int64Array
    opening_cash: int

    def records(self) -> RunRecords:
        """Everything, copied out of the workspace."""
        spec = self.engine.instruments[0]
        return RunRecords(
            places=self.engine.instruments, orders=self.orders.copy(), fills=self.fills.copy(), trades=self.trades.copy(),
            entries=self.entries.copy(), equity_at=self.closed_at, equity=self.equity.copy(), cash_scale=spec.cash_scale,
            currency=spec.quote_asset, opening_cash=self.opening_cash, refusals=refusals(self.orders),
        )  # fmt: skip


class SignalRunner:
    """Runs signals over the same bars again and again, in the same memory. Not for several threads at once: each has its own."""

    def __init__(
        self, instrument: InstrumentSpec, profile: EngineProfile, bars: BarColumns, *, cash: Decimal, workspace: Workspace | None = None
    ) -> None:
        self.bars = bars
        self.space = workspace or Workspace()
        self.engine = Engine([instrument], [profile], cash={instrument.quote_asset: cash})
        self.opening_cash = self.engine.cash(instrument.quote_asset)
        self._fresh_places, self._fresh_account = self.engine.places.copy(), self.engine.account.copy()
        self._rules, self._status = np.zeros(RULE_COLUMNS, np.int64), np.zeros(1, np.int64)
        self._rules[R_AT_CLOSE] = profile.is_at_close
        self.space.lend(self.engine)

    def run(self, signals: Signals, *, closes_at_end: bool = False) -> Simulation:
        """Run and book. Bars and signals must have been checked. Raises OutOfBounds where an amount leaves int64."""
        equity = self.trade(signals)
        if closes_at_end and len(self.bars):
            close_out(self.engine, self.bars, equity)
        return book_simulation(self.engine, self.space, equity, self.bars.closed_at, self.opening_cash)

    def trade(self, signals: Signals) -> Int64Array:
        """Run without booking; the equity at each close, valid until the next run."""
        engine, bars, rules, status = self.engine, self.bars, self._rules, self._status
        np.copyto(engine.places, self._fresh_places)
        np.copyto(engine.account, self._fresh_account)
        rules[R_STOP_PPM], rules[R_TARGET_PPM], rules[R_TRAIL_PPM] = signals.stop_ppm, signals.target_ppm, signals.trail_ppm
        rules[R_SIZING], rules[R_SIZE] = signals.sizing, signals.size
        equity, bar = self.space.equity_of(len(bars)), 0
        terms, state = timed_terms(signals, engine.profiles[0]), np.full(STATE_COLUMNS, code.NO_ROW, np.int64)
        while bar < len(bars):
            engine.make_room(events=64)
            if terms is None:
                bar = run_signals(
                    engine.book, engine.active, engine.places, engine.account, engine.fills, 0, bar, len(bars),
                    bars.opened_at, bars.closed_at, bars.open, bars.high, bars.low, bars.close, bars.volume,
                    signals.bits, signals.lots, signals.stops, signals.targets, rules, equity, status,
                )  # fmt: skip
            else:
                bar = run_timed(
                    engine.book, engine.active, engine.places, engine.account, engine.fills, 0, bar,
                    bars.opened_at, bars.closed_at, bars.open, bars.high, bars.low, bars.close, bars.volume,
                    signals.bits, signals.lots, signals.entry_prices, signals.entry_moves, signals.exit_prices, terms, state, equity, status,
                )  # fmt: skip
            if bar < len(bars) and status[0] != StepStatus.BOOK_FULL:
                raise_status(StepStatus(int(status[0])), bar)
        self.space.keep(engine)
        return equity


def timed_terms(signals: Signals, profile: EngineProfile) -> Int64Array | None:
    """The exit plan as `run_timed` reads it, None without one. Raises InvalidInput where the profile has other rules than freqtrade's."""
    plan = signals.exits
    if plan is None:
        return None
    if profile.trail_rule is not TrailRule.FREQTRADE:
        raise InvalidInput(
            f"An exit plan is traded by freqtrade's rules, but the profile is {profile.name!r}.",
            where="profile",
            hint="Use the profile freqtrade, or stops and targets of the signals themselves.",
        )
    head = (
        plan.stop_ppm, plan.is_trailing, plan.near_ppm, plan.near_from_ppm, plan.is_near_only, plan.leverage,
        plan.has_signal_exits, plan.closes_at_end, plan.entry_minutes, plan.exit_minutes, signals.sizing, signals.size,
    )  # fmt: skip
    return np.array([*head, *(value for target in sorted(plan.targets) for value in target)], np.int64)


def simulate_signals(
    instrument: InstrumentSpec,
    profile: EngineProfile,
    bars: BarColumns,
    signals: Signals,
    *,
    cash: Decimal,
    workspace: Workspace | None = None,
) -> Simulation:
    """Run the signals over the bars once. Bars and signals must have been checked. Raises OutOfBounds where an amount leaves int64."""
    return SignalRunner(instrument, profile, bars, cash=cash, workspace=workspace).run(signals)


def close_out(engine: Engine, bars: BarColumns, equity: Int64Array) -> None:
    """Sell or buy back at the last close what is still held, whatever the latency, and cancel what is open."""
    for row in engine.active[: int(engine.account[code.A_ACTIVE])].tolist():
        engine.cancel(row)
    held = engine.position(0)
    if held:
        engine.account[code.A_NOW], engine.account[code.A_LATENCY_US] = bars.closed_at[-1], 0
        engine.places[0, code.I_MARK] = bars.close[-1]
        side = code.SELL if held > 0 else code.BUY
        engine.submit(NewOrder(0, side, EngineOrderType.MARKET, abs(held), flags=code.REDUCE_ONLY, tag=TAG_END))
        engine.places[0, code.I_STEPPED_AT] = 0
        engine.match_at_close(0, close=int(bars.close[-1]))
        equity[-1] = engine.equity


def book_simulation(engine: Engine, space: Workspace, equity: Int64Array, closed_at: Int64Array, opening_cash: int) -> Simulation:
    """Book the fills of a run: trades and double-entry rows."""
    fills = engine.fills[: int(engine.account[code.A_FILLS])]
    if len(space.trades) < len(fills):
        space.trades, space.entries = book_tables(len(fills))
    trades, entries = book_run(fills, engine.places, len(engine.currencies), space.trades, space.entries)
    return Simulation(
        engine=engine, orders=engine.book[: engine.orders_used], fills=fills, trades=trades, entries=entries, equity=equity,
        closed_at=closed_at, opening_cash=opening_cash,
    )  # fmt: skip


def raise_status(status: StepStatus, bar: int, *, symbol: str = "") -> None:
    """Turn a step that went wrong into an error that says what and where; `symbol` tells whose bar it was where there are several."""
    whose = f" of {symbol}" if symbol else ""
    if status is StepStatus.OVERFLOW:
        raise OutOfBounds(
            f"At bar {bar}{whose} an amount left the range that is counted exactly.",
            where=f"bars[{bar}]",
            hint="Trade less, or use a coarser cash unit.",
        )
    raise InvalidInput(f"Bar {bar}{whose} is no bar that can be traded.", where=f"bars[{bar}]")


def refusals(orders: Int64Array) -> dict[str, int]:
    """How many orders were refused, by reason."""
    reasons = orders[orders[:, code.O_STATE] == EngineOrderState.REFUSED, code.O_REASON]
    values, counts = np.unique(reasons, return_counts=True)
    return {Reason(int(value)).name: int(count) for value, count in zip(values, counts, strict=True)}
