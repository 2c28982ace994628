"""Our own Redis: wake-ups, copies and Celery's queue, nothing that PostgreSQL does not have; so it keeps nothing on disk."""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import redis

from trading_system.runtime.places import ServerPlaces


@dataclass(frozen=True)
class RedisServer:
    """What to run and how to reach it; whoever owns the process starts and stops it."""

    program: Path
    places: ServerPlaces

    stop_signal = signal.SIGTERM

    @property
    def socket(self) -> Path:
        return self.places.sockets / "redis.sock"

    @property
    def settings(self) -> dict[str, str]:
        """How the settings find it."""
        return {"REDIS_URL": self.url}

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def command(self) -> list[str]:
        return [
            str(self.program), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700", "--daemonize", "no",
            "--save", "", "--appendonly", "no", "--maxmemory", "256mb", "--maxmemory-policy", "noeviction",
            "--databases", "16", "--dir", str(self.places.sockets), "--logfile", "",
        ]  # fmt: skip

    def prepare(self) -> None:
        """Make its folder; end a server that a killed predecessor left behind."""
        self.places.create()
        with suppress(redis.RedisError), self._client() as client:
            client.shutdown(nosave=True)
        self.socket.unlink(missing_ok=True)

    def is_accepting(self) -> bool:
        """Whether it answers right now."""
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2.0, socket_connect_timeout=2.0)
