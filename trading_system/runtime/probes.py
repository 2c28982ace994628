"""Asking, from threads of their own, whether PostgreSQL, Redis and the web answer; a question that hangs hangs only its thread."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg2
import redis

_HEARTBEATS = """
SELECT process, extract(epoch FROM clock_timestamp() - completed_at), expected_every_seconds, detail FROM common_heartbeat
"""


@dataclass(frozen=True)
class BeatAge:
    """How long ago a process last completed work, and how often it promised to."""

    age_seconds: float
    expected_every: float
    detail: str


class Probe(threading.Thread):
    """Calls `ask` every `interval` seconds; remembers when it last succeeded and since when it has without a break."""

    def __init__(self, name: str, ask: Callable[[], Any], *, interval: float = 2.0) -> None:
        super().__init__(name=f"probe-{name}", daemon=True)
        self._ask = ask
        self._interval = interval
        self._ended = threading.Event()
        self._begun = time.monotonic()
        self.answer: Any = None
        self.last_answer: float | None = None
        self.answering_since: float | None = None

    @property
    def silent_for(self) -> float:
        """Seconds since the last answer (or since we began to ask)."""
        return time.monotonic() - (self.last_answer or self._begun)

    @property
    def answering_for(self) -> float:
        """Seconds of unbroken answers; 0 when it does not answer now."""
        since = self.answering_since
        return 0.0 if since is None or self.silent_for > 3 * self._interval + 5 else time.monotonic() - since

    def run(self) -> None:
        while not self._ended.is_set():
            before = time.time()
            try:
                self.answer = self._ask()
            except Exception:
                self.answering_since = None
            else:
                self._note_answer()
            self._ended.wait(self._interval)
            if time.time() - before > 30 + self._interval:
                self.answering_since = None  # the machine slept: ages by the wall clock mean nothing for a while

    def end(self) -> None:
        self._ended.set()

    def _note_answer(self) -> None:
        now = time.monotonic()
        if self.answering_since is None or self.silent_for > 30:
            self.answering_since = now
        self.last_answer = now


class HeartbeatQuestion:
    """Reads all heartbeats over one kept connection; raises when PostgreSQL does not answer. Before the first migration there are none."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._connection: Any = None

    def __call__(self) -> dict[str, BeatAge]:
        try:
            if self._connection is None:
                self._connection = psycopg2.connect(self._url, connect_timeout=3, application_name="supervisor")
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(_HEARTBEATS)
                return {process: BeatAge(float(age), every, detail) for process, age, every, detail in cursor.fetchall()}
        except psycopg2.errors.UndefinedTable:
            return {}
        except psycopg2.Error:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back."""
        with suppress(Exception):
            self._connection.close()
        self._connection = None


class RedisQuestion:
    """PING."""

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(redis_url, socket_timeout=3.0, socket_connect_timeout=3.0)

    def __call__(self) -> bool:
        return bool(self._client.ping())


class WebQuestion:
    """GET /healthz; any answer at all is an answer."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def __call__(self) -> int:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost", "Connection": "close"})
            return connection.getresponse().status
        finally:
            connection.close()
