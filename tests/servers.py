"""Pytest plugin, loaded before Django: gives the tests a PostgreSQL and a Redis of their own.

With TRADING_TEST_SERVERS=external the servers named by DB_* and REDIS_URL are used instead.
"""

from __future__ import annotations

import os

if os.environ.get("TRADING_TEST_SERVERS") != "external":
    from trading_system.runtime.throwaway import start_throwaway_servers

    start_throwaway_servers()
