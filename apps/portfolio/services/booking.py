"""Booking a fill: journal, cash, position and round trip in the transaction that stores the fill."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from apps.common.locks import Lock, lock_in_transaction
from apps.core.errors import NotFound
from apps.core.events import Event
from apps.core.values import InstrumentSpec
from apps.events.services import record_event
from apps.orders.contracts import FillRecord
from apps.portfolio.contracts import EntryKind, PositionChanged, PositionClosed, PositionOpened
from apps.portfolio.domain.journal import fill_lines
from apps.portfolio.domain.ledger import Booking, Change, Holding, RoundTrip, Trade, book_trade
from apps.portfolio.models import Account, ClosedTrade, Position
from apps.portfolio.services.journal import is_booked, post_entry


@transaction.atomic
def book_fill(fill: FillRecord) -> None:
    """Book the fill once: the same fill again changes nothing. Values off the instrument's grid raise and nothing is booked."""
    if not Account.objects.filter(id=fill.account_id).exists():
        raise NotFound(f"There is no account {fill.account_id} to book fill {fill.id} in.", where="account_id")
    lock_in_transaction(Lock.ACCOUNT_LEDGER, fill.account_id)
    if is_booked(account_id=fill.account_id, kind=EntryKind.FILL, reference=str(fill.id)):
        return
    post_entry(
        account_id=fill.account_id,
        kind=EntryKind.FILL,
        reference=str(fill.id),
        instrument_id=fill.instrument.id,
        occurred_at=fill.occurred_at,
        lines=fill_lines(
            instrument=fill.instrument,
            side=fill.side,
            quantity=fill.quantity,
            price=fill.price,
            fee=fill.fee,
            fee_asset=fill.fee_asset,
        ),
    )
    position, _ = Position.objects.select_for_update().get_or_create(account_id=fill.account_id, instrument_id=fill.instrument.id)
    booking = book_trade(_holding(position, fill.instrument), _trade(fill))
    if booking.closed is not None:
        _store_round_trip(fill, position, booking.closed)
    _store_position(fill, position, booking)
    for event in _events(fill, position, booking):
        record_event(event, occurred_at=fill.occurred_at, subject=str(fill.account_id))


def _holding(row: Position, spec: InstrumentSpec) -> Holding:
    return Holding(
        lots=spec.quantity_lots(row.quantity),
        cost=spec.cash_units(row.cost_basis),
        realised=spec.cash_units(row.realised_pnl),
        fees=spec.cash_units(row.fees),
        trip_lots=spec.quantity_lots(row.trip_quantity),
        trip_realised=spec.cash_units(row.trip_realised),
        trip_fees=spec.cash_units(row.trip_fees),
        trip_entry_value=_unbounded_units(row.trip_entry_value, spec),
    )


def _unbounded_units(value: Decimal, spec: InstrumentSpec) -> int:
    """Cash units of a sum that a long trip of adding and reducing may take beyond int64: it is a statistic and must not stop a booking."""
    return int(value.scaleb(spec.cash_scale))


def _trade(fill: FillRecord) -> Trade:
    """The fill in lots and cash units. A fee in another asset than the quote is in the journal only."""
    spec = fill.instrument
    return Trade(
        lots=fill.side.sign * spec.quantity_lots(fill.quantity),
        value_per_lot=spec.price_units(fill.price) * spec.cash_units_per_price_unit_lot,
        fee=spec.cash_units(fill.fee) if fill.fee_asset == spec.quote_asset else 0,
    )


def _store_round_trip(fill: FillRecord, position: Position, closed: RoundTrip) -> None:
    spec = fill.instrument
    ClosedTrade.objects.create(
        account_id=fill.account_id,
        instrument_id=spec.id,
        closing_fill_id=fill.id,
        opened_at=position.opened_at or fill.occurred_at,
        closed_at=fill.occurred_at,
        quantity=spec.quantity(closed.lots),
        realised_pnl=spec.cash(closed.realised),
        fees=spec.cash(closed.fees),
        entry_value=spec.cash(closed.entry_value),
        exit_reason=fill.reason[:40],
    )


def _store_position(fill: FillRecord, position: Position, booking: Booking) -> None:
    spec, holding = fill.instrument, booking.holding
    position.quantity = spec.quantity(holding.lots)
    position.cost_basis = spec.cash(holding.cost)
    position.realised_pnl = spec.cash(holding.realised)
    position.fees = spec.cash(holding.fees)
    position.trip_quantity = spec.quantity(holding.trip_lots)
    position.trip_realised = spec.cash(holding.trip_realised)
    position.trip_fees = spec.cash(holding.trip_fees)
    position.trip_entry_value = spec.cash(holding.trip_entry_value)
    position.mark_price, position.marked_at = fill.price, fill.occurred_at
    position.opened_at = _opened_at(position.opened_at, booking.change, fill.occurred_at)
    position.save()


def _opened_at(before: datetime | None, change: Change, at: datetime) -> datetime | None:
    match change:
        case Change.OPENED | Change.FLIPPED:
            return at
        case Change.CLOSED:
            return None
        case Change.CHANGED:
            return before


def _events(fill: FillRecord, position: Position, booking: Booking) -> list[Event]:
    account_id, instrument_id, symbol = fill.account_id, fill.instrument.id, fill.instrument.symbol
    events: list[Event] = []
    if booking.closed is not None:
        realised = fill.instrument.cash(booking.closed.realised)
        events.append(PositionClosed(account_id=account_id, instrument_id=instrument_id, symbol=symbol, realised_pnl=realised))
    quantity = position.quantity
    if booking.change in (Change.OPENED, Change.FLIPPED):
        events.append(
            PositionOpened(account_id=account_id, instrument_id=instrument_id, symbol=symbol, quantity=quantity, price=fill.price)
        )
    if booking.change is Change.CHANGED:
        events.append(PositionChanged(account_id=account_id, instrument_id=instrument_id, symbol=symbol, quantity=quantity))
    return events
