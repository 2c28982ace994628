"""Channels: the pubsub layer of channels_redis, which delivers five times what the core layer does."""

from __future__ import annotations

from typing import Any

from trading_system.settings.redis import REDIS_URL

CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "channels"},
    },
}
