"""One machine, started by `manage.py up`: real servers, no debug pages, plain HTTP on localhost."""

from __future__ import annotations

from trading_system.runtime.secrets import local_secret_key
from trading_system.settings.base import *  # noqa: F403
from trading_system.settings.base import DATA_DIR, SECRET_KEY

if not SECRET_KEY:
    SECRET_KEY = local_secret_key(DATA_DIR)
