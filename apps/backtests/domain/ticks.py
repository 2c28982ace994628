"""Ticks as arrays: quotes, trades of others and depth snapshots of one instrument, and the tape that puts them into one order of time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.event_run import QuoteColumns
from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec
from apps.orders.domain.engine_codes import L_ASK, L_ASK_LOTS, L_BID, L_BID_LOTS, SHOWN_COLUMNS

Int64Array: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]


class TickKind(IntEnum):
    """What an event of a tape is. Of one moment, where nothing else is said, trades come first: what was traded was shown before."""

    TRADE = 0
    QUOTE = 1
    DEPTH = 2


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

    def part(self, rows: slice) -> DepthColumns:
        """Some of the snapshots, without copying."""
        return DepthColumns(self.at[rows], self.levels[rows])


@dataclass(frozen=True, eq=False)
class TradeColumns:
    """Trades of others as contiguous int64 arrays in the engine's units; `side` is that of who took (1, -1, 0 is not known), None: of none."""

    at: Int64Array
    price: Int64Array
    lots: Int64Array
    side: Int64Array | None = None

    def __len__(self) -> int:
        return len(self.at)

    def check(self, instrument: InstrumentSpec) -> None:
        """Raise InvalidInput naming the first trade that is out of order or none."""
        bad = (self.price <= 0) | (self.price > instrument.price_units(instrument.max_price)) | (self.lots <= 0)
        bad[1:] |= self.at[1:] < self.at[:-1]
        _refuse(bad, instrument, "Trade", "trades", "Prices and lots must be positive, and times must not go back.")

    def part(self, rows: slice) -> TradeColumns:
        """Some of the trades, without copying."""
        return TradeColumns(self.at[rows], self.price[rows], self.lots[rows], None if self.side is None else self.side[rows])


_NONE = np.zeros(0, np.int64)
NO_QUOTES = QuoteColumns(_NONE, _NONE, _NONE, _NONE, _NONE)
NO_TRADES = TradeColumns(_NONE, _NONE, _NONE)
NO_DEPTH = DepthColumns(_NONE, np.zeros((0, 1, SHOWN_COLUMNS), np.int64))


@dataclass(frozen=True, eq=False)
class Tape:
    """Events of one instrument in the order of time: event `i` is of `kind[i]` and stands in row `row[i]` of the columns of that kind."""

    at: Int64Array
    kind: Int64Array
    row: Int64Array
    quotes: QuoteColumns = NO_QUOTES
    trades: TradeColumns = NO_TRADES
    depth: DepthColumns = NO_DEPTH

    @classmethod
    def of(cls, *, quotes: QuoteColumns = NO_QUOTES, trades: TradeColumns = NO_TRADES, depth: DepthColumns = NO_DEPTH) -> Tape:
        """All of them by time; of one moment trades come before quotes, quotes before snapshots."""
        times = {TickKind.TRADE: trades.at, TickKind.QUOTE: quotes.at, TickKind.DEPTH: depth.at}
        at = np.concatenate(list(times.values()))
        kind = np.concatenate([np.full(len(part), number, np.int64) for number, part in times.items()])
        row = np.concatenate([np.arange(len(part), dtype=np.int64) for part in times.values()])
        order = np.lexsort((row, kind, at))
        return cls(at[order], kind[order], row[order], quotes, trades, depth)

    def __len__(self) -> int:
        return len(self.at)

    def check(self, instrument: InstrumentSpec) -> None:
        """Raise InvalidInput naming the first event that cannot be traded on, or that goes back in time."""
        for columns in (self.quotes, self.trades, self.depth):
            columns.check(instrument)
        bad = np.zeros(len(self), np.bool_)
        bad[1:] = self.at[1:] < self.at[:-1]
        _refuse(bad, instrument, "Event", "ticks", "Sort quotes, trades and snapshots by time.")

    def part(self, first: int, last: int) -> Tape:
        """The events [first, last)."""
        kind, row = self.kind[first:last], self.row[first:last].copy()
        cut = {}
        for number in TickKind:
            is_of_kind = kind == number
            rows = row[is_of_kind]
            cut[number] = slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
            row[is_of_kind] -= cut[number].start
        quoted = cut[TickKind.QUOTE]
        quotes = QuoteColumns(
            self.quotes.at[quoted],
            self.quotes.bid[quoted],
            self.quotes.ask[quoted],
            self.quotes.bid_lots[quoted],
            self.quotes.ask_lots[quoted],
        )
        trades, depth = self.trades.part(cut[TickKind.TRADE]), self.depth.part(cut[TickKind.DEPTH])
        return Tape(self.at[first:last], kind, row, quotes, trades, depth)

    def between(self, since: int | None, until: int | None) -> Tape:
        """The events from `since` to before `until` (microseconds)."""
        first = 0 if since is None else int(np.searchsorted(self.at, since))
        last = len(self) if until is None else int(np.searchsorted(self.at, until))
        return self.part(first, max(first, last))

    def count(self, kind: TickKind) -> int:
        return int((self.kind == kind).sum())

    @cached_property
    def traded(self) -> Int64Array:
        """The price of each event that is a trade, 0 for the others."""
        prices = np.zeros(len(self), np.int64)
        is_trade = self.kind == TickKind.TRADE
        prices[is_trade] = self.trades.price[self.row[is_trade]]
        return prices

    @cached_property
    def bid(self) -> Int64Array:
        """The best bid that is known at each event; before the first quote or snapshot the price of the last trade."""
        return self._best(self.quotes.bid, L_BID)

    @cached_property
    def ask(self) -> Int64Array:
        """As `bid`, of the other side."""
        return self._best(self.quotes.ask, L_ASK)

    @cached_property
    def is_quoted(self) -> BoolArray:
        """Whether a quote or snapshot is known at each event."""
        found: BoolArray = np.logical_or.accumulate(self.kind != TickKind.TRADE)
        return found

    def _best(self, quoted: Int64Array, column: int) -> Int64Array:
        prices = self.traded.copy()
        for kind, best in ((TickKind.QUOTE, quoted), (TickKind.DEPTH, self.depth.levels[:, 0, column])):
            is_of_kind = self.kind == kind
            prices[is_of_kind] = best[self.row[is_of_kind]]
        tells = (self.kind != TickKind.TRADE) | ~self.is_quoted
        last = np.maximum.accumulate(np.where(tells, np.arange(len(self)), 0))
        told: Int64Array = prices[last]
        return told


def tape_columns(tape: Tape) -> list[Int64Array]:
    """Every number of a tape, for a hash of its content."""
    quotes, trades, depth = tape.quotes, tape.trades, tape.depth
    side = np.zeros(len(trades), np.int64) if trades.side is None else trades.side
    of_quotes = [quotes.bid, quotes.ask, quotes.bid_lots, quotes.ask_lots]
    return [tape.at, tape.kind, *of_quotes, trades.price, trades.lots, side, depth.levels.reshape(-1)]


def _refuse(bad: BoolArray, instrument: InstrumentSpec, what: str, where: str, hint: str) -> None:
    if bad.any():
        index = int(bad.argmax())
        raise InvalidInput(f"{what} {index} of {instrument.symbol} cannot be traded.", where=f"{where}[{index}]", hint=hint)
