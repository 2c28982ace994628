"""Progress to open pages through the Channels layer. It only wakes them: what they show is read from the row, so a lost message costs a second."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from channels.layers import get_channel_layer

log = structlog.get_logger(__name__)

GROUP = "live"
"""The group that every open page listens to."""
MESSAGE_TYPE = "live.backtest"
SEND_SECONDS = 1.0


class ProgressAnnouncer:
    """Sends from a thread without an event loop; keeps a loop of its own, and with it the connection. Never raises: Redis may be gone."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._layer: Any = get_channel_layer()

    def announce(self, message: dict[str, Any]) -> None:
        """Tell everybody who listens."""
        try:
            sent = self._layer.group_send(GROUP, {"type": MESSAGE_TYPE, **message})
            self._loop.run_until_complete(asyncio.wait_for(sent, SEND_SECONDS))
        except Exception as error:  # the layer raises whatever its Redis client raises
            log.warning("progress_not_announced", error=str(error))

    def close(self) -> None:
        self._loop.close()
