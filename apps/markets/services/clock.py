"""Commands to a venue's clock."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.common.locks import Lock, lock_in_transaction
from apps.core.errors import Conflict, NotFound
from apps.markets.contracts import ClockStatus, VenueKind, VenueView
from apps.markets.domain.transport import Transport, command
from apps.markets.models import VenueClock
from apps.markets.selectors import venue_view
from apps.markets.services.clock_events import record_clock_change


def start_clock(venue_id: UUID, *, actor: str = "system") -> VenueView:
    """PREPARING becomes RUNNING; a clock that runs or is paused already is left as it is. Raises Conflict for one that is over."""
    with transaction.atomic():
        clock = locked_clock(venue_id)
        if clock.status in (ClockStatus.ENDED, ClockStatus.ARCHIVED):
            raise Conflict(f"The clock of {clock.venue.code} is {clock.status}.", where="venue")
        if clock.status == ClockStatus.PREPARING:
            clock.status = ClockStatus.RUNNING
            if clock.venue.kind == VenueKind.REPLAY:
                clock.message = ""
            clock.save()
            record_clock_change(clock, action="start", actor=actor)
    return venue_view(clock)


def command_clock(
    *,
    venue_id: UUID,
    action: str,
    steps: int = 1,
    bars_per_second: Decimal | None = None,
    jump_to: datetime | None = None,
    actor: str,
) -> VenueView:
    """Use the transport of a replay: pause, resume, step, speed, jump (forward). Raises Conflict or InvalidInput with the reason."""
    with transaction.atomic():
        clock = locked_clock(venue_id)
        if clock.venue.kind != VenueKind.REPLAY:
            raise Conflict("Only a replay has a transport; a live market runs by itself.", where="venue")
        after = command(transport_of(clock), action, steps=steps, bars_per_second=bars_per_second, jump_to=jump_to)
        apply_transport(clock, after)
        clock.message = ""
        clock.save()
        record_clock_change(clock, action=action, actor=actor)
    return venue_view(clock)


def hold_clock(venue_id: UUID) -> VenueView:
    """The venue, whose clock does not move until the caller's transaction ends. Raises NotFound."""
    return venue_view(locked_clock(venue_id))


def note_waiting(venue_id: UUID, message: str) -> None:
    """Say on the clock what it waits for; written only when that changes."""
    VenueClock.objects.filter(venue_id=venue_id).exclude(message=message[:300]).update(message=message[:300])


def locked_clock(venue_id: UUID) -> VenueClock:
    """The clock row, locked until the end of the transaction. Raises NotFound."""
    lock_in_transaction(Lock.VENUE_CLOCK, venue_id)
    clock = VenueClock.objects.select_for_update(of=("self",)).select_related("venue").filter(venue_id=venue_id).first()
    if clock is None:
        raise NotFound(f"There is no venue {venue_id}.", where="venue")
    return clock


def transport_of(clock: VenueClock) -> Transport:
    return Transport(
        status=ClockStatus(clock.status), now_at=clock.now_at, ends_at=clock.ends_at, bars_per_second=clock.bars_per_second,
        jump_to=clock.jump_to, steps_requested=clock.steps_requested,
    )  # fmt: skip


def apply_transport(clock: VenueClock, after: Transport) -> None:
    """Put a transport into its row (not saved)."""
    clock.status, clock.now_at, clock.bars_per_second = after.status, after.now_at, after.bars_per_second
    clock.jump_to, clock.steps_requested = after.jump_to, after.steps_requested
