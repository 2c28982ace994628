"""What access keeps only for a while."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from apps.access.models import IdempotentRequest, LoginLink, LoginThrottle

FAILURES_KEPT = timedelta(days=1)
LINKS_KEPT = timedelta(days=1)
ANSWERS_KEPT = timedelta(days=7)
"""How long a request with an Idempotency-Key gets its first answer again."""


@transaction.atomic
def forget_expired(*, now: datetime) -> int:
    """Delete failed log-ins and links of days past, answers older than a week, and tokens that have expired; returns how many rows."""
    expired = (
        LoginThrottle.objects.filter(updated_at__lt=now - FAILURES_KEPT),
        LoginLink.objects.filter(expires_at__lt=now - LINKS_KEPT),
        IdempotentRequest.objects.filter(created_at__lt=now - ANSWERS_KEPT),
        OutstandingToken.objects.filter(expires_at__lt=now),
    )
    return sum(rows.delete()[0] for rows in expired)
