"""Writing the trial ledger: one line for each thing that was tried, in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.backtests.domain.families import family_key, symbols_text
from apps.backtests.domain.overfitting import SharpeStatistics
from apps.backtests.domain.states import RunState
from apps.backtests.domain.trials import Family, RunPurpose
from apps.backtests.models import TrialEntry, TrialFamily


@dataclass(frozen=True)
class Tried:
    """Something that was tried, whatever became of it. `statistics` are those of its returns, None without a result."""

    purpose: RunPurpose
    state: RunState
    fingerprint: str
    actor: str
    run_id: UUID | None = None
    sweep_id: UUID | None = None
    point: int | None = None
    fills_hash: str = ""
    statistics: SharpeStatistics | None = None


def open_family(family: Family) -> str:
    """The key of the family in the ledger, entered there if it is new."""
    key = family_key(family)
    names = {"strategy": family.strategy, "symbols": symbols_text(family.instrument.split()), "timeframe": family.timeframe}
    TrialFamily.objects.get_or_create(key=key, defaults=names)
    return key


def enter_trials(key: str, items: Sequence[Tried]) -> int:
    """Append the lines inside the caller's transaction, numbered on from the family's last one; returns the last number."""
    row = TrialFamily.objects.select_for_update().get(key=key)
    first = row.entries + 1
    TrialEntry.objects.bulk_create([_line(key, number, item) for number, item in enumerate(items, start=first)], batch_size=500)
    row.entries += len(items)
    row.save(update_fields=["entries"])
    return row.entries


def _line(key: str, number: int, item: Tried) -> TrialEntry:
    found = item.statistics
    return TrialEntry(
        family_id=key,
        number=number,
        purpose=item.purpose,
        state=item.state,
        run_id=item.run_id,
        sweep_id=item.sweep_id,
        point=item.point,
        fingerprint=item.fingerprint,
        fills_hash=item.fills_hash,
        sharpe=found.sharpe if found else None,
        skewness=found.skewness if found else None,
        kurtosis=found.kurtosis if found else None,
        observations=found.observations if found else 0,
        actor=item.actor[:150],
    )
