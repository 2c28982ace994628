"""Scheduled work of markets. Each task is an edge: one service call for each venue, safe to run twice."""

from __future__ import annotations

from datetime import UTC, datetime

from celery import shared_task

from apps.markets import selectors, services


@shared_task(name="markets.pull_candles", queue="data", time_limit=120, soft_time_limit=110)  # type: ignore[misc,unused-ignore]
def pull_candles() -> None:
    """Fill what the live venues miss, where no feed is doing so."""
    for venue_id in selectors.live_venue_ids():
        services.pull_venue(venue_id, now=datetime.now(UTC))
