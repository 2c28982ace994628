"""One account's book in the engine: loaded from the venue's rows, changed by the engine, written back in a statement per table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import structlog

from apps.core.errors import OutOfBounds
from apps.core.ids import client_order_id
from apps.core.rounding import round_fee
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.markets.contracts import Bar
from apps.orders.adapters.simulated import mapping
from apps.orders.contracts import Liquidity, OrderTerms
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine_book import accept_in_order, acting_rows, engine_for, restore
from apps.orders.domain.engine_codes import Reason, StepStatus
from apps.orders.domain.engine_terms import new_order
from apps.orders.domain.instants import day_end, microseconds, moment
from apps.orders.domain.terms import ppm_of_percent
from apps.orders.models import SimulatedAccount, SimulatedFill, SimulatedOrder
from apps.orders.ports import AccountRef

log = structlog.get_logger(__name__)


class VenueBook:
    """The working orders, the positions and the cash of one account at one moment of the venue's clock.

    `rows` are the venue's rows by the engine's row number; they follow the engine at `take_back`.
    """

    def __init__(
        self,
        ref: AccountRef,
        account: SimulatedAccount,
        specs: Sequence[InstrumentSpec],
        *,
        orders: Sequence[SimulatedOrder],
        positions: Mapping[UUID, Decimal],
        marks: Mapping[UUID, int],
    ) -> None:
        self._account = account
        self._specs = {spec.id: spec for spec in specs}
        self._places = {spec.id: place for place, spec in enumerate(specs)}
        self.engine = engine_for(
            specs,
            mapping.venue_terms(account).engine_profile,
            currency=ref.currency,
            cash=ref.initial_capital + account.cash_flow,
            cash_scale=ref.cash_scale,
            traded_value=account.traded_value,
        )
        for spec in specs:
            place = self._places[spec.id]
            self.engine.places[place, code.I_POSITION] = spec.quantity_lots(positions.get(spec.id, Decimal(0)))
            self.engine.places[place, code.I_MARK] = marks.get(spec.id, 0)
        self.rows: list[SimulatedOrder] = []
        self._row_of: dict[int, int] = {}
        self._groups: dict[UUID, int] = {}
        for order in sorted(orders, key=lambda item: item.venue_order_id):
            self._restore(order)
        opened = [row for row, order in enumerate(self.rows) if self.engine.state(row) is code.EngineOrderState.OPEN]
        accept_in_order(self.engine, sorted(opened, key=lambda row: (self.rows[row].acceptance, row)))
        self._loaded = self.engine.order_rows()

    def _restore(self, order: SimulatedOrder) -> None:
        spec = self._specs[order.instrument_id]
        parent = self._row_of.get(order.parent_id, code.NO_ROW) if order.parent_id else code.NO_ROW
        columns = mapping.to_columns(order, spec, place=self._places[spec.id], parent=parent, group=self.group_number(order.group_id))
        self._row_of[order.venue_order_id] = restore(self.engine, columns)
        self.rows.append(order)

    def group_number(self, group_id: UUID | None) -> int:
        """The engine's number of a group; 0 for none."""
        if group_id is None:
            return 0
        return self._groups.setdefault(group_id, len(self._groups) + 1)

    def set_clock(self, at: datetime) -> None:
        """The venue's time at which orders come in."""
        self.engine.account[code.A_NOW] = microseconds(at)

    def submit(self, order: SimulatedOrder, terms: OrderTerms, *, parent: SimulatedOrder | None) -> Reason:
        """Submit a new row with these terms; NONE and it is in the book, else why not. `parent` is one of the working orders."""
        spec = self._specs[order.instrument_id]
        new = new_order(
            terms,
            spec,
            side=Side(order.side),
            place=self._places[spec.id],
            parent=self._row_of[parent.venue_order_id] if parent else code.NO_ROW,
            group=self.group_number(order.group_id),
        )
        row = self.engine.submit(new)
        if self.engine.state(row) is code.EngineOrderState.REFUSED:
            return self.engine.reason(row)
        self.rows.append(order)
        return Reason.NONE

    def cancel(self, order: SimulatedOrder) -> Reason:
        """Cancel one of the working orders."""
        return self.engine.cancel(self._row_of[order.venue_order_id])

    def amend(self, order: SimulatedOrder, terms: OrderTerms) -> Reason:
        """Give one of the working orders these quantities and prices; a price that is given takes the place of a relative one."""
        row, spec = self._row_of[order.venue_order_id], self._specs[order.instrument_id]
        if terms.limit_offset_percent is None:
            self.engine.book[row, code.O_LIMIT_PPM] = 0
        if terms.stop_offset_percent is None:
            self.engine.book[row, code.O_STOP_PPM] = 0
        return self.engine.amend(
            row,
            lots=spec.quantity_lots(terms.quantity),
            limit=spec.price_units(terms.limit_price) if terms.limit_price is not None else None,
            stop=spec.price_units(terms.stop_price) if terms.stop_price is not None else None,
            trail=spec.price_units(terms.trail_amount) if terms.trail_amount is not None else 0,
            trail_ppm=ppm_of_percent(terms.trail_percent) if terms.trail_percent is not None else 0,
        )

    def step(self, bars: Mapping[UUID, Bar], *, is_daily: bool) -> None:
        """Meet the bars of one close, instrument after instrument in the order of their symbols."""
        for instrument_id, place in self._places.items():
            bar = bars.get(instrument_id)
            if bar is None:
                continue
            self._begin_days(instrument_id, bar, is_daily=is_daily)
            status = self.engine.step_bar(place, mapping.to_engine_bar(bar, self._specs[instrument_id]))
            if status is StepStatus.BAD_BAR:
                log.warning("bar_cannot_be_matched", instrument=self._specs[instrument_id].symbol, closed_at=bar.closed_at.isoformat())
            elif status is not StepStatus.OK:
                raise OutOfBounds(
                    f"Matching {self._specs[instrument_id].symbol} ended with {status.name}.",
                    where=str(self._account.account_id),
                    hint="Lower the instrument's largest quantity, or close the account.",
                )

    def _begin_days(self, instrument_id: UUID, bar: Bar, *, is_daily: bool) -> None:
        """The first bar that can fill a DAY order says when its day ends."""
        for row, order in enumerate(self.rows):
            is_meant = order.instrument_id == instrument_id and order.time_in_force == TimeInForce.DAY
            if is_meant and order.day_ends_at is None and bar.closed_at > order.accepted_at:
                order.day_ends_at = day_end(opened_at=bar.opened_at, closed_at=bar.closed_at, is_daily=is_daily)
                self.engine.book[row, code.O_EXPIRES_AT] = microseconds(order.day_ends_at)

    def take_back(self) -> list[SimulatedOrder]:
        """Bring the rows to where the engine is; returns those that changed and are stored already. New ones have no id yet."""
        after = self.engine.order_rows()
        changed = []
        for row in range(len(self.rows), len(after)):
            if after[row, code.O_STATE] != code.EngineOrderState.REFUSED:
                self.rows.append(self._venues_own(after[row].tolist()))
        for row, order in enumerate(self.rows):
            is_new = row >= len(self._loaded)
            if is_new or (after[row] != self._loaded[row]).any():
                mapping.take_columns(order, after[row].tolist(), self._specs[order.instrument_id])
                if not is_new:
                    changed.append(order)
        changed += [order for order in self._number_acceptances() if order not in changed and order.venue_order_id]
        self._follow_cash()
        return changed

    def _venues_own(self, columns: list[int]) -> SimulatedOrder:
        """The row of an order that the venue made: a liquidation."""
        spec = self.engine.instruments[columns[code.O_PLACE]]
        at = moment(columns[code.O_SUBMITTED_AT])
        return SimulatedOrder(
            account_id=self._account.account_id,
            client_order_id=client_order_id(
                account_id=self._account.account_id, origin=f"liquidation|{spec.id}|{at.isoformat()}|{self._account.next_acceptance}"
            ),
            instrument_id=spec.id,
            side=Side.BUY if columns[code.O_SIDE] > 0 else Side.SELL,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.GTC,
            quantity=spec.quantity(columns[code.O_LOTS]),
            is_reduce_only=True,
            accepted_at=at,
        )

    def _number_acceptances(self) -> list[SimulatedOrder]:
        """Number open orders that have come to the back since they were stored; returns those."""
        latest, moved = 0, []
        for row in acting_rows(self.engine):
            order = self.rows[row]
            if order.acceptance <= latest:
                order.acceptance = self._account.next_acceptance
                self._account.next_acceptance += 1
                moved.append(order)
            latest = order.acceptance
        return moved

    def _follow_cash(self) -> None:
        """What the trades have moved, in the amounts that their fills are stored with."""
        for fill in self.engine.fill_rows().tolist():
            spec = self._specs[self.engine.instruments[fill[code.F_PLACE]].id]
            value = spec.notional(spec.price(fill[code.F_PRICE]), spec.quantity(fill[code.F_LOTS]))
            self._account.cash_flow += -fill[code.F_SIDE] * value - self._fee(fill)
            self._account.traded_value += value

    def _fee(self, fill: list[int]) -> Decimal:
        """The engine's fee in the instrument's own cash unit, rounded up where the engine counted more finely."""
        finest = self.engine.instruments[fill[code.F_PLACE]]
        return round_fee(finest.cash(fill[code.F_FEE]), self._specs[finest.id].cash_unit)

    def new_fills(self) -> list[SimulatedFill]:
        """The trades as rows with the account's next sequence numbers; the orders they belong to are stored by now."""
        seen: dict[str, int] = {}
        return [self._fill(fill, seen) for fill in self.engine.fill_rows().tolist()]

    def _fill(self, fill: list[int], seen: dict[str, int]) -> SimulatedFill:
        order, reason, at = self.rows[fill[code.F_ORDER]], Reason(fill[code.F_REASON]), moment(fill[code.F_AT])
        spec = self._specs[order.instrument_id]
        trade_id = f"{order.venue_order_id}-{int(at.timestamp())}"
        repeats = seen[trade_id] = seen.get(trade_id, 0) + 1
        row = SimulatedFill(
            account=self._account,
            sequence=self._account.next_sequence,
            order=order,
            venue_trade_id=trade_id if repeats == 1 else f"{trade_id}-{repeats}",
            quantity=spec.quantity(fill[code.F_LOTS]),
            price=spec.price(fill[code.F_PRICE]),
            fee=self._fee(fill),
            liquidity=Liquidity.MAKER if fill[code.F_IS_MAKER] else Liquidity.TAKER,
            reason=reason.name,
            occurred_at=at,
        )
        self._account.next_sequence += 1
        return row

    def positions(self) -> dict[UUID, Decimal]:
        """What is held now of the instruments in the book."""
        return {key: self._specs[key].quantity(self.engine.position(place)) for key, place in self._places.items()}
