"""One executor per account: its lease, and transactions that end if the lease has gone to somebody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from apps.common.leases import HeldLease, acquire, fence, release
from apps.core.errors import OwnershipLost

LEASE_SECONDS = 6.0
RENEW_AFTER_SECONDS = 1.5


class Ownership:
    """The right to trade one account."""

    def __init__(self, lease: HeldLease) -> None:
        self._lease = lease
        self._renewed_at = time.monotonic()

    @classmethod
    def take(cls, account_id: UUID) -> Ownership | None:
        """Become the owner; None while another executor is."""
        lease = acquire(f"executor:{account_id}", seconds=LEASE_SECONDS)
        return cls(lease) if lease else None

    def keep(self) -> None:
        """Renew when it is time; raises OwnershipLost when somebody else took over."""
        if time.monotonic() - self._renewed_at < RENEW_AFTER_SECONDS:
            return
        lease = acquire(self._lease.name, seconds=LEASE_SECONDS, owner=self._lease.owner)
        if lease is None or lease.token != self._lease.token:
            raise OwnershipLost(f"Another executor owns {self._lease.name}.", where=self._lease.name)
        self._renewed_at = time.monotonic()

    def check(self) -> None:
        """Raise OwnershipLost unless the lease is ours at this moment."""
        fence(self._lease)

    def give_back(self) -> None:
        """Let another executor take over at once."""
        release(self._lease)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction of its own that holds the lease's row, so that no other owner can exist until it ends."""
        with transaction.atomic(durable=True):
            fence(self._lease)
            yield
