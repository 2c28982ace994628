"""Throttle."""

from rest_framework.throttling import UserRateThrottle


class WindowThrottle(UserRateThrottle):
    rate = "100/min"
