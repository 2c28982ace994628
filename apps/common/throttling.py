"""The throttle: 100 requests in any 30 seconds per user or address, counted in Redis by one script, so that it cannot be raced.

Without Redis each process counts for itself: reading and trading go on, bounded. Views that reduce risk are not throttled at all.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from uuid import uuid4

import redis
import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

log = structlog.get_logger(__name__)

LIMIT = 100
WINDOW_SECONDS = 30.0
KEY_PREFIX = "throttle:"
REDIS_TIMEOUT_SECONDS = 0.25
REDIS_RETRY_SECONDS = 2.0
MOST_LOCAL_KEYS = 10_000

_SLIDING_WINDOW = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window = tonumber(ARGV[1])
local limit = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local used = redis.call('ZCARD', KEYS[1])
local allowed = 0
if used < limit then
  redis.call('ZADD', KEYS[1], now, ARGV[3])
  redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
  used = used + 1
  allowed = 1
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {allowed, used, oldest[2] + window - now}
"""


@dataclass(frozen=True)
class Admission:
    """Whether a request passes, how many more would, and the seconds until the oldest one counted is forgotten."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: float


class LocalWindow:
    """The same window kept in this process; the least recently seen keys are forgotten beyond a bound."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def admit(self, key: str, *, limit: int, window: float, now: float) -> Admission:
        with self._lock:
            seen = self._seen.setdefault(key, deque())
            self._seen.move_to_end(key)
            if len(self._seen) > MOST_LOCAL_KEYS:
                self._seen.popitem(last=False)
            while seen and seen[0] <= now - window:
                seen.popleft()
            allowed = len(seen) < limit
            if allowed:
                seen.append(now)
            return Admission(allowed, limit, limit - len(seen), seen[0] + window - now)


class SharedWindow:
    """The window in Redis, shared by all web processes; after a failure the local one serves for two seconds before Redis is tried again."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS)
        self._script = self._redis.register_script(_SLIDING_WINDOW)
        self._local = LocalWindow()
        self._retry_at = 0.0

    def admit(self, key: str, *, limit: int, window: float) -> Admission:
        now = time.monotonic()
        if now >= self._retry_at:
            try:
                return self._admit_shared(key, limit, window)
            except redis.RedisError as error:
                self._retry_at = now + REDIS_RETRY_SECONDS
                log.warning("throttle_without_redis", error=str(error))
        return self._local.admit(key, limit=limit, window=window, now=now)

    def _admit_shared(self, key: str, limit: int, window: float) -> Admission:
        answer = self._script(keys=[KEY_PREFIX + key], args=[int(window * 1_000_000), limit, uuid4().hex])
        allowed, used, reset = (int(item) for item in answer)
        return Admission(bool(allowed), limit, limit - used, reset / 1_000_000)


@cache
def shared_window() -> SharedWindow:
    return SharedWindow(settings.REDIS_URL)


class WindowThrottle(BaseThrottle):
    """REST framework's side of it: who is counted, and what the answer tells."""

    limit = LIMIT
    window_seconds = WINDOW_SECONDS

    def allow_request(self, request: Request, view: APIView) -> bool:
        self._admission = shared_window().admit(_who(request), limit=self.limit, window=self.window_seconds)
        request._request.rate_limit_headers = self._headers()  # type: ignore[attr-defined]
        return self._admission.allowed

    def wait(self) -> float | None:
        return max(1, math.ceil(self._admission.reset_seconds))

    def _headers(self) -> dict[str, str]:
        admission = self._admission
        return {
            "RateLimit-Limit": str(admission.limit),
            "RateLimit-Remaining": str(admission.remaining),
            "RateLimit-Reset": str(max(1, math.ceil(admission.reset_seconds))),
            "RateLimit-Policy": f"{admission.limit};w={int(self.window_seconds)}",
        }


def _who(request: Request) -> str:
    """The user, else the address of the connection; headers are not believed here, the web server has judged them."""
    if request.user and request.user.is_authenticated:
        return f"user:{request.user.pk}"
    return f"address:{request.META.get('REMOTE_ADDR', '')}"
