"""The engine and the oracle behind one set of calls, and what of them is compared."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import numpy as np

from apps.core.values import InstrumentSpec
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import Engine, EngineBar, NewOrder
from apps.orders.domain.engine_codes import EngineOrderState, Reason, StepStatus
from apps.orders.domain.envelope_nb import is_outside
from apps.orders.domain.profiles import IDEAL
from apps.orders.domain.quote_nb import step_quote, step_trade
from apps.portfolio.domain.ledger_codes import ENTRY_COLUMNS, HOLDING_COLUMNS, TRADE_COLUMNS
from apps.portfolio.domain.ledger_nb import book_fills
from tests.unit.backtests.oracle import Amendment, Bar, Depth, Instrument, OracleLedger, OracleVenue, Quote, Request, Trade
from tests.unit.backtests.worlds import Event, World

_NOBODY = UUID(int=0)

Row = tuple[int, ...]


@dataclass(frozen=True)
class Books:
    """What two drivers must agree on, as plain numbers."""

    orders: list[Row]
    fills: list[Row]
    cash: list[int]
    positions: list[int]
    marks: list[int]
    equity: int
    free_cash: int
    holdings: list[Row]
    trades: list[Row]
    entries: list[Row]


class Driver(Protocol):
    """An account that can be traded."""

    def submit(self, request: Request) -> tuple[int, Reason]: ...

    def amend(self, row: int, change: Amendment) -> Reason: ...

    def cancel(self, row: int) -> Reason: ...

    def step(self, event: Event) -> StepStatus: ...

    def match_at_close(self, place: int, close: int, volume: int) -> StepStatus: ...

    def books(self) -> Books: ...


class OracleDriver:
    """The plain Python side."""

    def __init__(self, world: World) -> None:
        self.venue = OracleVenue(world.instruments, world.cash, world.rates, latency_us=world.latency_us)
        self.ledger = OracleLedger([one.currency for one in world.instruments], len(world.cash))

    def submit(self, request: Request) -> tuple[int, Reason]:
        return self.venue.submit(request)

    def amend(self, row: int, change: Amendment) -> Reason:
        return self.venue.amend(row, change)

    def cancel(self, row: int) -> Reason:
        return self.venue.cancel(row)

    def match_at_close(self, place: int, close: int, volume: int) -> StepStatus:
        return self.venue.match_at_close(place, close, volume)

    def step(self, event: Event) -> StepStatus:
        match event:
            case Bar():
                return self.venue.step_bar(event)
            case Quote():
                return self.venue.step_quote(event)
            case Trade():
                return self.venue.step_trade(event)
            case Depth():
                return self.venue.step_depth(event)

    def books(self) -> Books:
        for fill in self.venue.fills[self.ledger.booked :]:
            self.ledger.book(fill)
        return Books(
            orders=[
                (
                    *(one.place, one.side, one.type, one.tif, one.post_only, one.reduce_only, one.lots, one.filled, one.limit, one.stop),
                    *(one.state, one.reason, one.submitted_at, one.active_at, one.value, one.fee, one.ended_at, one.tag),
                )
                for one in self.venue.orders
            ],
            fills=[
                (*(one.order, one.place, one.at, one.side, one.lots, one.price, one.value, one.fee), *(one.reason, one.is_maker, one.tag))
                for one in self.venue.fills
            ],
            cash=list(self.venue.cash),
            positions=self.venue.positions,
            marks=[place.mark for place in self.venue.state.places],
            equity=self.venue.equity(),
            free_cash=self.venue.free_cash(),
            holdings=[(one.lots, one.cost, one.realised, one.fees) for one in self.ledger.holdings],
            trades=[
                (
                    *(one.place, one.side, one.lots, one.opened_at, one.closed_at, one.entry_value, one.exit_value, one.realised, one.fees),
                    *(one.entry_reason, one.exit_reason, one.entry_tag, one.exit_tag, one.first_fill, one.last_fill),
                )
                for one in self.ledger.trades
            ],
            entries=[(one.fill, one.column, one.asset, one.amount) for one in self.ledger.entries],
        )


_ORDER_COLUMNS = (
    *(
        code.O_PLACE,
        code.O_SIDE,
        code.O_TYPE,
        code.O_TIF,
        code.O_FLAGS,
        code.O_FLAGS,
        code.O_LOTS,
        code.O_FILLED,
        code.O_LIMIT,
        code.O_STOP,
    ),
    *(code.O_STATE, code.O_REASON, code.O_SUBMITTED_AT, code.O_ACTIVE_AT, code.O_VALUE, code.O_FEE, code.O_ENDED_AT, code.O_TAG),
)
_FILL_COLUMNS = (
    *(code.F_ORDER, code.F_PLACE, code.F_AT, code.F_SIDE, code.F_LOTS, code.F_PRICE, code.F_VALUE, code.F_FEE),
    *(code.F_REASON, code.F_IS_MAKER, code.F_TAG),
)


def new_order(request: Request) -> NewOrder:
    """A request as the engine takes it."""
    return NewOrder(
        place=request.place,
        side=request.side,
        order_type=request.type,
        lots=request.lots,
        limit=request.limit,
        stop=request.stop,
        trail=request.trail,
        trail_ppm=request.trail_ppm,
        time_in_force=request.tif,
        flags=code.POST_ONLY * request.post_only | code.REDUCE_ONLY * request.reduce_only,
        expires_at=request.expires_at,
        parent=request.parent,
        group=request.group,
        stop_ppm=request.stop_ppm,
        limit_ppm=request.limit_ppm,
        tag=request.tag,
    )


class EngineDriver:
    """The kernels' side. The numbers of the world are written into the engine's arrays, so that every combination can be had."""

    skipped = 0
    """Bars that were not stepped."""

    def __init__(self, world: World) -> None:
        names = [f"C{number}" for number in range(len(world.cash))]
        specs = [_spec(one, names[one.currency]) for one in world.instruments]
        self.engine = Engine(specs, [IDEAL] * len(specs), cash={name: Decimal(1) for name in names})
        account = self.engine.account
        for number, one in enumerate(world.instruments):
            write_constants(self.engine.places[number], one)
        for currency, (cash, rate) in enumerate(zip(world.cash, world.rates, strict=True)):
            account[code.A_CASH + currency] = cash
            account[code.A_CASH + len(names) + currency] = rate
        account[code.A_LATENCY_US] = world.latency_us
        account[code.A_IS_CASH_ONLY] = len(names) == 1 and all(
            one.initial_ppm == code.PPM and not one.allows_short for one in world.instruments
        )
        self.holdings = np.zeros((len(specs), HOLDING_COLUMNS), np.int64)
        self.trades = np.zeros((0, TRADE_COLUMNS), np.int64)
        self.entries = np.zeros((0, ENTRY_COLUMNS), np.int64)
        self.counters = np.zeros(2, np.int64)
        self.booked = 0

    def submit(self, request: Request) -> tuple[int, Reason]:
        row = self.engine.submit(new_order(request))
        is_refused = self.engine.state(row) is EngineOrderState.REFUSED
        return row, self.engine.reason(row) if is_refused else Reason.NONE

    def amend(self, row: int, change: Amendment) -> Reason:
        return self.engine.amend(
            row, lots=change.lots, limit=change.limit, stop=change.stop, trail=change.trail, trail_ppm=change.trail_ppm
        )

    def cancel(self, row: int) -> Reason:
        return self.engine.cancel(row)

    def match_at_close(self, place: int, close: int, volume: int) -> StepStatus:
        return self.engine.match_at_close(place, close=close, volume=volume)

    def step(self, event: Event) -> StepStatus:
        match event:
            case Bar():
                bar = EngineBar(event.opened_at, event.closed_at, event.open, event.high, event.low, event.close, event.volume)
                return self.engine.step_bar(event.place, bar)
            case Quote():
                numbers = (event.place, event.at, event.bid, event.ask, event.bid_lots, event.ask_lots)
                return StepStatus(step_quote(*self._tables(), *numbers))
            case Trade():
                return StepStatus(step_trade(*self._tables(), event.place, event.at, event.price, event.lots))
            case Depth():
                return self.engine.step_depth(event.place, event.at, _shown(event))

    def _tables(self) -> tuple[Any, Any, Any, Any, Any]:
        self.engine.make_room()
        return self.engine.book, self.engine.active, self.engine.places, self.engine.account, self.engine.fills

    def books(self) -> Books:
        self._book()
        engine = self.engine
        return Books(
            orders=[_order(row) for row in engine.order_rows()[:, list(_ORDER_COLUMNS)].tolist()],
            fills=[tuple(row) for row in engine.fill_rows()[:, list(_FILL_COLUMNS)].tolist()],
            cash=[engine.cash(name) for name in engine.currencies],
            positions=engine.places[:, code.I_POSITION].tolist(),
            marks=engine.places[:, code.I_MARK].tolist(),
            equity=engine.equity,
            free_cash=engine.free_cash,
            holdings=[tuple(row) for row in self.holdings[:, :4].tolist()],
            trades=[tuple(row) for row in self.trades[: self.counters[0]].tolist()],
            entries=[tuple(row) for row in self.entries[: self.counters[1]].tolist()],
        )

    def _book(self) -> None:
        """Book the new fills, with room for what they may bring."""
        last = int(self.engine.account[code.A_FILLS])
        self.trades = _with_room(self.trades, int(self.counters[0]) + last - self.booked)
        self.entries = _with_room(self.entries, int(self.counters[1]) + 6 * (last - self.booked))
        booked = book_fills(
            *(self.engine.fills, self.booked, last, self.engine.places, self.holdings, self.trades, self.entries, self.counters),
            len(self.engine.currencies),
        )
        assert booked == last - self.booked
        self.booked = last


class SkippingDriver(EngineDriver):
    """The engine as a fast driver uses it: events that stay inside the envelope are not stepped, only their price and time are taken."""

    def step(self, event: Event) -> StepStatus:
        place = self.engine.places[event.place]
        low, high, mark, at = _reach(event, int(place[code.I_POSITION]))
        if isinstance(event, Depth) or is_outside(self.engine.places, event.place, low, high, at):
            return super().step(event)
        self.skipped += 1
        self.engine.account[code.A_NOW] = at
        place[code.I_MARK] = mark
        return StepStatus.OK


def _reach(event: Event, position: int) -> tuple[int, int, int, int]:
    """Lowest and highest price, mark and time of an event."""
    match event:
        case Bar():
            return event.low, event.high, event.close, event.closed_at
        case Trade():
            return event.price, event.price, event.price, event.at
        case Quote():
            bid, ask = event.bid, event.ask
        case Depth():
            bid, ask = event.bids[0].price, event.asks[0].price
    return bid, ask, bid if position > 0 else (ask if position < 0 else (bid + ask) // 2), event.at


def _shown(depth: Depth) -> Any:
    """A row per level; the shorter side ends with zeros."""
    shown = np.zeros((max(len(depth.bids), len(depth.asks)), code.SHOWN_COLUMNS), np.int64)
    for column, side in ((code.L_BID, depth.bids), (code.L_ASK, depth.asks)):
        for index, level in enumerate(side):
            shown[index, column : column + 2] = level.price, level.lots
    return shown


def _order(row: list[int]) -> Row:
    row[4], row[5] = bool(row[4] & code.POST_ONLY), bool(row[5] & code.REDUCE_ONLY)
    return tuple(row)


def _with_room(table: Any, needed: int) -> Any:
    if table.shape[0] >= needed:
        return table
    larger = np.zeros((2 * needed, table.shape[1]), np.int64)
    larger[: table.shape[0]] = table
    return larger


def _spec(instrument: Instrument, currency: str) -> InstrumentSpec:
    """Prices in ones, lots of one, cash in ones: the numbers are their own units."""
    return InstrumentSpec(
        id=_NOBODY,
        venue_id=_NOBODY,
        symbol=f"X{currency}",
        base_asset="X",
        quote_asset=currency,
        price_scale=0,
        volume_scale=0,
        cash_scale=0,
        tick_size=Decimal(instrument.tick),
        lot_size=Decimal(1),
        min_quantity=Decimal(instrument.min_lots),
        min_notional=Decimal(instrument.min_notional),
        max_price=Decimal(instrument.max_price),
        max_quantity=Decimal(instrument.max_lots),
        multiplier=instrument.cash_per_price_lot,
    )


def write_constants(row: Any, one: Instrument) -> None:
    """The numbers of an instrument into its row of places."""
    row[code.I_CURRENCY], row[code.I_ALLOWS_SHORT] = one.currency, one.allows_short
    row[code.I_INITIAL_PPM], row[code.I_MAINTENANCE_PPM] = one.initial_ppm, one.maintenance_ppm
    row[code.I_VOLUME_SHARE_PPM] = one.volume_share_ppm
    row[code.I_SLIPPAGE], row[code.I_IMPACT_PPM] = one.slippage, one.impact_ppm
    row[code.I_HALF_SPREAD_PPM], row[code.I_SLIPPAGE_PPM] = one.half_spread_ppm, one.slippage_ppm
    row[code.I_FEE_FLAT], row[code.I_FEE_PER_LOT_PPM] = one.fee_flat, one.fee_per_lot_ppm
    row[code.I_FEE_MAKER_PPM], row[code.I_FEE_TAKER_PPM] = one.fee_maker_ppm, one.fee_taker_ppm
    row[code.I_FEE_MINIMUM], row[code.I_FEE_CAP_PPM] = one.fee_minimum, one.fee_cap_ppm
    row[code.I_FEE_CAP_ABOVE_MINIMUM] = one.fee_cap_above_minimum
    row[code.I_TIERS] = len(one.tiers)
    for number, tier in enumerate(one.tiers):
        first = code.I_TIER_1 + 3 * number
        row[first], row[first + 1], row[first + 2] = tier.from_value, tier.maker_ppm, tier.taker_ppm
    row[code.I_LIMIT_RULE], row[code.I_TRAIL_RULE], row[code.I_RANGE_ORDER] = one.limit_rule, one.trail_rule, one.range_order
