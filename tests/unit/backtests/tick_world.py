"""A strategy over ticks that trades at random and walks the oracle beside it: both must end alike.

`python -m tests.unit.backtests.tick_world SEED COUNT` runs the long form; set TRADING_COMPILE_KERNELS=1 for the compiled kernels.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from apps.backtests.domain.event_run import QuoteColumns
from apps.backtests.domain.event_ticks import simulate_event_ticks
from apps.backtests.domain.ticks import DepthColumns, Tape, TickKind, TradeColumns
from apps.core.errors import OutOfBounds
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine_codes import BUY, RATE_ONE, StepStatus
from apps.orders.domain.profiles import IDEAL
from apps.strategies.domain.event_strategy import EventStrategy
from apps.strategies.domain.told import DepthEvent, QuoteEvent, TradeEvent
from tests.unit.backtests.engine_driver import EngineDriver, OracleDriver, new_order, write_constants
from tests.unit.backtests.oracle import Depth, Quote, Trade
from tests.unit.backtests.worlds import Amend, Cancel, Dice, Event, Market, Submit, Trader, World, make_world

Tick = Quote | Trade | Depth
_LEVELS = 4


def one_instrument(dice: Dice) -> World:
    """A world of ticks with one instrument in the account's currency."""
    made = make_world(dice, (("quote", "trade"), ("depth", "trade"), ("quote", "trade", "depth"), ("quote",)))
    return replace(made, instruments=[replace(made.instruments[0], currency=0)], cash=made.cash[:1], rates=[RATE_ONE])


def ticks_of(dice: Dice, world: World, periods: int) -> list[Tick]:
    market = Market(dice, world)
    return [event for _ in range(periods) for event in market.events() if _is_good(event)]


def _is_good(event: Event) -> bool:
    return not isinstance(event, Depth) or bool(event.bids and event.asks)


def tape_of(ticks: list[Tick]) -> Tape:
    """The ticks in the order in which they are given."""
    quotes = [one for one in ticks if isinstance(one, Quote)]
    trades = [one for one in ticks if isinstance(one, Trade)]
    depth = [one for one in ticks if isinstance(one, Depth)]
    kinds = {Trade: TickKind.TRADE, Quote: TickKind.QUOTE, Depth: TickKind.DEPTH}
    rows = {kind: iter(range(len(ticks))) for kind in kinds}
    return Tape(
        np.array([one.at for one in ticks], np.int64),
        np.array([kinds[type(one)] for one in ticks], np.int64),
        np.array([next(rows[type(one)]) for one in ticks], np.int64),
        QuoteColumns(*(_column(quotes, name) for name in ("at", "bid", "ask", "bid_lots", "ask_lots"))),
        TradeColumns(*(_column(trades, name) for name in ("at", "price", "lots"))),
        DepthColumns(_column(depth, "at"), np.array([shown_of(one) for one in depth], np.int64).reshape(-1, _LEVELS, code.SHOWN_COLUMNS)),
    )


def _column(events: list[Any], name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([getattr(one, name) for one in events], np.int64)


def shown_of(depth: Depth) -> list[list[int]]:
    """A row per level; the shorter side ends with zeros."""
    rows = [[0] * code.SHOWN_COLUMNS for _ in range(_LEVELS)]
    for column, side in ((code.L_BID, depth.bids), (code.L_ASK, depth.asks)):
        for number, level in enumerate(side):
            rows[number][column : column + 2] = level.price, level.lots
    return rows


class BesideTheOracle(EventStrategy):
    """Is told the tape, tells the oracle the same ticks, and gives both the same orders."""

    def __init__(self, dice: Dice, world: World, ticks: list[Tick]) -> None:
        super().__init__(None)
        self.world, self.ticks = world, ticks
        self.oracle = OracleDriver(world)
        self.market = Market(dice, world)
        self.trader = Trader(dice, world, self.market, self.oracle.venue)
        self.best = (0, 0)
        self.heard = 0
        self.equity_then: dict[int, int] = {}
        """What the oracle's cash and position were worth after each moment."""

    def on_start(self) -> None:
        engine = self.desk.engine  # type: ignore[attr-defined]
        write_constants(engine.places[0], self.world.instruments[0])
        engine.account[code.A_CASH] = self.world.cash[0]
        one = self.world.instruments[0]
        engine.account[code.A_IS_CASH_ONLY] = one.initial_ppm == code.PPM and not one.allows_short

    def on_quote(self, quote: QuoteEvent) -> None:
        self._hear(quote.index)

    def on_trade(self, trade: TradeEvent) -> None:
        self._hear(trade.index)

    def on_depth(self, depth: DepthEvent) -> None:
        self._hear(depth.index)

    def overflows_at(self, index: int) -> bool:
        """Whether the oracle, too, ends at the tick, before or after its orders were heard."""
        if self.heard == index:
            return self.oracle.step(self.ticks[index]) is StepStatus.OVERFLOW
        return self.heard == index + 1 and self.oracle.venue.state.status is StepStatus.OVERFLOW

    def _hear(self, index: int) -> None:
        tick = self.ticks[index]
        self.heard = index + 1
        self.oracle.step(tick)
        self.market.now = tick.at
        if isinstance(tick, Trade):
            self.market.prices = [tick.price]
            if not any(isinstance(one, Quote | Depth) for one in self.ticks[:index]):
                self.best = (tick.price, tick.price)
        else:
            self.best = (tick.bid, tick.ask) if isinstance(tick, Quote) else (tick.bids[0].price, tick.asks[0].price)
            self.market.prices = [sum(self.best) // 2]
        actions = self.trader.act(0)
        for action in actions:
            self._do(action)
        if actions and not isinstance(tick, Trade) and self.world.latency_us == 0:
            self.oracle.step(tick)
        held, (bid, ask) = self.oracle.venue.positions[0], self.best
        worth = held * self.world.instruments[0].cash_per_price_lot * (bid if held > 0 else ask)
        self.equity_then[tick.at] = self.oracle.venue.cash[0] + worth

    def _do(self, action: Any) -> None:
        place = self.oracle.venue.state.places[0]
        mark = place.mark
        match action:
            case Submit(request):
                if request.post_only:
                    place.mark = self.best[1] if request.side == BUY else self.best[0]
                row, _ = self.oracle.submit(request)
                assert self.desk.submit(new_order(request)) == row
            case Amend(row, change):
                orders = self.oracle.venue.orders
                if row < len(orders) and orders[row].post_only:
                    place.mark = self.best[1] if orders[row].side == BUY else self.best[0]
                change = replace(change, trail=None, trail_ppm=None)
                assert self.desk.amend(row, lots=change.lots, limit=change.limit, stop=change.stop) == self.oracle.amend(row, change)
            case Cancel(row):
                assert self.desk.cancel(row) == self.oracle.cancel(row)
        place.mark = mark


def require_agreement(seed: int, periods: int = 80) -> int:
    """Run a random tape through the engine and the oracle, and compare orders, fills, books and the equity of every moment; how many fills
    there were."""
    dice = Dice(seed)
    world = one_instrument(dice)
    ticks = ticks_of(dice, world, periods)
    driver, strategy = EngineDriver(world), BesideTheOracle(dice, world, ticks)
    profile = replace(IDEAL, latency_us=world.latency_us)
    try:
        run = simulate_event_ticks(strategy, driver.engine.instruments[0], profile, tape_of(ticks), cash=Decimal(1))
    except OutOfBounds as error:
        assert strategy.overflows_at(int(error.where[6:-1]))
        return 0
    driver.engine = run.engine
    run.engine.places[0, code.I_MARK] = strategy.oracle.venue.state.places[0].mark
    assert driver.books() == strategy.oracle.books()
    opening = run.opening_cash - world.cash[0]
    assert (run.equity - opening).tolist() == list(strategy.equity_then.values())
    assert run.closed_at.tolist() == list(strategy.equity_then)
    return len(run.fills)


if __name__ == "__main__":
    first, count = int(sys.argv[1]), int(sys.argv[2])
    print(f"{count} tapes agree, {sum(require_agreement(seed) for seed in range(first, first + count))} fills")
