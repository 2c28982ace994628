"""Writing instruments from what a source lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.core.errors import Conflict, NotFound
from apps.events.services import record_event
from apps.markets.candles import candles
from apps.markets.contracts import InstrumentChanged
from apps.markets.domain.tape import Track
from apps.markets.models import Instrument
from apps.markets.ports import Listing
from apps.markets.services.tapes import first_and_last

GRID = frozenset(
    {"price_scale", "volume_scale", "cash_scale", "tick_size", "lot_size", "multiplier", "calendar", "base_asset", "quote_asset"}
)
"""What stored bars, orders and entries are counted in: fixed once bars exist."""


def create_instruments(venue_id: UUID, listings: Iterable[Listing], tracks: Iterable[Track] = ()) -> dict[str, UUID]:
    """Create instruments and return their ids by symbol, in the caller's transaction; `tracks` tell where their data begins and ends.

    Raises OutOfBounds or InexactValue for a grid on which int64 arithmetic could wrap or lose a unit.
    """
    spans = {track.symbol: first_and_last(track) for track in tracks}
    rows = [_instrument(venue_id, listing, *spans.get(listing.symbol, (None, None))) for listing in listings]
    for row in rows:
        row.spec().check_bounds()
    Instrument.objects.bulk_create(rows)
    return {row.symbol: row.id for row in rows}


def change_instrument(instrument_id: UUID, *, values: dict[str, Any], actor: str) -> None:
    """Change fields of an instrument and put it on the log. Raises NotFound, Conflict for the grid of stored bars, OutOfBounds."""
    with transaction.atomic():
        row = Instrument.objects.select_for_update().filter(id=instrument_id).first()
        if row is None:
            raise NotFound(f"There is no instrument {instrument_id}.", where="instrument")
        fixed = sorted(GRID & values.keys())
        if fixed and candles().has_any(instrument_id):
            raise Conflict(f"{row.symbol} has stored bars, so {', '.join(fixed)} cannot change any more.", where="instrument")
        old = {name: str(getattr(row, name)) for name in values}
        for name, value in values.items():
            setattr(row, name, value)
        row.spec().check_bounds()
        row.save()
        record_event(
            InstrumentChanged(
                instrument_id=row.id,
                symbol=row.symbol,
                old_values=old,
                new_values={name: str(value) for name, value in values.items()},
            ),
            occurred_at=datetime.now(UTC),
            actor=actor,
            subject=str(row.id),
        )


def _instrument(venue_id: UUID, listing: Listing, first_bar_at: datetime | None, last_bar_at: datetime | None) -> Instrument:
    return Instrument(
        venue_id=venue_id, symbol=listing.symbol, name=listing.name, asset_class=listing.asset_class, base_asset=listing.base_asset,
        quote_asset=listing.quote_asset, calendar=listing.calendar, price_scale=listing.price_scale, volume_scale=listing.volume_scale,
        cash_scale=listing.cash_scale, tick_size=listing.tick_size, lot_size=listing.lot_size, min_quantity=listing.min_quantity,
        min_notional=listing.min_notional, max_price=listing.max_price, max_quantity=listing.max_quantity,
        is_closes_only=listing.is_closes_only, is_adjusted=listing.is_adjusted, source_label=listing.source_label,
        first_bar_at=first_bar_at, last_bar_at=last_bar_at,
    )  # fmt: skip
