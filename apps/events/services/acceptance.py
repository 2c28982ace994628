"""Accepting a log that its anchor does not confirm."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from apps.common.locks import Lock, lock_in_transaction
from apps.core.errors import InvalidInput
from apps.events.contracts import LogReanchored
from apps.events.services.recording import record_event
from apps.events.services.sealing import log_head, log_identity, start_new_anchor


def accept_log(*, reason: str, actor: str, now: datetime | None = None) -> int:
    """Start a new anchor for the log as it stands; the old file is kept beside it and the act is logged. Returns the head position."""
    if not reason.strip():
        raise InvalidInput("Say why the log is accepted as it stands.", where="reason")
    at = now or datetime.now(UTC)
    with transaction.atomic():
        lock_in_transaction(Lock.SEALER)
        head = log_head(log_identity())
        start_new_anchor(suffix=f"replaced-{at:%Y%m%dT%H%M%S%f}")
        record_event(LogReanchored(reason=reason, position=head.position, head_hash=head.digest.hex()), occurred_at=at, actor=actor)
    return head.position
