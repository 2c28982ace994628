"""Where Redis is. `REDIS_URL` wins; else REDIS_HOST, REDIS_PORT, REDIS_PASSWORD."""

from __future__ import annotations

from urllib.parse import quote

from trading_system.settings.environment import env


def _url_from_parts() -> str:
    password = env.str("REDIS_PASSWORD", default="")
    login = f":{quote(password, safe='')}@" if password else ""
    return f"redis://{login}{env.str('REDIS_HOST', default='localhost')}:{env.int('REDIS_PORT', default=6379)}/0"


REDIS_URL: str = env.str("REDIS_URL", default="") or _url_from_parts()
EVENTS_KEY_PREFIX: str = env.str("EVENTS_KEY_PREFIX", default="ts:")
"""Before the keys of the event bus, so that several installations can share one Redis database. The published outside channels have none."""
