"""Writing instruments from what a source lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from apps.markets.domain.tape import Track
from apps.markets.models import Instrument
from apps.markets.ports import Listing
from apps.markets.services.tapes import first_and_last


def create_instruments(venue_id: UUID, listings: Iterable[Listing], tracks: Iterable[Track] = ()) -> dict[str, Instrument]:
    """Instruments by symbol, in the caller's transaction; `tracks` tell where their data begins and ends.

    Raises OutOfBounds or InexactValue for a grid on which int64 arithmetic could wrap or lose a unit.
    """
    spans = {track.symbol: first_and_last(track) for track in tracks}
    rows = [_instrument(venue_id, listing, *spans.get(listing.symbol, (None, None))) for listing in listings]
    for row in rows:
        row.spec().check_bounds()
    Instrument.objects.bulk_create(rows)
    return {row.symbol: row for row in rows}


def _instrument(venue_id: UUID, listing: Listing, first_bar_at: datetime | None, last_bar_at: datetime | None) -> Instrument:
    return Instrument(
        venue_id=venue_id, symbol=listing.symbol, name=listing.name, asset_class=listing.asset_class, base_asset=listing.base_asset,
        quote_asset=listing.quote_asset, calendar=listing.calendar, price_scale=listing.price_scale, volume_scale=listing.volume_scale,
        cash_scale=listing.cash_scale, tick_size=listing.tick_size, lot_size=listing.lot_size, min_quantity=listing.min_quantity,
        min_notional=listing.min_notional, max_price=listing.max_price, max_quantity=listing.max_quantity,
        is_closes_only=listing.is_closes_only, is_adjusted=listing.is_adjusted, source_label=listing.source_label,
        first_bar_at=first_bar_at, last_bar_at=last_bar_at,
    )  # fmt: skip
