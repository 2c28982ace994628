"""What writes: recording events, sealing, relaying, handling, projections, alerts, the outside channels."""

from apps.events.ports import handles
from apps.events.services.acceptance import accept_log
from apps.events.services.handling import HandlerRunner
from apps.events.services.live import LiveFeed, LiveOutlet
from apps.events.services.outside import publish_outside
from apps.events.services.projecting import project_activity, replay_activity
from apps.events.services.recording import NewEvent, raise_alert, record_event, record_events
from apps.events.services.relaying import Relay
from apps.events.services.retries import resolve_dead_letter, retry_dead_letter
from apps.events.services.sealing import anchor_sealed, log_identity, seal_batch

__all__ = [
    "HandlerRunner",
    "LiveFeed",
    "LiveOutlet",
    "NewEvent",
    "Relay",
    "accept_log",
    "anchor_sealed",
    "handles",
    "log_identity",
    "project_activity",
    "publish_outside",
    "raise_alert",
    "record_event",
    "record_events",
    "replay_activity",
    "resolve_dead_letter",
    "retry_dead_letter",
    "seal_batch",
]
