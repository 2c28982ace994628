"""Several instruments on one account, drawn by chance: bars with gaps and ends of their own, two currencies, random signals; and the ways to run them.

`python -m tests.unit.backtests.pools SEED COUNT` prints as JSON how many of so many worlds differ, and a hash of all runs, which is the same with
TRADING_COMPILE_KERNELS=1, for the compiled kernels.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from apps.backtests.domain.config import Costs, FillTiming, Profile, RunConfig, RunMode, Sizing, SizingMethod
from apps.backtests.domain.pool import Pool, pool_of
from apps.backtests.domain.pool_signals import PoolSignals
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.research_run import run_pool_events, sizing_of
from apps.backtests.domain.simulate_nb import TAG_ENTRY, TAG_SIGNAL, TAG_STOP, TAG_TARGET, TAG_TRAIL
from apps.core.kernel import is_compiling, load_kernels
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import BarWindow
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine_codes import BUY, SELL, EngineOrderState, EngineOrderType, LimitRule, RangeOrder, SlippageModel, TrailRule
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from apps.strategies.domain.vector_events import VectorAsEvents
from apps.strategies.domain.vector_strategy import Signals, VectorBars, VectorStrategy
from tests.factories.windows import make_spec
from tests.unit.backtests.oracle.bars import Bar
from tests.unit.backtests.oracle.model import Instrument, Request
from tests.unit.backtests.oracle.venue import OracleVenue

HOUR = 3_600_000_000
HOURS = 60
FIRST = 1_000 * 24 * HOUR
RATE = Decimal("1.25")
_FILLS = [code.F_ORDER, code.F_PLACE, code.F_AT, code.F_SIDE, code.F_LOTS, code.F_PRICE, code.F_VALUE, code.F_FEE, code.F_REASON]
SIZES = {
    SizingMethod.ALL: None,
    SizingMethod.FRACTION: Decimal("0.4"),
    SizingMethod.VALUE: Decimal(30_000),
    SizingMethod.QUANTITY: Decimal(50),
}


@dataclass(frozen=True)
class World:
    """What a run is made of. The signals are by symbol."""

    config: RunConfig
    windows: list[BarWindow]
    signals: dict[str, Signals]


def world_of(seed: int, *, instruments: int | None = None) -> World:
    """Two to four instruments, at least one of them in euros; the last one ends early, and some bars are missing everywhere."""
    chance = np.random.default_rng(seed)
    count = instruments or int(chance.integers(2, 5))
    windows = []
    for index in range(count):
        currency = "EUR" if index == 1 or (index > 1 and chance.random() < 0.5) else "USD"
        last = int(HOURS * 0.6) if index == count - 1 and count > 1 else HOURS
        windows.append(_window(chance, _spec(chance, index, currency), last))
    method = list(SIZES)[chance.integers(len(SIZES))]
    config = RunConfig(
        strategy="planned", timeframe=Timeframe.H1, mode=RunMode.VECTOR, capital=Decimal(100_000), rates={"EUR": RATE},
        profile=[Profile.DEFAULT, Profile.IDEAL, Profile.LEAN][chance.integers(3)], allows_short=bool(chance.random() < 0.5),
        leverage=Decimal(int(chance.integers(1, 4))), timing=list(FillTiming)[chance.integers(2)], costs=_costs(chance),
        sizing=Sizing(method=method, amount=SIZES[method]), closes_at_end=bool(chance.random() < 0.5),
        latency_ms=int(chance.choice([0, 0, 60_000])),
    )  # fmt: skip
    lots_are_given = bool(chance.random() < 0.3)
    signals = {window.instrument.symbol: _signals(chance, window, has_lots=lots_are_given) for window in windows}
    return World(config, windows, signals)


def _costs(chance: np.random.Generator) -> Costs:
    return Costs(fee_flat=Decimal(int(chance.integers(0, 3))), volume_share_ppm=int(chance.choice([0, 200_000])))


def _spec(chance: np.random.Generator, index: int, currency: str) -> InstrumentSpec:
    spec = make_spec(f"S{index}", price_scale=2)
    return replace(spec, quote_asset=currency, cash_scale=int(chance.choice([4, 8])), lot_size=Decimal(["1", "0.1"][chance.integers(2)]))


def _window(chance: np.random.Generator, spec: InstrumentSpec, last: int) -> BarWindow:
    """Hourly bars, on the hour or half past, from anywhere in the first hours."""
    hours = np.arange(int(chance.integers(0, 8)), last, dtype=np.int64)
    hours = hours[chance.random(len(hours)) > chance.choice([0.0, 0.25])]
    count = len(hours)
    opened = FIRST + hours * HOUR + int(chance.choice([0, 0, HOUR // 2]))
    close = np.maximum(np.rint(10_000 * np.exp(np.cumsum(chance.normal(0, 0.015, count)))), 500).astype(np.int64)
    open_ = np.maximum(np.concatenate([close[:1], close[:-1]]) + chance.integers(-80, 81, count), 100)
    high = np.maximum(open_, close) + chance.integers(0, 150, count)
    low = np.maximum(np.minimum(open_, close) - chance.integers(0, 150, count), 50)
    volume = chance.integers(0, 3_000, count)
    return BarWindow(spec, Timeframe.H1, opened, opened + HOUR, open_, high, low, close, volume, np.zeros(count, np.int64))


def _signals(chance: np.random.Generator, window: BarWindow, *, has_lots: bool) -> Signals:
    count = len(window)
    bits = (chance.integers(0, 16, count) * (chance.random(count) < chance.choice([0.1, 0.4]))).astype(np.int8)
    lots = chance.integers(0, 400, count) if has_lots else np.zeros(1, np.int64)
    ppm = [int(chance.choice([0, 5_000, 20_000])) for _ in range(3)]
    return Signals(bits, lots, stop_ppm=ppm[0], target_ppm=ppm[1], trail_ppm=ppm[2])


@dataclass(frozen=True)
class Plan:
    """Signals that were drawn before, by symbol."""

    signals: Mapping[str, Signals]


class Planned(VectorStrategy):
    """Signals that were drawn before, cut to the bars so far."""

    kind = "planned"
    title = "Planned"
    Parameters = Plan

    def signals(self, bars: VectorBars, *, bits: npt.NDArray[np.int8]) -> Signals:
        own: Signals = self.parameters.signals[bars.instrument.symbol]
        count = len(bars)
        bits[:] = own.bits[:count] if count <= len(own.bits) else 0
        return replace(own, bits=bits, lots=own.lots if len(own.lots) == 1 else own.lots[:count])


class PlannedTogether(EventStrategy):
    """The same as one strategy that is told the bars of all instruments and names the one that it orders on."""

    kind = "planned_together"
    title = "Planned together"
    Parameters = Plan
    trades_several = True

    def on_start(self) -> None:
        self.held: dict[str, Decimal] = dict.fromkeys(self.symbols, Decimal(0))
        self.heard: list[str] = []

    def on_fill(self, fill: object) -> None:
        self.heard.append(fill.symbol)  # type: ignore[attr-defined]

    def on_bar(self, bar: BarEvent) -> None:
        own: Signals = self.parameters.signals[bar.symbol]
        signal, symbol = int(own.bits[bar.index]), bar.symbol
        with self.about(self.symbols[0]):
            self._act(symbol, signal, own, bar.index)

    def _act(self, symbol: str, signal: int, own: Signals, index: int) -> None:
        """The rule of `simulate_nb`, said with the calls that name an instrument."""
        position = self.position_of(symbol)
        enters_long = bool(signal & ENTER_LONG) and not signal & EXIT_LONG
        enters_short = bool(signal & ENTER_SHORT) and not signal & EXIT_SHORT
        side = BUY if enters_long else (SELL if enters_short else 0)
        if position > 0 and (signal & EXIT_LONG or enters_short):
            self.close(symbol)
            side = SELL if enters_short else 0
        elif position < 0 and (signal & EXIT_SHORT or enters_long):
            self.close(symbol)
            side = BUY if enters_long else 0
        elif position or (side and self._waits(symbol)):
            side = 0
        if side:
            self._enter(symbol, side, own, index)

    def _waits(self, symbol: str) -> bool:
        with self.about(symbol):
            return self.desk.cancel_all(only_exits=True) > 0

    def _enter(self, symbol: str, side: int, own: Signals, index: int) -> None:
        with self.about(symbol):
            lots = self.desk.sized_lots() if len(own.lots) == 1 else int(own.lots[index])
            if lots <= 0:
                return
            quantity = lots * self.desk.instrument.lot_size
        terms = {
            "stop_loss_percent": own.stop_ppm / 10_000,
            "take_profit_percent": own.target_ppm / 10_000,
            "trailing_stop_percent": own.trail_ppm / 10_000,
        }
        if side == BUY:
            self.buy(quantity, symbol=symbol, **terms)
        else:
            self.sell(quantity, symbol=symbol, **terms)


def run_arrays(world: World) -> RunRecords:
    """The compiled rule."""
    pool = pool_of(world.config, world.windows)
    return PoolSignals(pool).run(sized(world, pool), closes_at_end=world.config.closes_at_end)


def sized(world: World, pool: Pool) -> list[Signals]:
    """The signals with the run's size where they leave it open."""
    found = []
    for spec in pool.specs:
        own = world.signals[spec.symbol]
        if not own.lots.any() and len(own.lots) == 1:
            sizing, size = sizing_of(world.config, spec)
            own = replace(own, sizing=sizing, size=size, lots=np.array([size], np.int64))
        found.append(own)
    return found


def run_each(world: World) -> RunRecords:
    """An event strategy for each instrument."""
    return run_pool_events(lambda: VectorAsEvents(Planned(Plan(world.signals))), world.config, world.windows)


def run_together(world: World) -> RunRecords:
    """One event strategy for all."""
    return run_pool_events(lambda: PlannedTogether(Plan(world.signals)), world.config, world.windows)


@dataclass(frozen=True)
class OracleRun:
    """What the oracle says of a world."""

    fills: Sequence[tuple[int, ...]]
    line: list[int]
    cash: list[int]


def run_oracle(world: World) -> OracleRun:
    """The same world by the plain oracle of orders and money, and the rule said once more."""
    pool = pool_of(world.config, world.windows)
    engine = pool.engine()
    rates = engine.account[code.A_CASH + len(engine.currencies) :].tolist()
    venue = OracleVenue(
        [_oracle_instrument(row) for row in engine.places.tolist()], [engine.cash(name) for name in engine.currencies], rates,
        latency_us=int(engine.account[code.A_LATENCY_US]),
    )  # fmt: skip
    told, line = [0] * len(pool.specs), []
    signals = sized(world, pool)
    for _, group in groupby(range(len(pool.place)), key=lambda event: int(pool.events.closed_at[event])):
        events = list(group)
        for event in events:
            venue.step_bar(_bar(pool, event))
        for event in events:
            place = int(pool.place[event])
            bar = told[place]
            told[place] += 1
            _oracle_act(venue, place, int(signals[place].bits[bar]), signals[place], bar, rates)
            if pool.profiles[place].is_at_close:
                venue.match_at_close(place, int(pool.events.close[event]), int(pool.events.volume[event]))
        line.append(venue.equity())
    fills = [(*(one.order, one.place, one.at, one.side, one.lots, one.price, one.value, one.fee), int(one.reason)) for one in venue.fills]
    return OracleRun(fills, line, venue.cash)


def _bar(pool: Pool, event: int) -> Bar:
    events = pool.events
    columns = (events.opened_at, events.closed_at, events.open, events.high, events.low, events.close, events.volume)
    return Bar(int(pool.place[event]), *(int(column[event]) for column in columns))


def _oracle_act(  # noqa: PLR0917
    venue: OracleVenue, place: int, signal: int, own: Signals, bar: int, rates: list[int]
) -> None:
    position = venue.positions[place]
    enters_long = bool(signal & ENTER_LONG) and not signal & EXIT_LONG
    enters_short = bool(signal & ENTER_SHORT) and not signal & EXIT_SHORT
    open_rows = [one.row for one in venue.state.active_orders(place)]
    side = 1 if enters_long else (-1 if enters_short else 0)
    leaves = (position > 0 and (signal & EXIT_LONG or enters_short)) or (position < 0 and (signal & EXIT_SHORT or enters_long))
    if leaves:
        for row in open_rows:
            venue.cancel(row)
        out = -1 if position > 0 else 1
        venue.submit(Request(place, out, EngineOrderType.MARKET, abs(position), reduce_only=True, tag=TAG_SIGNAL))
        side = out if (enters_short if out < 0 else enters_long) else 0
    elif position:
        return
    elif side:
        for row in open_rows:
            if venue.orders[row].reduce_only:
                venue.cancel(row)
        side = 0 if any(not venue.orders[row].reduce_only for row in open_rows) else side
    lots = _oracle_lots(venue, place, own, bar, rates) if side else 0
    if lots <= 0:
        return
    entry, _ = venue.submit(Request(place, side, EngineOrderType.MARKET, lots, tag=TAG_ENTRY))
    if venue.orders[entry].state is not EngineOrderState.OPEN:
        return
    group = max((one.group for one in venue.orders), default=0) + 1
    legs: list[tuple[EngineOrderType, dict[str, Any], int]] = [
        (EngineOrderType.STOP, {"stop_ppm": -side * own.stop_ppm, "tag": TAG_STOP}, own.stop_ppm),
        (EngineOrderType.TRAILING, {"trail_ppm": own.trail_ppm, "tag": TAG_TRAIL}, own.trail_ppm),
        (EngineOrderType.LIMIT, {"limit_ppm": side * own.target_ppm, "tag": TAG_TARGET}, own.target_ppm),
    ]
    for kind, terms, distance in legs:
        if distance:
            venue.submit(Request(place, -side, kind, lots, reduce_only=True, parent=entry, group=group, **terms))


def _oracle_lots(venue: OracleVenue, place: int, own: Signals, bar: int, rates: list[int]) -> int:
    """What an entry buys, in whole numbers without bounds."""
    if own.sizing == 0:
        return int(own.lots[0 if len(own.lots) == 1 else bar])
    at = venue.state.places[place]
    one = at.instrument
    value = _oracle_share(venue, place, own.size, rates) if own.sizing == 1 else own.size
    value = value * code.RATE_ONE // rates[one.currency]
    costs = code.PPM + one.fee_taker_ppm + (one.half_spread_ppm + one.slippage_ppm if one.slippage is not SlippageModel.NONE else 0)
    return min(value * code.PPM // costs // (at.mark * one.cash_per_price_lot), one.max_lots)


def _oracle_share(venue: OracleVenue, place: int, size: int, rates: list[int]) -> int:
    """A share of equity, at most what the other positions leave to buy with."""
    worth, elsewhere = max(venue.equity(), 0), 0
    for number, other in enumerate(venue.state.places):
        if number != place:
            one = other.instrument
            margin = -(-abs(other.position) * other.mark * one.cash_per_price_lot * one.initial_ppm // code.PPM)
            elsewhere += -(-margin * rates[one.currency] // code.RATE_ONE)
    value = worth * size // code.PPM
    left = max(worth - elsewhere, 0) * code.PPM // venue.state.places[place].instrument.initial_ppm
    return min(value, left) if elsewhere else value


def _oracle_instrument(row: list[int]) -> Instrument:
    return Instrument(
        tick=row[code.I_TICK], max_price=row[code.I_MAX_PRICE], min_lots=row[code.I_MIN_LOTS], max_lots=row[code.I_MAX_LOTS],
        min_notional=row[code.I_MIN_NOTIONAL], cash_per_price_lot=row[code.I_CASH_PER_PRICE_LOT], currency=row[code.I_CURRENCY],
        allows_short=bool(row[code.I_ALLOWS_SHORT]), initial_ppm=row[code.I_INITIAL_PPM], maintenance_ppm=row[code.I_MAINTENANCE_PPM],
        volume_share_ppm=row[code.I_VOLUME_SHARE_PPM], slippage=SlippageModel(row[code.I_SLIPPAGE]),
        half_spread_ppm=row[code.I_HALF_SPREAD_PPM], slippage_ppm=row[code.I_SLIPPAGE_PPM], impact_ppm=row[code.I_IMPACT_PPM],
        fee_flat=row[code.I_FEE_FLAT], fee_maker_ppm=row[code.I_FEE_MAKER_PPM], fee_taker_ppm=row[code.I_FEE_TAKER_PPM],
        fee_per_lot_ppm=row[code.I_FEE_PER_LOT_PPM], fee_minimum=row[code.I_FEE_MINIMUM], fee_cap_ppm=row[code.I_FEE_CAP_PPM],
        limit_rule=LimitRule(row[code.I_LIMIT_RULE]), trail_rule=TrailRule(row[code.I_TRAIL_RULE]),
        range_order=RangeOrder(row[code.I_RANGE_ORDER]),
    )  # fmt: skip


def fingerprint(records: RunRecords) -> str:
    """Everything of a run in 16 letters."""
    parts = (records.orders, records.fills, records.trades, records.entries, records.equity_at, records.equity, records.exposure)
    return hashlib.blake2b(b"".join(np.ascontiguousarray(part).tobytes() for part in parts if part is not None), digest_size=8).hexdigest()


def fills_of(records: RunRecords) -> list[tuple[int, ...]]:
    """The fills in the columns that the oracle tells."""
    return [tuple(row) for row in records.fills[:, _FILLS].tolist()]


def differs(world: World) -> tuple[str, int, str]:
    """Which way of running the world gives something else (empty: none), its fills, and a hash of the run."""
    made, expected = run_arrays(world), run_oracle(world)
    found = [name for name, run in (("each", run_each), ("together", run_together)) if fingerprint(run(world)) != fingerprint(made)]
    if fills_of(made) != expected.fills or made.equity.tolist() != expected.line:
        found.append("oracle")
    return " ".join(found), len(made.fills), fingerprint(made)


def still_open(world: World) -> World:
    """The oracle sells nothing at the end."""
    return replace(world, config=msgspec.structs.replace(world.config, closes_at_end=False))


def main(seed: int, count: int) -> None:
    load_kernels()
    rows = [(number, *differs(still_open(world_of(number)))) for number in range(seed, seed + count)]
    told = {
        "compiled": is_compiling(), "worlds": len(rows), "fills": sum(row[2] for row in rows),
        "differences": [f"{number}: {name}" for number, name, _, _ in rows if name],
        "hash": hashlib.blake2b("".join(row[3] for row in rows).encode(), digest_size=8).hexdigest(),
    }  # fmt: skip
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
