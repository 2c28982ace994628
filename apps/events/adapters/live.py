"""Fan-out to open pages through the Channels layer. Pages hold the truth by position; a lost batch only makes them ask again."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.layers import get_channel_layer

GROUP = "live"
MESSAGE_TYPE = "live.events"
SEND_SECONDS = 2.0


class LiveSender:
    """Sends to the group from a thread without an event loop; keeps one of its own, and with it the connection."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._layer: Any = get_channel_layer()

    def send(self, events: list[dict[str, Any]], head: int) -> None:
        """One message to everybody who listens. Raises what the layer raises, TimeoutError after two seconds."""
        message = {"type": MESSAGE_TYPE, "events": events, "head": head}
        self._loop.run_until_complete(asyncio.wait_for(self._layer.group_send(GROUP, message), SEND_SECONDS))

    def close(self) -> None:
        self._loop.close()
