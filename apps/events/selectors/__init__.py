"""What reads: the log, the state of handlers and dead letters, the verification of the chain."""

from apps.events.selectors.bus import dead_letters, handler_stats
from apps.events.selectors.log import events_for_subject, head_position, latest, log_lag, tail
from apps.events.selectors.verification import verify_log

__all__ = [
    "dead_letters",
    "events_for_subject",
    "handler_stats",
    "head_position",
    "latest",
    "log_lag",
    "tail",
    "verify_log",
]
