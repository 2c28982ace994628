"""Sending to an outside channel what comes from no event (the bars of a step, say)."""

from __future__ import annotations

from typing import Any

from apps.events.adapters.outside import outside_sender
from apps.events.channels import channel


def publish_outside(name: str, payload: dict[str, Any]) -> bool:
    """Publish on an outside channel; call it after the commit. Whether Redis took it: a Redis that is down costs nothing but the message.

    Raises InvalidInput for a channel that is not published or a payload that does not fit its schema.
    """
    target = channel(name)
    target.require_schema(payload)
    return outside_sender().send(target, payload)
