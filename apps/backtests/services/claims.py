"""The life of a piece of work (a run, a chunk of a sweep, a what-if): claimed by compare-and-set, kept alive by its worker, ended once.

`attempt` grows with every claim and is the fence: a worker that was thought dead and wakes up finds a newer attempt and writes nothing.
A task that Celery delivers twice, at once or after the visibility timeout, therefore runs once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from apps.backtests.domain.states import RunState
from apps.backtests.models import BacktestRun, SweepChunk, WhatIf
from apps.core.errors import OwnershipLost

LEASE = timedelta(seconds=30)
"""Work whose worker has not said anything for so long may be taken up by another."""
LARGEST_ATTEMPT = 4
"""Work that has ended so many workers is given up."""

Work = type[BacktestRun] | type[SweepChunk] | type[WhatIf]
W = TypeVar("W", BacktestRun, SweepChunk, WhatIf)


@dataclass(frozen=True)
class Claim:
    """Work as the worker that owns it knows it."""

    model: Work
    id: UUID
    attempt: int


def claim(model: Work, work_id: UUID, *, now: datetime) -> Claim | None:
    """Take work that waits or whose lease has run out; None if it is over or owned by a live worker."""
    is_free = Q(state=RunState.QUEUED) | Q(state=RunState.RUNNING, lease_until__lt=now)
    taken = model.objects.filter(is_free, id=work_id).update(
        state=RunState.RUNNING, attempt=F("attempt") + 1, lease_until=now + LEASE, started_at=Coalesce(F("started_at"), now)
    )
    if not taken:
        return None
    return Claim(model, work_id, model.objects.values_list("attempt", flat=True).get(id=work_id))


def renew(held: Claim, *, now: datetime, done: int, total: int, message: str) -> bool:
    """Store progress and lengthen the lease; False when the work is no longer ours."""
    owned = held.model.objects.filter(id=held.id, state=RunState.RUNNING, attempt=held.attempt)
    return bool(owned.update(progress_done=done, progress_total=total, message=message[:300], lease_until=now + LEASE))


def hold(held: Claim) -> None:
    """Inside a transaction: lock the row and raise OwnershipLost unless this attempt still owns it."""
    owned = held.model.objects.select_for_update().filter(id=held.id, state=RunState.RUNNING, attempt=held.attempt)
    if not owned.exists():
        raise OwnershipLost(f"The work {held.id} was taken over by another worker, or was ended.", where=str(held.id))


def abandoned(model: type[W], *, now: datetime) -> list[W]:
    """Running work whose worker is gone."""
    return list(model.objects.filter(state=RunState.RUNNING, lease_until__lt=now))
