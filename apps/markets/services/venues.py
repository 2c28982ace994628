"""Opening and archiving venues."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.common.locks import Lock, lock_in_transaction
from apps.common.notify import Channel, notify
from apps.core.clock import require_utc
from apps.core.errors import InvalidInput, NotFound
from apps.core.vocabulary import Timeframe
from apps.events.services import record_event
from apps.markets.contracts import ClockStatus, HistoryLoaded, VenueKind, VenueView
from apps.markets.domain.bars import from_micros, to_micros
from apps.markets.domain.tape import Tape
from apps.markets.models import Venue, VenueClock
from apps.markets.selectors import venue_view
from apps.markets.services.clock_events import record_clock_change
from apps.markets.services.instruments import create_instruments
from apps.markets.services.storing import store_tracks
from apps.markets.services.tapes import load_source

_REPLAY_CODE = "replay-"
BUNDLED_START = datetime(2003, 1, 2, tzinfo=UTC)
"""The indices then have four years to train on and the stocks thirteen; 2008 and 2020 are still to come."""


def open_replay_venue(
    *,
    starts_at: datetime | None,
    reason: str,
    actor: str,
    source: str = "bundled",
    source_options: dict[str, Any] | None = None,
    timeframe: Timeframe = Timeframe.D1,
) -> VenueView:
    """A fresh replay, PREPARING, with all bars before `starts_at` stored; the replay before it is archived.

    `starts_at` is when the first traded bar closes, or any time shortly before; None takes 2003-01-02 for the bundled history and the middle
    of any other. Raises InvalidInput where that leaves no history or nothing to play.
    """
    loaded = load_source(source, source_options or {}, timeframe)
    default = BUNDLED_START if source == "bundled" else from_micros(loaded.tape.closes[len(loaded.tape.closes) // 2])
    now_at, first = _edge(loaded.tape, require_utc(starts_at or default, name="starts_at"))
    with transaction.atomic():
        lock_in_transaction(Lock.VENUE_CLOCK, "replays")
        for old in (
            VenueClock.objects.filter(venue__kind=VenueKind.REPLAY).exclude(status=ClockStatus.ARCHIVED).values_list("venue_id", flat=True)
        ):
            archive_venue(old, reason=reason, actor=actor)
        number = _next_number()
        venue = _create_default(
            code=f"{_REPLAY_CODE}{number}",
            name=f"Replay {number}",
            kind=VenueKind.REPLAY,
            source=source,
            source_options=source_options or {},
            timeframe=timeframe,
        )
        ids = create_instruments(venue.id, loaded.listings, loaded.tape.tracks)
        clock = VenueClock.objects.create(
            venue=venue,
            now_at=now_at,
            starts_at=first,
            ends_at=from_micros(loaded.tape.closes[-1]),
            message="Loaded; models are being trained.",
        )
        written, quarantined = store_tracks(venue.id, ids, loaded.tape.until(to_micros(now_at)), timeframe=timeframe, source=loaded.code)
        record_event(
            HistoryLoaded(venue_id=venue.id, venue=venue.code, source=source, rows=written.written, quarantined=quarantined),
            occurred_at=now_at,
            actor=actor,
            subject=str(venue.id),
        )
        record_clock_change(clock, action="open", actor=actor)
    return venue_view(clock)


def open_live_venue(
    *, exchange: str, symbol: str, timeframe: Timeframe, source_options: dict[str, Any] | None = None, actor: str = "system"
) -> VenueView:
    """A live market fed by public REST data, made the default venue; opening it again returns the one that is there.

    Nothing is asked of the exchange here. The instrument, with its steps, and its history come with the first pull, when there is a network.
    """
    code = f"{exchange}-{symbol}-{timeframe}".lower().replace("/", "-").replace(":", "-")
    options = {"exchange": exchange, "symbols": [symbol], **(source_options or {})}
    with transaction.atomic():
        lock_in_transaction(Lock.VENUE_CLOCK, "live")
        clock = VenueClock.objects.select_related("venue").filter(venue__code=code).first()
        if clock is not None and clock.status != ClockStatus.ARCHIVED:
            _make_default(clock.venue)
            return venue_view(clock)
        if clock is not None:
            code = f"{code}-{Venue.objects.filter(code__startswith=code).count() + 1}"
        venue = _create_default(
            code=code,
            name=f"{exchange.capitalize()} {symbol} {timeframe}",
            kind=VenueKind.LIVE,
            source="ccxt",
            source_options=options,
            timeframe=timeframe,
        )
        clock = VenueClock.objects.create(venue=venue, now_at=datetime.now(UTC), message="Waiting for the first answer of the exchange.")
        record_clock_change(clock, action="open", actor=actor)
    return venue_view(clock)


def open_library_venue(*, code: str, source: str, timeframe: Timeframe) -> UUID:
    """The venue that keeps imported bars, created at first use. Raises InvalidInput if the code is another kind of venue."""
    venue, is_new = Venue.objects.get_or_create(
        code=code, defaults={"name": code, "kind": VenueKind.LIBRARY, "source": source, "timeframe": timeframe}
    )
    if venue.kind != VenueKind.LIBRARY or venue.timeframe != timeframe:
        raise InvalidInput(
            f"The venue {code} is of kind {venue.kind} with {venue.timeframe} bars.",
            where="venue",
            hint="Import into a venue of its own for each timeframe.",
        )
    if is_new:
        VenueClock.objects.create(venue=venue, status=ClockStatus.ENDED, now_at=datetime(1970, 1, 1, tzinfo=UTC))
    return venue.id


def archive_venue(venue_id: UUID, *, reason: str = "", actor: str = "system") -> None:
    """Close a venue for good; everything of it stays readable. Nothing happens if it is archived already."""
    with transaction.atomic():
        lock_in_transaction(Lock.VENUE_CLOCK, venue_id)
        clock = VenueClock.objects.select_for_update(of=("self",)).select_related("venue").filter(venue_id=venue_id).first()
        if clock is None:
            raise NotFound(f"There is no venue {venue_id}.", where="venue")
        if clock.status == ClockStatus.ARCHIVED:
            return
        clock.status, clock.jump_to, clock.steps_requested = ClockStatus.ARCHIVED, None, 0
        clock.message = (reason or "Archived.")[:300]
        clock.save()
        Venue.objects.filter(id=venue_id).update(is_default=False)
        record_clock_change(clock, action="archive", actor=actor)
        notify(Channel.CONTROL)


def _edge(tape: Tape, starts_at: datetime) -> tuple[datetime, datetime]:
    """The last close of the history and the first close to play."""
    before = tape.step_before(to_micros(starts_at))
    first = None if before is None else tape.step_after(before)
    if before is None or first is None:
        begin, end = from_micros(tape.closes[0]), from_micros(tape.closes[-1])
        raise InvalidInput(
            f"A replay cannot start at {starts_at:%Y-%m-%d}.",
            where="starts_at",
            hint=f"Choose a day after {begin:%Y-%m-%d} and not after {end:%Y-%m-%d}.",
        )
    return from_micros(before), from_micros(first)


def _next_number() -> int:
    codes = Venue.objects.filter(code__startswith=_REPLAY_CODE).values_list("code", flat=True)
    return 1 + max((int(code.removeprefix(_REPLAY_CODE)) for code in codes if code.removeprefix(_REPLAY_CODE).isdigit()), default=0)


def _create_default(**values: Any) -> Venue:
    venue = Venue(**values)
    venue.save(force_insert=True)
    _make_default(venue)
    return venue


def _make_default(venue: Venue) -> None:
    Venue.objects.filter(is_default=True).exclude(id=venue.id).update(is_default=False)
    venue.is_default = True
    venue.save(update_fields=["is_default"])
