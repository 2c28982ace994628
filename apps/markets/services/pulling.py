"""The scheduled pull: the same as the live feed, for when that is not running."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.common import leases
from apps.core.errors import TradingError
from apps.markets.services.live import fetch_pull, plan_pull, record_failed_pull, store_pull

PULL_EVERY_SECONDS = 30.0
_LEASE_SECONDS = 120.0


def feed_lease(venue_id: UUID) -> str:
    """The name of the right to feed a venue; its holder alone asks the exchange."""
    return f"feed:{venue_id}"


def pull_venue(venue_id: UUID, *, now: datetime) -> int:
    """Pull what is missing, holes included; returns rows written. Does nothing while another process feeds the venue."""
    lease = leases.acquire(feed_lease(venue_id), seconds=_LEASE_SECONDS)
    if lease is None:
        return 0
    plan = plan_pull(venue_id, now=now, deep=True)
    try:
        return store_pull(plan, fetch_pull(plan), now=now).written
    except TradingError as error:
        record_failed_pull(plan, error, now=now, retry_in_seconds=PULL_EVERY_SECONDS)
        return 0
    finally:
        leases.release(lease)
