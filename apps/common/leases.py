"""Leases with fencing tokens: one owner at a time, kept in PostgreSQL, judged by PostgreSQL's clock."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.db import connection

from apps.common.models import Lease
from apps.core.errors import OwnershipLost


@dataclass(frozen=True)
class HeldLease:
    """A lease as this process holds it."""

    name: str
    owner: str
    token: int


def process_identity() -> str:
    """Host, pid and start of this process: the owner name of its leases."""
    return f"{socket.gethostname()}:{os.getpid()}:{_start_of(os.getpid())}"


def _start_of(pid: int) -> int:
    """When the process started, in units that do not move when somebody sets the clock; raises `psutil.NoSuchProcess`.

    Linux counts ticks since the boot. What psutil makes of them is a wall time, and with the clock set it names a process that lives as
    another one. Elsewhere the system itself keeps the wall time of the start.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return int(psutil.Process(pid).create_time() * 1000)
    except ProcessLookupError as error:
        raise psutil.NoSuchProcess(pid) from error
    return int(stat.rpartition(")")[2].split()[19])


def acquire(name: str, *, seconds: float, owner: str | None = None) -> HeldLease | None:
    """Take or renew the lease; None while somebody else holds it. A new owner gets a larger token.

    The lease of a killed process of this machine does not have to run out: it is taken over at once, and the fence stops a mistake.
    """
    owner = owner or process_identity()
    lease = _try_acquire(name, seconds=seconds, owner=owner)
    if lease is None and _release_of_the_dead(name):
        lease = _try_acquire(name, seconds=seconds, owner=owner)
    return lease


def _try_acquire(name: str, *, seconds: float, owner: str) -> HeldLease | None:
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


def _release_of_the_dead(name: str) -> bool:
    """Release the lease if its owner was a process of this machine that has ended."""
    row = Lease.objects.filter(name=name).first()
    if row is None or not _has_ended(row.owner):
        return False
    release(HeldLease(row.name, row.owner, row.token))
    return True


def _has_ended(owner: str) -> bool:
    parts = owner.rsplit(":", 2)
    if len(parts) != 3 or parts[0] != socket.gethostname() or not parts[1].isdecimal():
        return False
    try:
        pid = int(parts[1])
        return _start_of(pid) != int(parts[2]) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def fence(lease: HeldLease) -> None:
    """Inside a transaction: lock the lease row and raise `OwnershipLost` unless it is still ours and unexpired."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM common_lease WHERE name = %s AND owner = %s AND token = %s AND expires_at > clock_timestamp() FOR SHARE",
            [lease.name, lease.owner, lease.token],
        )
        if cursor.fetchone() is None:
            raise OwnershipLost(f"The lease {lease.name} (token {lease.token}) is no longer ours.", where=lease.name)
