"""The handlers of this app."""

from __future__ import annotations

import structlog

from apps.core.events import Envelope, to_payload
from apps.events.contracts import AlertRaised, HandlerFailed, ProcessStale
from apps.events.ports import handles

log = structlog.get_logger(__name__)


@handles(AlertRaised, HandlerFailed, ProcessStale, name="alert_log")
def log_alert(envelope: Envelope) -> None:
    """What a person should know stands in the process log, too, where log collectors look."""
    log.warning("alert", type=envelope.event.event_type, position=envelope.position, subject=envelope.subject, **to_payload(envelope.event))
