"""How often and when a failed handler is tried again."""

from __future__ import annotations

from datetime import timedelta

MAX_ATTEMPTS = 5
FIRST_DELAY = timedelta(seconds=1)
FACTOR = 4


def next_delay(attempts: int) -> timedelta | None:
    """The wait after `attempts` failed attempts (1 s, 4 s, 16 s, 64 s); None when the event is a dead letter now."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return FIRST_DELAY * int(FACTOR ** (attempts - 1))
