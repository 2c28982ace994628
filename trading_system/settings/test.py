"""Tests: real PostgreSQL and Redis, throw-away; fast password hashing."""

from __future__ import annotations

from trading_system.settings.base import *  # noqa: F403
from trading_system.settings.base import DATABASES

SECRET_KEY = "test-only-key-that-protects-nothing-0123456789"  # noqa: S105
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
DATABASES["default"]["CONN_MAX_AGE"] = 0
