"""The books of an account in memory: the arithmetic of the journal, the positions and the snapshots of a paper account, without rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from uuid import UUID

from apps.backtests.domain.margin_watch import MarginWatch
from apps.backtests.domain.session_beside import GivenTrade
from apps.backtests.domain.session_plan import AccountPlan
from apps.backtests.domain.session_venue import Traded
from apps.core.values import InstrumentSpec
from apps.markets.domain.bars import to_micros
from apps.orders.domain.margin_calls import call_ppm
from apps.orders.domain.profiles import EngineProfile
from apps.portfolio.domain.ledger import Booking, Change, Holding, Trade, book_trade
from apps.portfolio.domain.valuation import Held, Valuation, drawdown, value_account
from apps.risk.domain.exposure import AccountExposure
from apps.strategies.domain.margin_event import MarginCallEvent

ZERO = Decimal(0)


@dataclass(frozen=True)
class EquityPoint:
    """The account after a bar, as a snapshot has it."""

    at: datetime
    valuation: Valuation
    peak: Decimal


@dataclass(frozen=True)
class ClosedTrip:
    """A round trip: from flat to flat, or through zero. Amounts are before fees, and the fees."""

    instrument: InstrumentSpec
    opened_at: datetime
    closed_at: datetime
    quantity: Decimal
    realised: Decimal
    fees: Decimal


class _Position:
    """One instrument's part of the books."""

    def __init__(self, instrument: InstrumentSpec) -> None:
        self.instrument = instrument
        self.holding = Holding()
        self.mark: Decimal | None = None
        self.opened_at: datetime | None = None
        self._held: Held | None = None

    @property
    def quantity(self) -> Decimal:
        return self.instrument.quantity(self.holding.lots)

    def book(self, traded: Traded | GivenTrade) -> Booking:
        """Apply a trade; the position is marked at its price until the bar's close is."""
        spec = self.instrument
        per_lot = spec.price_units(traded.price) * spec.cash_units_per_price_unit_lot
        trade = Trade(traded.side.sign * spec.quantity_lots(traded.quantity), per_lot, spec.cash_units(traded.fee))
        booking = book_trade(self.holding, trade)
        self.holding = booking.holding
        if booking.change in (Change.OPENED, Change.FLIPPED):
            self.opened_at = traded.at
        self.move_mark(traded.price)
        return booking

    def move_mark(self, price: Decimal) -> None:
        self.mark = price
        self._held = None

    def held(self) -> Held:
        """As a valuation sees it."""
        if self._held is None:
            spec, holding = self.instrument, self.holding
            self._held = Held(
                quantity=spec.quantity(holding.lots),
                cost_basis=spec.cash(holding.cost),
                mark_price=self.mark,
                multiplier=spec.multiplier,
                realised_pnl=spec.cash(holding.realised),
                fees=spec.cash(holding.fees),
            )
        return self._held


class MemoryBooks:
    """Cash, positions at their marks, and an equity point per close of the market."""

    def __init__(self, account: AccountPlan) -> None:
        self._account = account
        self._positions: dict[UUID, _Position] = {}
        self.cash = account.capital
        self._margin = MarginWatch(0, Decimal(1))
        self.margin_call: MarginCallEvent | None = None
        """The call that begins at the newest point, if one does."""
        self.go_by(account.profile)
        self.trips: list[ClosedTrip] = []
        self.points = [EquityPoint(account.opened_at, value_account(account.capital, ()), account.capital)]
        self._day_started_at = _day_start(account.opened_at)
        self._day_start_equity = account.capital

    def go_by(self, profile: EngineProfile) -> None:
        """What the venue lends and when it calls, from the next point on."""
        self._leverage, self._margin.ppm = profile.leverage, call_ppm(profile)

    @property
    def newest(self) -> EquityPoint:
        return self.points[-1]

    @property
    def drawdown(self) -> Decimal:
        """Fall from the peak, as a fraction."""
        return drawdown(peak=self.newest.peak, equity=self.newest.valuation.equity)

    @property
    def day_started_at(self) -> datetime:
        """Start of the UTC day of the newest point."""
        return self._day_started_at

    def open_positions(self) -> int:
        """How many instruments are held."""
        return sum(1 for position in self._positions.values() if position.holding.lots)

    def holdings(self) -> dict[UUID, Holding]:
        """Everything that is or was held."""
        return {key: position.holding for key, position in self._positions.items()}

    def book(self, traded: Traded | GivenTrade) -> None:
        """Book a trade: cash, position, and the round trip that it closed, if it did."""
        spec = traded.instrument
        position = self._positions.setdefault(spec.id, _Position(spec))
        self.cash -= traded.side.sign * spec.notional(traded.price, traded.quantity) + traded.fee
        opened_at = position.opened_at
        closed = position.book(traded).closed
        if closed is not None:
            self.trips.append(
                ClosedTrip(
                    spec,
                    opened_at or traded.at,
                    traded.at,
                    spec.quantity(closed.lots),
                    spec.cash(closed.realised),
                    spec.cash(closed.fees),
                )
            )

    def mark(self, at: datetime, closes: dict[UUID, int]) -> None:
        """Value what is held at these closes (price units; where an instrument has none, at its last mark) and add the equity point."""
        for key, position in self._positions.items():
            if position.holding.lots and key in closes:
                position.move_mark(position.instrument.price(closes[key]))
        valuation = value_account(self.cash, [position.held() for position in self._positions.values()])
        day = _day_start(at)
        if day != self._day_started_at:
            self._day_started_at, self._day_start_equity = day, self.newest.valuation.equity
        self.points.append(EquityPoint(at, valuation, max(self.newest.peak, valuation.equity)))
        self.margin_call = self._margin.look(to_micros(at), valuation.equity, valuation.gross_exposure)

    def restate(self) -> None:
        """Value the newest point again, after what was booked since."""
        point = self.points.pop()
        valuation = value_account(self.cash, [position.held() for position in self._positions.values()])
        peak = self.points[-1].peak if self.points else self._account.capital
        self.points.append(EquityPoint(point.at, valuation, max(peak, valuation.equity)))

    def exposure(self, instrument_id: UUID) -> AccountExposure:
        """What the gate needs to know, as of the newest point."""
        worth, position = self.newest.valuation, self._positions.get(instrument_id)
        return AccountExposure(
            account_id=self._account.id,
            currency=self._account.currency,
            mode=self._account.mode,
            is_open=True,
            cash=worth.cash,
            equity=worth.equity,
            day_start_equity=self._day_start_equity,
            peak_equity=self.newest.peak,
            gross_exposure=worth.gross_exposure,
            position_quantity=position.quantity if position else ZERO,
            position_notional=position.held().market_value if position else ZERO,
            day_started_at=self._day_started_at,
            leverage=self._leverage,
        )


def _day_start(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)
