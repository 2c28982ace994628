"""The fold behind the projection `ActivityCount`: how many events of each type each day (UTC) has seen, and the last one's position."""

from __future__ import annotations

from datetime import UTC, datetime

ActivityRows = dict[tuple[str, str], tuple[int, int]]
"""(event type, ISO day) -> (count, last position)."""


def fold(rows: ActivityRows, event_type: str, occurred_at: datetime, position: int) -> None:
    """Add one event to `rows`."""
    key = (event_type, occurred_at.astimezone(UTC).date().isoformat())
    count, last = rows.get(key, (0, 0))
    rows[key] = (count + 1, max(last, position))
