"""What writes: recording events, sealing, relaying, handling, projections, alerts, the outside channels."""

from apps.events.services.recording import NewEvent, raise_alert, record_event, record_events

__all__ = ["NewEvent", "raise_alert", "record_event", "record_events"]
