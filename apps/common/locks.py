"""Advisory locks of PostgreSQL: every name in one place, always taken in this order, so that no two paths can deadlock.

The halt is first: an executor holds HALT shared around each bounded send, the halt takes it exclusively.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    """Lock classes in the order in which they may be taken."""

    HALT = 1
    SEALER = 2
    ACCOUNT_RISK = 3
    ACCOUNT_LEDGER = 4
    VENUE_CLOCK = 5
    CANDLES = 6
    PARTITIONS = 7
    BOOTSTRAP = 8


def _key(lock: Lock, scope: object) -> int:
    digest = hashlib.blake2b(f"{int(lock)}|{scope}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def lock_in_transaction(lock: Lock, scope: object = "") -> None:
    """Take the lock until the end of the current transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_key(lock, scope)])


def lock_shared_in_transaction(lock: Lock, scope: object = "") -> None:
    """Take the lock shared until the end of the current transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_key(lock, scope)])


@contextmanager
def held(lock: Lock, scope: object = "", *, shared: bool = False) -> Iterator[None]:
    """Hold a session-level lock for the length of the block, across transactions of this connection."""
    suffix = "_shared" if shared else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock{suffix}(%s)", [_key(lock, scope)])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock{suffix}(%s)", [_key(lock, scope)])
