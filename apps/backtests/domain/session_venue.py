"""The simulated venue in memory: the book of one account in the engine that also matches for paper. The one place of a run that matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.backtests.domain.session_beside import GivenTrade
from apps.core.errors import OutOfBounds
from apps.core.rounding import round_fee
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Side, TimeInForce
from apps.markets.contracts import Bar
from apps.orders.contracts import Amendment, OrderRequest
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import Engine, EngineBar
from apps.orders.domain.engine_book import engine_for
from apps.orders.domain.engine_codes import EngineOrderState, Reason, StepStatus
from apps.orders.domain.engine_terms import new_order
from apps.orders.domain.instants import day_end, microseconds, moment
from apps.orders.domain.profiles import EngineProfile, place_row
from apps.orders.domain.terms import amended
from apps.orders.domain.vocabulary import Liquidity
from apps.strategies.domain.event_session import OrderStanding

_WORKING = (EngineOrderState.OPEN, EngineOrderState.WAITING)
VENUES_OWN = 1 << 127
"""From here on are the numbers of orders that the venue made itself."""


@dataclass(frozen=True)
class Traded:
    """A fill: what was traded of which order, when and why, and what of the order may still trade."""

    order_id: UUID
    session_id: UUID | None
    """None: the venue closed the position itself, for the account could not carry it."""
    instrument: InstrumentSpec
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    liquidity: Liquidity
    reason: str
    at: datetime
    remaining: Decimal


@dataclass(frozen=True)
class Ended:
    """An order that trades no more though it has not filled, and the engine's reason."""

    order_id: UUID
    reason: Reason


class MemoryVenue:
    """Instruments meet their bars in the order of their symbols, orders in the order of their acceptance, as at the paper venue.

    Marks are the last closes: the engine needs them for what an order may cost. `capital` is in `currency`.
    """

    def __init__(self, instruments: Sequence[InstrumentSpec], profile: EngineProfile, *, currency: str, capital: Decimal) -> None:
        self._specs = sorted(instruments, key=lambda spec: spec.symbol)
        self._places = {spec.id: place for place, spec in enumerate(self._specs)}
        scale = max(spec.cash_scale for spec in self._specs)
        self._engine = engine_for(self._specs, profile, currency=currency, cash=capital, cash_scale=scale, traded_value=Decimal(0))
        self._can_liquidate = profile.can_liquidate
        self._working: dict[int, OrderRequest] = {}
        self._requests: dict[UUID, OrderRequest] = {}
        self._rows: dict[UUID, int] = {}
        self._groups: dict[UUID, int] = {}

    @property
    def engine(self) -> Engine:
        """The book, for its records."""
        return self._engine

    def mark(self, closes: Mapping[UUID, int]) -> None:
        """Remember the closes (price units) of the bars that have just closed."""
        for key, close in closes.items():
            self._engine.places[self._places[key], code.I_MARK] = close

    def accept(self, request: OrderRequest, *, at: datetime) -> Reason:
        """Take an order, which bars that close later meet; NONE, or why it was refused."""
        spec = request.instrument
        self._engine.account[code.A_NOW] = microseconds(at)
        row = self._engine.submit(
            new_order(
                request.venue_terms,
                spec,
                side=request.side,
                place=self._places[spec.id],
                parent=self._rows[request.parent_id] if request.parent_id else code.NO_ROW,
                group=self._groups.setdefault(request.group_id, self._engine.new_group()) if request.group_id else 0,
            )
        )
        self._rows[request.id], self._requests[request.id] = row, request
        if self._engine.state(row) is EngineOrderState.REFUSED:
            return self._engine.reason(row)
        self._working[row] = request
        return Reason.NONE

    def has_order_of(self, session_id: UUID) -> bool:
        """Whether an order of the session may still trade."""
        return any(request.origin_id == session_id for request in self._working.values())

    def cancel_of(self, session_id: UUID) -> list[UUID]:
        """Take the session's orders out of the book; returns which."""
        rows = [row for row, request in self._working.items() if request.origin_id == session_id]
        for row in rows:
            self._engine.cancel(row)
        return [self._working.pop(row).id for row in rows]

    def orders_of(self, session_id: UUID) -> list[UUID]:
        """The session's orders that may still trade."""
        return [request.id for request in self._working.values() if request.origin_id == session_id]

    def has(self, order_id: UUID) -> bool:
        """Whether the order was ever sent."""
        return order_id in self._rows

    def as_changed(self, request: OrderRequest) -> OrderRequest:
        """An order with the terms that it has by now."""
        return self._requests.get(request.id, request)

    def request(self, order_id: UUID) -> OrderRequest:
        """An order that was sent, with what it was changed to."""
        standing = self.standing(order_id)
        return replace(self._requests[order_id], quantity=standing.terms.quantity)

    def standing(self, order_id: UUID) -> OrderStanding:
        """How an order that was sent stands now."""
        row, request = self._rows[order_id], self._requests[order_id]
        lots, filled = self._engine.book[row, [code.O_LOTS, code.O_FILLED]].tolist()
        spec = request.instrument
        return OrderStanding(self._engine.state(row), spec.quantity(filled), replace(request.terms, quantity=spec.quantity(lots)))

    def cancel(self, order_ids: Sequence[UUID], *, at: datetime) -> list[Ended]:
        """Cancel orders; returns what ended with them."""
        self._engine.account[code.A_NOW] = microseconds(at)
        for order_id in order_ids:
            self._engine.cancel(self._rows[order_id])
        return self._outcome(int(self._engine.account[code.A_FILLS]))[1]

    def amend(self, order_id: UUID, amendment: Amendment, *, at: datetime) -> Reason:
        """Change an order; NONE, or why it stays as it is. A price that is given takes the place of a relative one."""
        row, request = self._rows[order_id], self._requests[order_id]
        self._engine.account[code.A_NOW] = microseconds(at)
        terms, spec = amended(request.venue_terms, amendment), request.instrument
        book = self._engine.book
        if amendment.limit_price is not None:
            book[row, code.O_LIMIT_PPM] = 0
        if amendment.stop_price is not None:
            book[row, code.O_STOP_PPM] = 0
        reason = self._engine.amend(
            row,
            lots=None if amendment.quantity is None else spec.quantity_lots(amendment.quantity),
            limit=None if amendment.limit_price is None else spec.price_units(amendment.limit_price),
            stop=None if amendment.stop_price is None else spec.price_units(amendment.stop_price),
        )
        if reason is Reason.NONE:
            self._requests[order_id] = replace(request, **vars(terms))
        return reason

    def take(self, trade: GivenTrade) -> None:
        """Put a fill into the account that was made elsewhere: position, cash and traded value."""
        place = self._places[trade.instrument.id]
        finest, account = self._engine.instruments[place], self._engine.account
        value = finest.cash_units(trade.instrument.notional(trade.price, trade.quantity))
        self._engine.places[place, code.I_POSITION] += trade.side.sign * finest.quantity_lots(trade.quantity)
        account[code.A_CASH + self._engine.places[place, code.I_CURRENCY]] -= trade.side.sign * value + finest.cash_units(trade.fee)
        account[code.A_TRADED_VALUE] += value

    def charge(self, profile: EngineProfile) -> None:
        """Fill and charge by other rules from now on; positions, marks and open orders stay."""
        for row, spec in zip(self._engine.places, self._engine.instruments, strict=True):
            row[: code.I_POSITION] = place_row(spec, profile, currency=int(row[code.I_CURRENCY]))[: code.I_POSITION]
        self._can_liquidate = profile.can_liquidate
        self._engine.account[code.A_LATENCY_US] = profile.latency_us
        self._engine.account[code.A_IS_CASH_ONLY] = profile.is_cash_only and len(self._engine.currencies) == 1

    def awaited(self) -> set[UUID]:
        """Instruments whose next bar the book meets: those of open orders and those that are held; none while nothing is open and the venue
        could close nothing (shorts, and anything on margin)."""
        lots = self._engine.places[:, code.I_POSITION].tolist()
        is_at_risk = any(lots) if self._can_liquidate else min(lots) < 0
        if not self._working and not is_at_risk:
            return set()
        return self._awaited_by_orders() | {spec.id for spec, held in zip(self._specs, lots, strict=True) if held}

    def _awaited_by_orders(self) -> set[UUID]:
        return {request.instrument.id for request in self._working.values()}

    def meet(self, bars: Mapping[UUID, Bar], *, is_daily: bool) -> tuple[list[Traded], list[Ended]]:
        """Match the book against the bars of one close, by instrument. Raises OutOfBounds where the engine can go no further."""
        before = int(self._engine.account[code.A_FILLS])
        for spec in self._specs:
            if spec.id in bars:
                self._step(spec, bars[spec.id], is_daily=is_daily)
        return self._outcome(before)

    def fill_at_close(self) -> tuple[list[Traded], list[Ended]]:
        """Fill the market orders that were given on the last close at that close, without latency."""
        before = int(self._engine.account[code.A_FILLS])
        rows = list(self._working)
        self._engine.book[rows, code.O_ACTIVE_AT] = self._engine.book[rows, code.O_SUBMITTED_AT]
        for key in sorted(self._awaited_by_orders(), key=lambda key: self._places[key]):
            place = self._places[key]
            _require_ok(self._engine.match_at_close(place, close=int(self._engine.places[place, code.I_MARK])), self._specs[place].symbol)
        return self._outcome(before)

    def _outcome(self, before: int) -> tuple[list[Traded], list[Ended]]:
        """The fills after the first `before`, and the orders that have ended without."""
        fills = [self._traded(row) for row in self._engine.fill_rows()[before:].tolist()]
        over = [row for row in self._working if self._engine.state(row) not in _WORKING]
        ended = [
            Ended(self._working[row].id, self._engine.reason(row)) for row in over if self._engine.state(row) is not EngineOrderState.FILLED
        ]
        for row in over:
            del self._working[row]
        return fills, ended

    def _step(self, spec: InstrumentSpec, bar: Bar, *, is_daily: bool) -> None:
        place = self._places[spec.id]
        for row, request in self._working.items():
            begins_day = request.time_in_force is TimeInForce.DAY and self._engine.book[row, code.O_EXPIRES_AT] == code.NEVER
            if begins_day and request.instrument.id == spec.id and microseconds(bar.closed_at) > self._engine.book[row, code.O_ACTIVE_AT]:
                ends_at = day_end(opened_at=bar.opened_at, closed_at=bar.closed_at, is_daily=is_daily)
                self._engine.book[row, code.O_EXPIRES_AT] = microseconds(ends_at)
        _require_ok(self._engine.step_bar(place, _engine_bar(bar, spec)), f"{spec.symbol} at {bar.closed_at:%Y-%m-%d %H:%M}")

    def _traded(self, fill: list[int]) -> Traded:
        row = fill[code.F_ORDER]
        request = self._working.get(row)
        spec, finest = self._specs[fill[code.F_PLACE]], self._engine.instruments[fill[code.F_PLACE]]
        is_working = self._engine.state(row) in _WORKING
        left = int(self._engine.book[row, code.O_LOTS] - self._engine.book[row, code.O_FILLED]) if is_working else 0
        return Traded(
            order_id=request.id if request else UUID(int=VENUES_OWN + row),
            session_id=request.origin_id if request else None,
            instrument=spec,
            side=Side.BUY if fill[code.F_SIDE] > 0 else Side.SELL,
            quantity=spec.quantity(fill[code.F_LOTS]),
            price=spec.price(fill[code.F_PRICE]),
            fee=round_fee(finest.cash(fill[code.F_FEE]), spec.cash_unit),
            liquidity=Liquidity.MAKER if fill[code.F_IS_MAKER] else Liquidity.TAKER,
            reason=Reason(fill[code.F_REASON]).name,
            at=moment(fill[code.F_AT]),
            remaining=spec.quantity(left),
        )


def _require_ok(status: StepStatus, where: str) -> None:
    if status is not StepStatus.OK:
        raise OutOfBounds(
            f"Matching {where} ended with {status.name}.", where=where, hint="Look at the bar, or lower the instrument's largest quantity."
        )


def _engine_bar(bar: Bar, spec: InstrumentSpec) -> EngineBar:
    """A bar without volume does not know it."""
    volume = int(Decimal(bar.volume).scaleb(-spec.volume_scale) // spec.lot_size) if bar.volume > 0 else -1
    return EngineBar(microseconds(bar.opened_at), microseconds(bar.closed_at), bar.open, bar.high, bar.low, bar.close, volume)
