"""Scheduled work of access."""

from __future__ import annotations

from datetime import UTC, datetime

from celery import shared_task

from apps.access import services


@shared_task(name="access.forget_expired", queue="default", time_limit=120, soft_time_limit=110)  # type: ignore[misc,unused-ignore]
def forget_expired() -> None:
    """Delete what access keeps only for a while."""
    services.forget_expired(now=datetime.now(UTC))
