"""One machine, started by `manage.py up`: real servers, no debug pages, plain HTTP on localhost."""

from __future__ import annotations

from trading_system.runtime.secrets import local_secret_key
from trading_system.settings.base import *  # noqa: F403
from trading_system.settings.base import SECRET_KEY
from trading_system.settings.environment import DATA_DIR

if not SECRET_KEY:
    SECRET_KEY = local_secret_key(DATA_DIR)

WHITENOISE_AUTOREFRESH = True
"""Static files are looked up afresh, so that a checkout that changes under a running system does not serve half of a style sheet."""
