"""Pytest plugin, loaded before Django: gives the tests a PostgreSQL and a Redis of their own.

Each worker of pytest-xdist gets a pair of its own (the first that of the process which started it): messages in Redis are heard in every
database of a server, so nothing less keeps workers apart.
With TRADING_TEST_SERVERS=external the servers named by DB_* and REDIS_URL are used instead; workers then share them, each with a database of
its own in both.
"""

from __future__ import annotations

import os

from trading_system.runtime.throwaway import start_throwaway_servers

_EXTERNAL, _OWN = "external", "own"
_REDIS_DATABASES = 16

_given = os.environ.get("TRADING_TEST_SERVERS", "")
_worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")

if _given == _EXTERNAL and _worker:
    _address, _, _ = os.environ["REDIS_URL"].partition("?")
    os.environ["REDIS_URL"] = f"{_address}?db={(int(_worker) + 1) % _REDIS_DATABASES}"
elif _given != _EXTERNAL and (_given != _OWN or _worker not in ("", "0")):
    start_throwaway_servers()
    os.environ["TRADING_TEST_SERVERS"] = _OWN
