"""What reads: the log, the state of handlers and dead letters, the verification of the chain."""

from apps.events.selectors.log import events_for_subject, head_position, latest, log_lag, tail

__all__ = ["events_for_subject", "head_position", "latest", "log_lag", "tail"]
