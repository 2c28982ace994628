"""Containers behind TLS. A missing SECRET_KEY is reported by a system check (ts.E001), not guessed."""

from __future__ import annotations

from trading_system.runtime.secrets import stand_in_for_missing_secret
from trading_system.settings.base import *  # noqa: F403
from trading_system.settings.base import SECRET_KEY
from trading_system.settings.environment import env

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = False

if not SECRET_KEY:
    SECRET_KEY = stand_in_for_missing_secret()
