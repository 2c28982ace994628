"""Sending to the outside channels, and where this installation's Redis is."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import msgspec
import redis
import structlog
from django.conf import settings
from redis.client import Pipeline

from apps.events.bus import connect
from apps.events.channels import STREAM_LENGTH, OutsideChannel

log = structlog.get_logger(__name__)

PAUSE_AFTER_FAILURE_SECONDS = 2.0
REDIS_FAILED = (redis.RedisError, OSError)


def add_message(pipe: Pipeline, channel: OutsideChannel, payload: dict[str, Any], *, position: int) -> None:
    """Put one message, both copies of it, into a pipeline."""
    encoded = msgspec.json.encode(payload)
    fields = {"payload": encoded, "version": str(channel.version), "position": str(position)}
    pipe.xadd(channel.name, fields, maxlen=STREAM_LENGTH, approximate=True)  # type: ignore[arg-type]
    pipe.publish(channel.name, encoded)


class OutsideSender:
    """Sends single messages and gives up at once while Redis does not answer: the caller has better things to do."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._silent_until = 0.0

    def send(self, channel: OutsideChannel, payload: dict[str, Any]) -> bool:
        """Whether Redis took it."""
        if time.monotonic() < self._silent_until:
            return False
        try:
            pipe = self._client.pipeline(transaction=True)
            add_message(pipe, channel, payload, position=0)
            pipe.execute()
        except REDIS_FAILED as error:
            self._silent_until = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            log.warning("outside_channel_unreachable", channel=channel.name, error=str(error))
            return False
        return True


@cache
def outside_sender() -> OutsideSender:
    """The sender of this process."""
    return OutsideSender(connect(settings.REDIS_URL))
