"""Telling open pages what is new: the sealed events since the last message, at most five messages a second."""

from __future__ import annotations

import time
from typing import Any, Protocol

from apps.events.contracts import LogEntry
from apps.events.selectors.log import head_position, latest, tail

LEAST_SECONDS_BETWEEN = 0.2
MOST_EVENTS = 200


class LiveOutlet(Protocol):
    """Where the messages go."""

    def send(self, events: list[dict[str, Any]], head: int) -> None: ...


class LiveFeed:
    """Follows the log from the moment it starts. A page that sees a gap in positions asks for a snapshot."""

    def __init__(self, outlet: LiveOutlet) -> None:
        self._outlet = outlet
        self._position: int | None = None
        self._sent_at = 0.0

    def step(self) -> int:
        """Send what is new, if the last message is long enough ago. Of more than 200 events only the newest are sent. Returns how many."""
        now = time.monotonic()
        if now - self._sent_at < LEAST_SECONDS_BETWEEN:
            return 0
        head = head_position()
        if self._position is None:
            self._position = head
        if head <= self._position:
            return 0
        entries = self._newest(self._position, head)
        self._position, self._sent_at = head, now
        self._outlet.send([compact(entry) for entry in entries], head)
        return len(entries)

    def seconds_to_wait(self) -> float:
        """Until the next message may be sent."""
        return max(LEAST_SECONDS_BETWEEN - (time.monotonic() - self._sent_at), 0.0)

    @staticmethod
    def _newest(after: int, head: int) -> list[LogEntry]:
        if head - after <= MOST_EVENTS:
            return [entry for entry in tail(after=after, limit=MOST_EVENTS) if (entry.position or 0) <= head]
        return latest(limit=MOST_EVENTS, before=head + 1)[::-1]


def compact(entry: LogEntry) -> dict[str, Any]:
    """What a page is told of an event."""
    return {
        "position": entry.position,
        "id": str(entry.id),
        "type": entry.event_type,
        "priority": int(entry.priority),
        "subject": entry.subject,
        "actor": entry.actor,
        "occurred_at": entry.occurred_at.isoformat(),
        "recorded_at": entry.recorded_at.isoformat(),
        "payload": entry.payload,
    }
