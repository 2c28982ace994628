"""Telling of changes of a venue's clock."""

from __future__ import annotations

from apps.common.notify import Channel, notify
from apps.events.services import record_event
from apps.markets.contracts import ClockChanged
from apps.markets.models import VenueClock


def record_clock_change(clock: VenueClock, *, action: str, actor: str) -> None:
    """Record what happened to the clock and wake whoever looks at it, in the caller's transaction."""
    record_event(
        ClockChanged(
            venue_id=clock.venue_id,
            venue=clock.venue.code,
            status=clock.status,
            now_at=clock.now_at,
            action=action,
            bars_per_second=clock.bars_per_second,
            jump_to=clock.jump_to,
        ),
        occurred_at=clock.now_at,
        actor=actor,
        subject=str(clock.venue_id),
    )
    notify(Channel.CONTROL)
    notify(Channel.MARKET)
