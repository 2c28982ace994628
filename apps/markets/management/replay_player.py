"""Plays the open replay at its speed, in lock step with everybody who trades on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from apps.common import leases
from apps.common.leases import HeldLease
from apps.core.errors import OwnershipLost, TradingError
from apps.core.ports import port
from apps.markets import selectors, services
from apps.markets.contracts import ClockStatus, VenueView
from apps.markets.ports import ReplayBarrier

IDLE_SECONDS = 1.0
BARRIER_SECONDS = 0.1
"""How often the barrier is looked at while it is shut; its openers also wake us."""
SAY_WAITING_AFTER = 2.0
LEASE_SECONDS = 10.0


class ReplayPlayer:
    """`advance` plays at most one bar and says when it wants to be called again. All state that matters is in the venue's clock."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lease: HeldLease | None = None
        self._lease_until = 0.0
        self._reel: tuple[UUID, services.Reel] | None = None
        self._played_at: float | None = None
        self._waiting_since: float | None = None
        self.detail = ""

    def advance(self) -> float:
        """Play the next bar if it is due and the barrier is open; returns seconds until the next look (0 = at once)."""
        view = selectors.open_replay()
        if view is None:
            return self._idle("no replay is open")
        lease = self._own(view.id)
        if not _wants_bar(view):
            return self._idle(f"{view.code} is {view.status.lower()} at {view.now_at:%Y-%m-%d}")
        pause = self._pause_left(view)
        if pause > 0:
            return pause
        waiting_for = port(ReplayBarrier).waiting_for(view.id, view.now_at)
        if waiting_for:
            return self._wait(view.id, waiting_for)
        self._waiting_since = None
        try:
            reel = self._reel_of(view.id)
        except TradingError as error:
            return self._cannot_play(view, error)
        step = services.play_step(venue_id=view.id, reel=reel, lease=lease)
        self._played_at = self._next_beat(view)
        self.detail = f"{view.code} at {step.venue.now_at:%Y-%m-%d}, {step.venue.bars_done} bars"
        return 0.0 if step.is_played else IDLE_SECONDS

    def release(self) -> None:
        """Give the replay to whoever wants it next."""
        if self._lease is not None:
            leases.release(self._lease)
            self._lease = None

    def forget(self) -> None:
        """Start from what the database says (after it was lost)."""
        self._lease, self._lease_until, self._waiting_since = None, 0.0, None

    def _reel_of(self, venue_id: UUID) -> services.Reel:
        if self._reel is None or self._reel[0] != venue_id:
            self._reel = (venue_id, services.replay_reel(venue_id))
        return self._reel[1]

    def _own(self, venue_id: UUID) -> HeldLease:
        name = f"streams:{venue_id}"
        now = self._monotonic()
        if self._lease is None or self._lease.name != name or now > self._lease_until:
            self._lease = leases.acquire(name, seconds=LEASE_SECONDS)
            self._lease_until = now + LEASE_SECONDS / 3
        if self._lease is None:
            raise OwnershipLost("Another process plays this replay.", where=name)
        return self._lease

    def _pause_left(self, view: VenueView) -> float:
        """Seconds until the next bar is due at the venue's speed; none while jumping or stepping."""
        if self._played_at is None or _is_hurrying(view):
            return 0.0
        return self._played_at + 1 / float(view.bars_per_second) - self._monotonic()

    def _next_beat(self, view: VenueView) -> float:
        """When the bar just played was due, so that the pace holds; now, after a delay of more than a bar or when it came without a pause."""
        now, length = self._monotonic(), 1 / float(view.bars_per_second)
        if self._played_at is None or _is_hurrying(view):
            return now
        due = self._played_at + length
        return due if now - length < due <= now else now

    def _wait(self, venue_id: UUID, waiting_for: str) -> float:
        now = self._monotonic()
        if self._waiting_since is None:
            self._waiting_since = now
        if now - self._waiting_since > SAY_WAITING_AFTER:
            services.note_waiting(venue_id, waiting_for)
        self.detail = waiting_for
        return BARRIER_SECONDS

    def _cannot_play(self, view: VenueView, error: TradingError) -> float:
        """Say on the clock why the source cannot be played, and try again later."""
        services.note_waiting(view.id, str(error))
        return self._idle(f"{view.code} cannot be played: {error}")

    def _idle(self, detail: str) -> float:
        self._played_at = self._waiting_since = None
        self.detail = detail
        return IDLE_SECONDS


def _wants_bar(view: VenueView) -> bool:
    if view.status is ClockStatus.RUNNING:
        return True
    return view.status is ClockStatus.PAUSED and (view.steps_requested > 0 or view.jump_to is not None)


def _is_hurrying(view: VenueView) -> bool:
    """Whether bars come without a pause: jumping, or stepping by hand."""
    return view.jump_to is not None or view.status is ClockStatus.PAUSED
