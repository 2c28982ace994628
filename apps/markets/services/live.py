"""Feeding a live venue: what to ask for, asking (no database), storing the answer, telling of failures.

The three parts are apart so that a loop can ask in a thread of its own while everything else goes on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction

from apps.common.notify import Channel, notify
from apps.core.errors import TradingError
from apps.core.vocabulary import Timeframe
from apps.events.services import record_event
from apps.markets.adapters import open_source
from apps.markets.adapters.calendars import expected_bars
from apps.markets.candles import WriteResult, candles
from apps.markets.contracts import CandleSource, DataReceived, FeedFailed, FeedRecovered, GapDetected, HistoryLoaded
from apps.markets.domain.bars import FloatArray, RawBars, from_micros, to_micros
from apps.markets.domain.quality import find_gaps
from apps.markets.domain.tape import Track
from apps.markets.models import Instrument, SourcePull, Venue, VenueClock
from apps.markets.ports import BarSource, Listing
from apps.markets.services.clock import locked_clock
from apps.markets.services.instruments import create_instruments
from apps.markets.services.storing import store_tracks
from apps.markets.services.tapes import checked_track, listing_of

HISTORY_BARS = 5000
"""How far back a new venue is filled."""
REVISITED_BARS = 3
"""The newest stored bars are asked for again each time: exchanges correct the last ones."""
DEEP_BARS = 1000
"""How far back a deep pull looks for holes."""
PULLS_KEPT = timedelta(days=7)
_GAP_EVENTS = 20


@dataclass(frozen=True)
class Series:
    """What to ask of one symbol; `listing` is None while the instrument is not known here."""

    symbol: str
    listing: Listing | None
    since: datetime
    last_opened_at: datetime | None
    before: FloatArray


@dataclass(frozen=True)
class PullPlan:
    venue_id: UUID
    source: str
    options: str
    timeframe: Timeframe
    until: datetime
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Fetched:
    """An answer of the exchange: the listing and the bars of each symbol."""

    source: CandleSource
    parts: tuple[tuple[Series, Listing, RawBars], ...]


@dataclass(frozen=True)
class PullResult:
    written: int
    quarantined: int
    newest_closed_at: datetime | None


def plan_pull(venue_id: UUID, *, now: datetime, deep: bool = False) -> PullPlan:
    """From where each symbol is to be asked for: after the newest stored bars, from the first hole if `deep`, or the whole history."""
    venue = Venue.objects.get(id=venue_id)
    timeframe = Timeframe(venue.timeframe)
    rows = {row.symbol: row for row in Instrument.objects.filter(venue_id=venue_id)}
    series = tuple(_series(symbol, rows.get(symbol), timeframe, now, deep=deep) for symbol in venue.source_options["symbols"])
    return PullPlan(venue_id, venue.source, json.dumps(venue.source_options, sort_keys=True), timeframe, now, series)


def fetch_pull(plan: PullPlan) -> Fetched:
    """Ask the source. Touches no database; raises Unavailable (retryable), NotFound or InvalidInput."""
    source = _source(plan.source, plan.options)
    known = {item.symbol: item.listing for item in plan.series}
    if any(listing is None for listing in known.values()):
        known |= {listing.symbol: listing for listing in source.listings()}
    parts = []
    for item in plan.series:
        listing = known[item.symbol]
        if listing is not None:
            parts.append((item, listing, source.bars(item.symbol, plan.timeframe, since=item.since, until=plan.until)))
    return Fetched(source.code, tuple(parts))


def store_pull(plan: PullPlan, fetched: Fetched, *, now: datetime) -> PullResult:
    """Store an answer: instruments at first, good bars, quarantine, gaps, the clock, events, in one transaction."""
    with transaction.atomic():
        clock = locked_clock(plan.venue_id)
        ids = _instrument_ids(plan.venue_id, fetched)
        tracks = [checked_track(listing, bars, is_history=False, before=item.before) for item, listing, bars in fetched.parts]
        written, quarantined = store_tracks(plan.venue_id, ids, tracks, timeframe=plan.timeframe, source=fetched.source, known_at=now)
        for (item, listing, _), track in zip(fetched.parts, tracks, strict=True):
            _record_gaps(ids[item.symbol], listing, item, track, plan.timeframe)
        _record_recovery(clock, plan)
        closes = [int(track.candles.closed_at[-1]) for track in tracks if len(track.candles)]
        newest = from_micros(max(closes)) if closes else None
        if written.written and newest is not None:
            _advance(clock, plan, newest=newest, written=written, quarantined=quarantined)
        clock.message = "" if clock.bars_done else "Waiting for the first closed bar."
        clock.save()
        SourcePull.objects.create(
            venue_id=plan.venue_id, started_at=plan.until, finished_at=now, rows_written=written.written, rows_quarantined=quarantined
        )
        SourcePull.objects.filter(venue_id=plan.venue_id, started_at__lt=now - PULLS_KEPT).delete()
        notify(Channel.MARKET)
    return PullResult(written.written, quarantined, newest)


def record_failed_pull(plan: PullPlan, error: TradingError, *, now: datetime, retry_in_seconds: float) -> None:
    """Keep the failure, say it on the clock, and record it as an event when it is a new one."""
    message = str(error)[:300]
    with transaction.atomic():
        clock = locked_clock(plan.venue_id)
        is_news = _last_error(plan.venue_id) != message
        SourcePull.objects.create(venue_id=plan.venue_id, started_at=plan.until, finished_at=now, error=message)
        clock.message = f"{message[:250]} Trying again in {retry_in_seconds:.0f} s."
        clock.save()
        if is_news:
            record_event(
                FeedFailed(venue_id=plan.venue_id, venue=clock.venue.code, message=message, retry_in_seconds=retry_in_seconds),
                occurred_at=now,
                actor="streams",
                subject=str(plan.venue_id),
            )
        notify(Channel.MARKET)


def _series(symbol: str, row: Instrument | None, timeframe: Timeframe, now: datetime, *, deep: bool) -> Series:
    start = now - timeframe.duration * HISTORY_BARS
    if row is None:
        return Series(symbol, None, start, None, np.empty(0))
    stored = candles().window(row.id, timeframe, until=now, count=DEEP_BARS)
    if not len(stored):
        return Series(symbol, listing_of(row), start, None, np.empty(0))
    place = max(0, len(stored) - REVISITED_BARS)
    since = from_micros(stored.opened_at[place])
    if deep:
        opens, _ = expected_bars(row.calendar, timeframe, since=from_micros(stored.opened_at[0]), until=now)
        gaps = find_gaps(stored.opened_at, opens)
        since = min([since, *(from_micros(gap.first_open) for gap in gaps[:1])])
    before = stored.close[stored.opened_at < to_micros(since)] / 10**row.price_scale
    return Series(symbol, listing_of(row), since, from_micros(stored.opened_at[-1]), before)


@lru_cache(maxsize=16)
def _source(name: str, options: str) -> BarSource:
    """Sources are kept: they know the exchange's markets and pace their own requests."""
    settings: dict[str, Any] = json.loads(options)
    return open_source(name, settings)


def _instrument_ids(venue_id: UUID, fetched: Fetched) -> dict[str, UUID]:
    known = dict(Instrument.objects.filter(venue_id=venue_id).values_list("symbol", "id"))
    new = [listing for _, listing, _ in fetched.parts if listing.symbol not in known]
    return known | create_instruments(venue_id, new) if new else known


def _record_gaps(instrument_id: UUID, listing: Listing, item: Series, track: Track, timeframe: Timeframe) -> None:
    """Tell of bars that the calendar expects after the newest one stored before, and that the answer lacks."""
    if item.last_opened_at is None or not len(track.candles):
        return
    opened = np.unique(np.append(track.candles.opened_at, to_micros(item.last_opened_at)))
    opens, _ = expected_bars(
        listing.calendar, timeframe, since=item.last_opened_at, until=from_micros(max(track.candles.closed_at[-1], opened[-1]))
    )
    fresh = opened[opened >= to_micros(item.last_opened_at)]
    for gap in find_gaps(fresh, opens)[:_GAP_EVENTS]:
        record_event(
            GapDetected(
                instrument_id=instrument_id, symbol=item.symbol, timeframe=timeframe, from_at=from_micros(gap.first_open),
                to_at=from_micros(gap.last_open), missing_bars=gap.missing,
            ),
            occurred_at=from_micros(gap.last_open),
            actor="streams",
            subject=str(instrument_id),
        )  # fmt: skip


def _advance(clock: VenueClock, plan: PullPlan, *, newest: datetime, written: WriteResult, quarantined: int) -> None:
    """Move the clock to the newest bar and tell of the data."""
    is_first = clock.bars_done == 0
    clock.now_at = newest if is_first else max(clock.now_at, newest)
    clock.bars_done += written.inserted
    venue, venue_id = clock.venue.code, clock.venue_id
    event = (
        HistoryLoaded(venue_id=venue_id, venue=venue, source=clock.venue.source, rows=written.written, quarantined=quarantined)
        if is_first
        else DataReceived(
            venue_id=venue_id,
            venue=venue,
            timeframe=plan.timeframe,
            closed_at=newest,
            instruments=len(plan.series),
            quarantined=quarantined,
        )
    )
    record_event(event, occurred_at=newest, actor="streams", subject=str(venue_id))


def _record_recovery(clock: VenueClock, plan: PullPlan) -> None:
    if _last_error(plan.venue_id):
        record_event(
            FeedRecovered(venue_id=clock.venue_id, venue=clock.venue.code),
            occurred_at=plan.until,
            actor="streams",
            subject=str(clock.venue_id),
        )


def _last_error(venue_id: UUID) -> str:
    """The error of the newest pull, empty if it went well or there was none."""
    return SourcePull.objects.filter(venue_id=venue_id).order_by("-id").values_list("error", flat=True).first() or ""
