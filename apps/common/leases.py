"""Leases with fencing tokens: one owner at a time, kept in PostgreSQL, judged by PostgreSQL's clock."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

import psutil
from django.db import connection

from apps.core.errors import OwnershipLost


@dataclass(frozen=True)
class HeldLease:
    """A lease as this process holds it."""

    name: str
    owner: str
    token: int


def process_identity() -> str:
    """Host, pid and start of this process: the owner name of its leases."""
    started = int(psutil.Process().create_time() * 1000)
    return f"{socket.gethostname()}:{os.getpid()}:{started}"


def acquire(name: str, *, seconds: float, owner: str | None = None) -> HeldLease | None:
    """Take or renew the lease; None while somebody else holds it. A new owner gets a larger token."""
    owner = owner or process_identity()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO common_lease AS lease (name, owner, token, acquired_at, expires_at)
            VALUES (%(name)s, %(owner)s, 1, clock_timestamp(), clock_timestamp() + %(seconds)s * interval '1 second')
            ON CONFLICT (name) DO UPDATE SET
                owner = excluded.owner,
                token = CASE WHEN lease.owner = excluded.owner THEN lease.token ELSE lease.token + 1 END,
                acquired_at = CASE WHEN lease.owner = excluded.owner THEN lease.acquired_at ELSE excluded.acquired_at END,
                expires_at = excluded.expires_at
            WHERE lease.owner = excluded.owner OR lease.expires_at < clock_timestamp()
            RETURNING token
            """,
            {"name": name, "owner": owner, "seconds": seconds},
        )
        row = cursor.fetchone()
    return HeldLease(name, owner, row[0]) if row else None


def release(lease: HeldLease) -> None:
    """Give the lease back, if it is still ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE common_lease SET expires_at = clock_timestamp() - interval '1 second' WHERE name = %s AND owner = %s AND token = %s",
            [lease.name, lease.owner, lease.token],
        )


def fence(lease: HeldLease) -> None:
    """Inside a transaction: lock the lease row and raise `OwnershipLost` unless it is still ours and unexpired."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM common_lease WHERE name = %s AND owner = %s AND token = %s AND expires_at > clock_timestamp() FOR SHARE",
            [lease.name, lease.owner, lease.token],
        )
        if cursor.fetchone() is None:
            raise OwnershipLost(f"The lease {lease.name} (token {lease.token}) is no longer ours.", where=lease.name)
