"""Where settings come from: the process environment, then what a running `manage.py up` has written for its siblings, then `.env`."""

from __future__ import annotations

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = environ.Env()
_given = dict(os.environ)
if (BASE_DIR / ".env").is_file():
    environ.Env.read_env(str(BASE_DIR / ".env"))

DATA_DIR = Path(os.environ.get("TRADING_DATA_DIR") or BASE_DIR / "var").expanduser().resolve()
SERVERS_FILE = DATA_DIR / "run" / "servers.env"
"""Addresses and credentials of the embedded servers, mode 0600, written by `manage.py up`."""

if SERVERS_FILE.is_file() and os.access(SERVERS_FILE, os.R_OK):
    environ.Env.read_env(str(SERVERS_FILE), overwrite=True)
    os.environ.update(_given)


def decimal_setting(name: str, default: str) -> Decimal:
    """An exact number from the environment; NaN when it is none, which a system check reports with a hint instead of a traceback here."""
    try:
        return Decimal(env.str(name, default=default).strip())
    except InvalidOperation:
        return Decimal("NaN")
