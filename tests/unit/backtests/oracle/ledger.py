"""The oracle's books: positions at cost, round trips and double-entry rows, from fills alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.orders.domain.engine_codes import Reason
from apps.portfolio.domain.ledger_codes import LedgerColumn
from tests.unit.backtests.oracle.model import Fill, sign


@dataclass(frozen=True)
class Entry:
    """One amount of one asset in one column. Assets: the currencies by number, then the instruments."""

    fill: int
    column: LedgerColumn
    asset: int
    amount: int


@dataclass
class RoundTrip:
    """From flat to flat, or through zero. Values and P&L in cash units, `realised` before fees."""

    place: int
    side: int
    opened_at: int
    entry_reason: Reason
    entry_tag: int
    first_fill: int
    lots: int = 0
    entry_value: int = 0
    exit_value: int = 0
    realised: int = 0
    fees: int = 0
    closed_at: int = 0
    exit_reason: Reason = Reason.NONE
    exit_tag: int = 0
    last_fill: int = 0


@dataclass
class Holding:
    """A position; `cost` is signed like the lots."""

    lots: int = 0
    cost: int = 0
    realised: int = 0
    fees: int = 0
    trip: RoundTrip | None = None


@dataclass
class OracleLedger:
    """Books fills in their order; `currencies` is each instrument's currency."""

    currencies: list[int]
    currency_count: int
    holdings: list[Holding] = field(default_factory=list)
    trades: list[RoundTrip] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    booked: int = 0

    def __post_init__(self) -> None:
        self.holdings = [Holding() for _ in self.currencies]

    def book(self, fill: Fill) -> None:
        number = self.booked
        self.booked += 1
        self._write_rows(number, fill)
        holding = self.holdings[fill.place]
        closing = min(abs(holding.lots), fill.lots) if sign(holding.lots) == -fill.side else 0
        fee_of_closing = fill.fee * closing // fill.lots
        if closing:
            self._close(holding, fill, number, closing, fee_of_closing)
        if fill.lots > closing:
            self._open(holding, fill, number, fill.lots - closing, fill.fee - fee_of_closing)

    def _write_rows(self, number: int, fill: Fill) -> None:
        currency = self.currencies[fill.place]
        asset = self.currency_count + fill.place
        paid, bought = fill.side * fill.value, fill.side * fill.lots
        self.entries += [
            Entry(number, LedgerColumn.CASH, currency, -paid),
            Entry(number, LedgerColumn.MARKET, currency, paid),
            Entry(number, LedgerColumn.HOLDINGS, asset, bought),
            Entry(number, LedgerColumn.MARKET, asset, -bought),
        ]
        if fill.fee:
            self.entries += [Entry(number, LedgerColumn.CASH, currency, -fill.fee), Entry(number, LedgerColumn.FEES, currency, fill.fee)]

    def _open(self, holding: Holding, fill: Fill, number: int, lots: int, fee: int) -> None:
        if holding.trip is None:
            holding.trip = RoundTrip(fill.place, fill.side, fill.at, fill.reason, fill.tag, number)
        value = fill.value // fill.lots * lots
        holding.lots += fill.side * lots
        holding.cost += fill.side * value
        holding.fees += fee
        holding.trip.lots += lots
        holding.trip.entry_value += value
        holding.trip.fees += fee

    def _close(self, holding: Holding, fill: Fill, number: int, closing: int, fee: int) -> None:
        trip = holding.trip
        assert trip is not None
        direction = sign(holding.lots)
        released = sign(holding.cost) * (abs(holding.cost) * closing // abs(holding.lots))
        value = fill.value // fill.lots * closing
        realised = direction * value - released
        holding.lots -= direction * closing
        holding.cost -= released
        holding.realised += realised
        holding.fees += fee
        trip.exit_value += value
        trip.realised += realised
        trip.fees += fee
        if holding.lots == 0:
            trip.closed_at, trip.exit_reason, trip.exit_tag, trip.last_fill = fill.at, fill.reason, fill.tag, number
            self.trades.append(trip)
            holding.trip = None
