"""Importing bars from files into a library venue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.core.errors import Conflict
from apps.core.vocabulary import Timeframe
from apps.events.services import record_event
from apps.markets.adapters.calendars import expected_bars
from apps.markets.contracts import BarFlag, HistoryLoaded
from apps.markets.domain.bars import CandleBatch, from_micros
from apps.markets.domain.quality import forward_fill
from apps.markets.models import Instrument
from apps.markets.ports import BarSource, Listing
from apps.markets.services.clock import locked_clock
from apps.markets.services.instruments import create_instruments
from apps.markets.services.storing import store_tracks
from apps.markets.services.tapes import checked_track
from apps.markets.services.venues import open_library_venue


@dataclass(frozen=True)
class ImportResult:
    """What an import did."""

    venue_id: UUID
    symbol: str
    inserted: int
    revised: int
    unchanged: int
    quarantined: int


def import_bars(
    *, source: BarSource, venue_code: str, timeframe: Timeframe, now: datetime, actor: str, source_name: str = "", fills_gaps: bool = False
) -> list[ImportResult]:
    """Store every bar of a source, checked with hindsight; importing the same again changes nothing. `source_name` goes on a new venue.

    With `fills_gaps` bars that the calendar expects and the file lacks repeat the last close, marked as filled.
    First-time bars are dated as known when they closed, corrections as known `now`.
    Raises Conflict if an instrument is there with a coarser price scale than the file needs.
    """
    results = []
    for listing in source.listings():
        bars = source.bars(listing.symbol, timeframe, since=None, until=None)
        with transaction.atomic():
            venue_id = open_library_venue(code=venue_code, source=source_name or source.code.name.lower(), timeframe=timeframe)
            clock = locked_clock(venue_id)
            row = _instrument(venue_id, listing)
            track = checked_track(_on_grid_of(row, listing), bars, is_history=True)
            if fills_gaps:
                track = replace(track, candles=_filled(track.candles, row.calendar, timeframe))
            written, quarantined = store_tracks(
                venue_id, {row.symbol: row.id}, [track], timeframe=timeframe, source=source.code, revised_at=now
            )
            if len(track.candles):
                row.first_bar_at = min(filter(None, [row.first_bar_at, from_micros(track.candles.closed_at[0])]))
                row.last_bar_at = max(filter(None, [row.last_bar_at, from_micros(track.candles.closed_at[-1])]))
                row.save(update_fields=["first_bar_at", "last_bar_at"])
                clock.now_at = max(clock.now_at, row.last_bar_at)
                clock.save()
            record_event(
                HistoryLoaded(
                    venue_id=venue_id, venue=venue_code, source=clock.venue.source, rows=written.written, quarantined=quarantined
                ),
                occurred_at=now,
                actor=actor,
                subject=str(row.id),
            )
        results.append(ImportResult(venue_id, row.symbol, written.inserted, written.revised, written.unchanged, quarantined))
    return results


def _instrument(venue_id: UUID, listing: Listing) -> Instrument:
    """The instrument of that symbol, created at its first import. Raises Conflict where the stored grid is too coarse for the file."""
    row = Instrument.objects.filter(venue_id=venue_id, symbol=listing.symbol).first()
    if row is None:
        return Instrument.objects.get(id=create_instruments(venue_id, [listing])[listing.symbol])
    if listing.price_scale > row.price_scale:
        raise Conflict(
            f"{row.symbol} is stored with {row.price_scale} decimal places, the file needs {listing.price_scale}.",
            where="price_scale",
            hint="Import the file into another venue, or give --price-scale at the first import.",
        )
    return row


def _filled(bars: CandleBatch, calendar: str, timeframe: Timeframe) -> CandleBatch:
    if not len(bars):
        return bars
    opens, closes = expected_bars(calendar, timeframe, since=from_micros(bars.opened_at[0]), until=from_micros(bars.closed_at[-1]))
    return forward_fill(bars, opens, closes, flag=BarFlag.FILLED_GAP)


def _on_grid_of(row: Instrument, listing: Listing) -> Listing:
    return replace(listing, price_scale=row.price_scale, volume_scale=row.volume_scale, max_price=row.max_price)
