"""An event strategy over depth snapshots, with the trades of others that eat the queue ahead of its limits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.event_run import EVENTS_AT_ONCE, WHOLE_EQUITY, EventPlan, EventRun, no_collection
from apps.backtests.domain.vector_run import Simulation, Workspace
from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec
from apps.orders.domain.engine_codes import L_ASK, L_ASK_LOTS, L_BID, L_BID_LOTS
from apps.orders.domain.profiles import EngineProfile
from apps.orders.domain.quote_nb import step_trade
from apps.strategies.domain.event_strategy import DepthEvent, EventStrategy

Int64Array: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DepthColumns:
    """Snapshots as contiguous int64 arrays: `levels` by snapshot, level (best first) and column (L_BID, L_BID_LOTS, L_ASK, L_ASK_LOTS) in price
    units and lots. A price of 0 ends its side."""

    at: Int64Array
    levels: Int64Array

    def __len__(self) -> int:
        return len(self.at)

    def check(self, instrument: InstrumentSpec) -> None:
        """Raise InvalidInput naming the first snapshot that is out of order, crossed, not sorted or empty on a side."""
        bids, asks = self.levels[:, :, L_BID], self.levels[:, :, L_ASK]
        bad = (bids[:, 0] <= 0) | (asks[:, 0] < bids[:, 0])
        for prices, lots, direction in ((bids, L_BID_LOTS, -1), (asks, L_ASK_LOTS, 1)):
            is_worse = (prices[:, :-1] > 0) & (direction * (prices[:, 1:] - prices[:, :-1]) > 0)
            bad |= ((prices[:, 1:] != 0) & ~is_worse).any(axis=1) | (prices < 0).any(axis=1)
            bad |= (prices > instrument.price_units(instrument.max_price)).any(axis=1) | (self.levels[:, :, lots] < 0).any(axis=1)
        bad[1:] |= self.at[1:] < self.at[:-1]
        _refuse(bad, instrument, "Snapshot", "depth", "Sort each side best first, bids below asks, and snapshots by time.")


@dataclass(frozen=True, eq=False)
class TradeColumns:
    """Trades of others as contiguous int64 arrays in the engine's units."""

    at: Int64Array
    price: Int64Array
    lots: Int64Array

    def __len__(self) -> int:
        return len(self.at)

    def check(self, instrument: InstrumentSpec) -> None:
        """Raise InvalidInput naming the first trade that is out of order or none."""
        bad = (self.price <= 0) | (self.price > instrument.price_units(instrument.max_price)) | (self.lots <= 0)
        bad[1:] |= self.at[1:] < self.at[:-1]
        _refuse(bad, instrument, "Trade", "trades", "Prices and lots must be positive, and times must not go back.")


def _refuse(bad: npt.NDArray[np.bool_], instrument: InstrumentSpec, what: str, where: str, hint: str) -> None:
    if bad.any():
        index = int(bad.argmax())
        raise InvalidInput(f"{what} {index} of {instrument.symbol} cannot be traded.", where=f"{where}[{index}]", hint=hint)


NO_TRADES = TradeColumns(*(np.zeros(0, np.int64) for _ in range(3)))


def simulate_event_depth(
    strategy: EventStrategy,
    instrument: InstrumentSpec,
    profile: EngineProfile,
    depth: DepthColumns,
    *,
    cash: Decimal,
    trades: TradeColumns = NO_TRADES,
    plan: EventPlan = WHOLE_EQUITY,
    workspace: Workspace | None = None,
) -> Simulation:
    """Tell the strategy every snapshot; an order meets the one at which it is given (latency 0) or the first after its latency. Both columns
    must have been checked. Events are the snapshots and trades in the order of time, a trade before a snapshot of its moment."""
    story = _Story(depth, trades)
    run = EventRun(strategy, instrument, profile, cash=cash, workspace=workspace, plan=plan, times=story.at, marks=story.mark)
    with no_collection(), run.named_failures("depth event"):
        for first in range(0, len(story.at), EVENTS_AT_ONCE):
            last = min(first + EVENTS_AT_ONCE, len(story.at))
            for index in range(first, last):
                _tell(run, story, index)
            if plan.watch is not None:
                plan.watch(last)
    return run.finish(story.mark, story.at)


class _Story:
    """Snapshots and trades in one order of time. `mark` is the best bid of the last snapshot, before the first one the price traded."""

    def __init__(self, depth: DepthColumns, trades: TradeColumns) -> None:
        self.depth, self.trades = depth, trades
        at = np.concatenate((depth.at, trades.at))
        is_depth = np.arange(len(at)) < len(depth)
        order = np.lexsort((is_depth, at))
        self.at: Int64Array = at[order]
        self.is_depth: list[bool] = is_depth[order].tolist()
        self.row: list[int] = np.where(is_depth, np.arange(len(at)), np.arange(len(at)) - len(depth))[order].tolist()
        seen = np.cumsum(is_depth[order]) - 1
        traded = np.concatenate((np.zeros(len(depth), np.int64), trades.price))[order]
        bids = depth.levels[:, 0, L_BID] if len(depth) else np.zeros(1, np.int64)
        self.mark: Int64Array = np.where(seen >= 0, bids[np.maximum(seen, 0)], traded)


def _tell(run: EventRun, story: _Story, index: int) -> None:
    engine, desk, row = run.engine, run.desk, story.row[index]
    desk.index = index
    at = int(story.at[index])
    if not story.is_depth[index]:
        engine.make_room()
        tables = (engine.book, engine.active, engine.places, engine.account, engine.fills)
        run.after_step(step_trade(*tables, 0, at, int(story.trades.price[row]), int(story.trades.lots[row])), index)
        return
    shown = story.depth.levels[row]
    run.after_step(engine.step_depth(0, at, shown), index)
    run.strategy.on_depth(_event(engine.instruments[0], row, at, shown))
    if desk.is_changed:
        desk.is_changed = False
        if engine.profiles[0].latency_us == 0:
            run.after_step(engine.step_depth(0, at, shown), index)


def _event(instrument: InstrumentSpec, index: int, at: int, shown: Int64Array) -> DepthEvent:
    unit, scale, lot = float(instrument.price_unit), instrument.price_scale, float(instrument.lot_size)
    sides = [
        [(round(price * unit, scale), lots * lot) for price, lots in shown[:, first : first + 2].tolist() if price]
        for first in (L_BID, L_ASK)
    ]
    return DepthEvent(index, at, *sides)
