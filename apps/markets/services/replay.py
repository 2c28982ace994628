"""Playing a replay: one step of the tape in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.common import leases
from apps.common.failpoints import failpoint
from apps.common.leases import HeldLease
from apps.common.notify import Channel, notify
from apps.core.errors import Conflict
from apps.core.vocabulary import Timeframe
from apps.events.services import record_event
from apps.markets.contracts import DataReceived, VenueView
from apps.markets.domain.bars import from_micros, to_micros
from apps.markets.models import Instrument, Venue, VenueClock
from apps.markets.selectors import venue_view
from apps.markets.services.clock import apply_transport, locked_clock, transport_of
from apps.markets.services.clock_events import record_clock_change
from apps.markets.services.storing import store_tracks
from apps.markets.services.tapes import LoadedSource, load_source
from apps.markets.services.ticks import publish_ticks

END_MESSAGE = "The replay has reached the last bar of its data."


@dataclass(frozen=True)
class Step:
    """The venue after a try to play a bar, and whether one was played."""

    venue: VenueView
    is_played: bool


@dataclass(frozen=True)
class Reel:
    """What a replay plays: its source with all bars, and the instruments by symbol. Neither changes while the venue lives."""

    loaded: LoadedSource
    ids: dict[str, UUID]
    scales: dict[str, tuple[int, int]]
    """Decimal places of prices and of volumes."""


def replay_reel(venue_id: UUID) -> Reel:
    """Load what the venue plays. Raises what its source raises, and Conflict if the source counts in other units now than when it was opened."""
    venue = Venue.objects.get(id=venue_id)
    loaded = load_source(venue.source, venue.source_options, Timeframe(venue.timeframe))
    rows = {row.symbol: row for row in Instrument.objects.filter(venue_id=venue_id)}
    scales = {listing.symbol: (listing.price_scale, listing.volume_scale) for listing in loaded.listings}
    moved = [symbol for symbol, row in rows.items() if scales.get(symbol) != (row.price_scale, row.volume_scale)]
    if moved:
        raise Conflict(
            f"{venue.code} was opened when {', '.join(sorted(moved))} had other decimal places.",
            where=venue.code,
            hint="Restart the replay: a fresh one counts in the units of today.",
        )
    return Reel(loaded, {symbol: row.id for symbol, row in rows.items()}, scales)


def play_step(*, venue_id: UUID, reel: Reel, lease: HeldLease | None = None) -> Step:
    """Play the next bar of every instrument, if the transport wants one: bars, clock, event and wake-up in one transaction.

    The cursor is the clock itself, so whatever happens before the commit has not happened, and the step is found again.
    Raises OwnershipLost if the lease went to another process.
    """
    tape = reel.loaded.tape
    with transaction.atomic():
        clock = locked_clock(venue_id)
        if lease is not None:
            leases.fence(lease)
        transport = transport_of(clock)
        closed = tape.step_after(to_micros(clock.now_at))
        if not transport.wants_bar or closed is None:
            return Step(venue_view(clock), is_played=False)
        is_last = tape.step_after(closed) is None
        _store(clock, reel, closed)
        failpoint("streams.bars_stored")
        apply_transport(clock, transport.played(from_micros(closed), is_last=is_last))
        clock.bars_done += 1
        clock.message = END_MESSAGE if is_last else ""
        clock.save()
        if is_last:
            record_clock_change(clock, action="end", actor="streams")
        elif transport.jump_to is not None and clock.jump_to is None:
            record_clock_change(clock, action="arrived", actor="streams")
        notify(Channel.MARKET)
    return Step(venue_view(clock), is_played=True)


def _store(clock: VenueClock, reel: Reel, closed: int) -> None:
    venue = clock.venue
    tracks = reel.loaded.tape.step(to_micros(clock.now_at), closed)
    timeframe = Timeframe(venue.timeframe)
    written, quarantined = store_tracks(venue.id, reel.ids, tracks, timeframe=timeframe, source=reel.loaded.code)
    publish_ticks(
        venue=venue.code,
        timeframe=timeframe,
        closed_at=from_micros(closed),
        tracks=[(track, *reel.scales[track.symbol]) for track in tracks],
    )
    record_event(
        DataReceived(
            venue_id=venue.id,
            venue=venue.code,
            timeframe=timeframe,
            closed_at=from_micros(closed),
            instruments=written.inserted + written.revised + written.unchanged,
            quarantined=quarantined,
        ),
        occurred_at=from_micros(closed),
        actor="streams",
        subject=str(venue.id),
    )
