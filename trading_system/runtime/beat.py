"""Beat with a heartbeat: it says that it completed a pass over its schedule, not merely that it lives."""

from __future__ import annotations

import os
import time
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler

from apps.common import heartbeats

_EVERY_SECONDS = 5.0

log = structlog.get_logger(__name__)


class HeartbeatScheduler(DatabaseScheduler):  # type: ignore[misc]
    """The schedule in the database, with a heartbeat after each pass."""

    _last_beat = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        pause: float = super().tick(*args, **kwargs)
        if time.monotonic() - self._last_beat >= _EVERY_SECONDS:
            self._last_beat = time.monotonic()
            self._beat()
        return min(pause, _EVERY_SECONDS)

    def _beat(self) -> None:
        try:
            heartbeats.beat(os.environ.get("TRADING_PROCESS", "beat"), expected_every=2 * _EVERY_SECONDS)
        except (DatabaseError, InterfaceError) as error:
            log.warning("heartbeat_failed", error=str(error).strip())
            close_old_connections()
