"""Wake-ups through PostgreSQL: NOTIFY inside the transaction that makes the work, LISTEN in the loop that does it.

A notification is a hint, never data: whoever misses one finds the work by polling.
"""

from __future__ import annotations

import select
from enum import StrEnum
from types import TracebackType

import psycopg2
import psycopg2.extensions
from django.db import connection


class Channel(StrEnum):
    """Who is woken by what."""

    MARKET = "ts_market"
    MATCHED = "ts_matched"
    INTENTS = "ts_intents"
    ORDERS = "ts_orders"
    DECISIONS = "ts_decisions"
    EVENTS = "ts_events"
    CONTROL = "ts_control"


def notify(channel: Channel) -> None:
    """Wake the listeners of `channel` when the current transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [str(channel)])


class Listener:
    """A dedicated connection that waits for wake-ups."""

    def __init__(self, *channels: Channel) -> None:
        parameters = connection.get_connection_params()
        for key in ("cursor_factory", "isolation_level", "context"):
            parameters.pop(key, None)
        self._connection = psycopg2.connect(**parameters)
        self._connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
        with self._connection.cursor() as cursor:
            for channel in channels:
                cursor.execute(f"LISTEN {channel}")

    def wait(self, seconds: float) -> set[Channel]:
        """Sleep until a notification or the time is up; returns the channels that woke us. Raises OperationalError when the server is gone."""
        if not self._connection.notifies:
            readable, _, _ = select.select([self._connection], [], [], seconds)
            if readable:
                self._connection.poll()
        woken = {Channel(item.channel) for item in self._connection.notifies}
        self._connection.notifies.clear()
        return woken

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
