"""Loading what a replay plays: every bar of a source, checked as a live feed would have, in memory of the process that plays it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np

from apps.core.errors import InvalidInput, NotFound
from apps.core.vocabulary import Timeframe
from apps.markets import selectors
from apps.markets.adapters import open_source
from apps.markets.candles import candles
from apps.markets.contracts import CandleSource
from apps.markets.domain.bars import FloatArray, RawBars, from_micros, to_candles
from apps.markets.domain.quality import Inspection, inspect
from apps.markets.domain.tape import RejectedBar, Tape, Track
from apps.markets.models import Instrument
from apps.markets.ports import Listing

STORED = "stored"
"""The source name of a replay of another venue's stored bars; option `venue` is that venue's code."""


@dataclass(frozen=True)
class LoadedSource:
    """A source with all of its bars."""

    code: CandleSource
    listings: tuple[Listing, ...]
    tape: Tape


def load_source(name: str, options: dict[str, Any], timeframe: Timeframe) -> LoadedSource:
    """All bars of a source, kept for the life of the process (the two newest). Raises what the source raises, InvalidInput if it is empty."""
    return _load(name, json.dumps(options, sort_keys=True), timeframe)


@lru_cache(maxsize=2)
def _load(name: str, options: str, timeframe: Timeframe) -> LoadedSource:
    loaded = _load_stored(json.loads(options), timeframe) if name == STORED else _load_adapter(name, json.loads(options), timeframe)
    if not any(len(track.candles) for track in loaded.tape.tracks):
        raise InvalidInput(f"The source {name} has no bars of {timeframe}.", where="source")
    return loaded


def _load_adapter(name: str, options: dict[str, Any], timeframe: Timeframe) -> LoadedSource:
    source = open_source(name, options)
    listings = tuple(source.listings())
    tracks = [
        checked_track(listing, source.bars(listing.symbol, timeframe, since=None, until=None), is_history=False) for listing in listings
    ]
    return LoadedSource(source.code, listings, Tape(tuple(tracks)))


def _load_stored(options: dict[str, Any], timeframe: Timeframe) -> LoadedSource:
    venue = selectors.venue_by_code(options.get("venue", ""))
    rows = list(Instrument.objects.filter(venue_id=venue.id, is_active=True))
    if not rows:
        raise NotFound(f"The venue {venue.code} has no instruments to replay.", where="venue")
    tracks = [Track(row.symbol, candles().between(row.id, timeframe), ()) for row in rows]
    return LoadedSource(CandleSource.STORED, tuple(listing_of(row) for row in rows), Tape(tuple(tracks)))


def checked_track(listing: Listing, bars: RawBars, *, is_history: bool, before: FloatArray | None = None) -> Track:
    """Good bars in units, ascending, and the rejected ones."""
    found = inspect(bars, price_scale=listing.price_scale, max_price=float(listing.max_price), is_history=is_history, before=before)
    good = bars.take(found.good)
    batch = to_candles(good, price_scale=listing.price_scale, volume_scale=listing.volume_scale)
    return Track(listing.symbol, batch, _rejected(bars, found))


def _rejected(bars: RawBars, found: Inspection) -> tuple[RejectedBar, ...]:
    return tuple(RejectedBar(bars.take(np.array([fault.index])), fault.reason, fault.detail) for fault in found.faults)


def first_and_last(track: Track) -> tuple[datetime | None, datetime | None]:
    """Closing times of a track's first and last good bar (None without bars)."""
    closed = track.candles.closed_at
    return (from_micros(closed[0]), from_micros(closed[-1])) if len(closed) else (None, None)


def listing_of(row: Instrument) -> Listing:
    """The listing that an instrument was made from."""
    return Listing(
        symbol=row.symbol, name=row.name, base_asset=row.base_asset, quote_asset=row.quote_asset, asset_class=row.asset_class,
        calendar=row.calendar, price_scale=row.price_scale, volume_scale=row.volume_scale, tick_size=row.tick_size, lot_size=row.lot_size,
        min_quantity=row.min_quantity, min_notional=row.min_notional, max_price=row.max_price, max_quantity=row.max_quantity,
        source_label=row.source_label, cash_scale=row.cash_scale, is_closes_only=row.is_closes_only, is_adjusted=row.is_adjusted,
    )  # fmt: skip
