"""Feeds one live venue: asks the exchange after each bar closes, in a thread of its own, and stores the answers."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from apps.common import leases
from apps.common.leases import HeldLease
from apps.core.errors import TradingError, Unavailable
from apps.markets import services
from apps.markets.services.live import Fetched, PullPlan

log = structlog.get_logger(__name__)

LEASE_SECONDS = 60.0
SETTLE = timedelta(seconds=1)
"""How long after a boundary an exchange needs until the closed bar is there."""
RETRY_MISSING = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=1)
"""Also within a long bar the exchange is asked at least this often, so that corrections and silence are noticed."""
DEEP_EVERY = timedelta(minutes=10)
FIRST_BACK_OFF, LONGEST_BACK_OFF = 1.0, 60.0


class LiveFeed:
    """One venue. `advance` never blocks on the network."""

    def __init__(self, venue_id: UUID, pool: ThreadPoolExecutor) -> None:
        self.venue_id = venue_id
        self._pool = pool
        self._plan: PullPlan | None = None
        self._answer: Future[Fetched] | None = None
        self._lease: HeldLease | None = None
        self._next_at = datetime.min.replace(tzinfo=UTC)
        self._deep_at = self._next_at
        self._failures = 0
        self.detail = ""

    def advance(self, now: datetime) -> float:
        """Ask if it is time, store an answer that has come; returns seconds until the next look."""
        if self._answer is not None:
            if not self._answer.done():
                return 0.1
            self._finish(now)
        if now < self._next_at:
            return (self._next_at - now).total_seconds()
        self._lease = leases.acquire(services.feed_lease(self.venue_id), seconds=LEASE_SECONDS)
        if self._lease is None:
            self._next_at = now + timedelta(seconds=5)
            self.detail = "another process feeds this venue"
            return 5.0
        is_deep = now >= self._deep_at
        self._deep_at = now + DEEP_EVERY if is_deep else self._deep_at
        self._plan = services.plan_pull(self.venue_id, now=now, deep=is_deep)
        self._answer = self._pool.submit(services.fetch_pull, self._plan)
        return 0.05

    def release(self) -> None:
        if self._lease is not None:
            leases.release(self._lease)

    def _finish(self, now: datetime) -> None:
        plan, answer = self._plan, self._answer
        self._plan = self._answer = None
        if plan is None or answer is None:
            return
        try:
            fetched = answer.result()
        except TradingError as error:
            self._fail(plan, error, now)
            return
        except Exception as error:
            log.exception("feed_answer_unreadable", venue=str(self.venue_id))
            self._fail(plan, Unavailable(f"The answer cannot be used: {type(error).__name__}: {error}", where=str(self.venue_id)), now)
            return
        result = services.store_pull(plan, fetched, now=now)
        self._failures = 0
        self._next_at = self._next_look(plan, now, result.newest_closed_at)
        self.detail = f"newest bar {result.newest_closed_at:%Y-%m-%d %H:%M}" if result.newest_closed_at else "no bars yet"

    def _fail(self, plan: PullPlan, error: TradingError, now: datetime) -> None:
        wait = min(FIRST_BACK_OFF * 2**self._failures, LONGEST_BACK_OFF) if error.retryable else LONGEST_BACK_OFF
        self._failures += 1
        self._next_at = now + timedelta(seconds=wait)
        self._deep_at = self._next_at
        self.detail = str(error)[:150]
        log.warning("feed_failed", venue=str(self.venue_id), error=str(error), retry_in_seconds=wait)
        services.record_failed_pull(plan, error, now=now, retry_in_seconds=wait)

    def _next_look(self, plan: PullPlan, now: datetime, newest: datetime | None) -> datetime:
        """Just after the next boundary; soon, if the bar of the last boundary has not come yet; at the latest in a minute."""
        length = plan.timeframe.duration
        boundary = datetime.fromtimestamp((now.timestamp() // length.total_seconds()) * length.total_seconds(), UTC)
        is_missing = newest is None or newest < boundary
        if is_missing and now - boundary < 5 * RETRY_MISSING:
            return now + RETRY_MISSING
        return min(boundary + length + SETTLE, now + LONGEST_WAIT)
