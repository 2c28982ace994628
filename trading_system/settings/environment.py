"""Where settings come from: the process environment, then `.env`, then what a running `manage.py up` has written for its siblings."""

from __future__ import annotations

import os
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = environ.Env()
if (BASE_DIR / ".env").is_file():
    environ.Env.read_env(str(BASE_DIR / ".env"))

DATA_DIR = Path(os.environ.get("TRADING_DATA_DIR") or BASE_DIR / "var").resolve()
SERVERS_FILE = DATA_DIR / "run" / "servers.env"
"""Addresses and credentials of the embedded servers, mode 0600, written by `manage.py up`."""

if SERVERS_FILE.is_file() and os.access(SERVERS_FILE, os.R_OK):
    environ.Env.read_env(str(SERVERS_FILE))
