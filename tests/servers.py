"""Pytest plugin, loaded before Django: gives the tests a PostgreSQL and a Redis of their own.

With TRADING_TEST_SERVERS=external the servers named by DB_* and REDIS_URL are used instead. Workers of pytest-xdist use the servers of the
process that started them, each with a Redis database of its own (pytest-django gives each a PostgreSQL database).
"""

from __future__ import annotations

import os

from trading_system.runtime.throwaway import start_throwaway_servers

_REDIS_DATABASES = 16

if os.environ.get("TRADING_TEST_SERVERS") != "external":
    start_throwaway_servers()
    os.environ["TRADING_TEST_SERVERS"] = "external"

_worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
if _worker.isdigit():
    _address, _, _ = os.environ["REDIS_URL"].partition("?")
    os.environ["REDIS_URL"] = f"{_address}?db={(int(_worker) + 1) % _REDIS_DATABASES}"
