"""The end of a run, in one transaction: records, figures, ledger line and event together, or none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from django.db import transaction

from apps.backtests.contracts import RecordKind, RunFinished
from apps.backtests.domain.overfitting import SharpeStatistics
from apps.backtests.domain.packing import pack, parts
from apps.backtests.domain.records import Int64Array, RunRecords
from apps.backtests.domain.states import RunState
from apps.backtests.domain.trials import RunPurpose
from apps.backtests.models import BacktestRun, RecordPart
from apps.backtests.services.claims import Claim, hold
from apps.backtests.services.ledger import Tried, enter_trials
from apps.common.failpoints import failpoint
from apps.core.errors import TradingError
from apps.events.services import record_event


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run came to. `tried` are fingerprints of further configurations that its walk forward chose among."""

    records: RunRecords
    metrics: dict[str, Any]
    tear_sheet: dict[str, Any]
    statistics: SharpeStatistics | None
    data_hash: str
    code_version: str
    bars: int
    tried: tuple[str, ...] = field(default=())


def store_outcome(held: Claim, outcome: Outcome, *, now: datetime) -> None:
    """Store everything and end the run. Raises OwnershipLost, with nothing written, if another worker has it."""
    records = outcome.records
    tables = _tables(records)
    packed = [RecordPart(run_id=held.id, kind=kind, first_row=first, rows=len(part), data=pack(part))
              for kind, table in tables.items() for first, part in parts(table)]  # fmt: skip
    with transaction.atomic():
        hold(held)
        run = BacktestRun.objects.get(id=held.id)
        RecordPart.objects.filter(run_id=held.id).delete()
        for part in packed:
            part.save(force_insert=True)
        failpoint("backtests.records_stored")
        run.fills_hash = records.fills_hash()
        run.record_rows = {str(kind): len(table) for kind, table in tables.items()}
        run.places = [msgspec.to_builtins(asdict(spec)) for spec in records.places]
        run.metrics, run.tear_sheet = outcome.metrics, outcome.tear_sheet
        run.data_hash, run.code_version, run.bars = outcome.data_hash, outcome.code_version, outcome.bars
        run.progress_done = run.progress_total = outcome.bars
        message = f"{len(records.fills)} fills, {len(records.trades)} trades."
        _end(run, RunState.DONE, message, now=now, statistics=outcome.statistics, tried=outcome.tried)


def end_without_result(held: Claim, state: RunState, error: TradingError | None, *, now: datetime) -> None:
    """End a run that failed or was cancelled: the error is kept, records are not. Raises OwnershipLost if another worker has it."""
    with transaction.atomic():
        hold(held)
        run = BacktestRun.objects.get(id=held.id)
        if error is not None:
            run.error, run.error_where, run.error_hint = error.message, error.where[:120], error.hint[:500]
        _end(run, state, error.message if error else "Cancelled.", now=now)


def end_unowned(run: BacktestRun, state: RunState, message: str, *, now: datetime) -> None:
    """Inside a transaction that holds the run's row: end a run that no worker owns."""
    if state is RunState.FAILED:
        run.error = message
    _end(run, state, message, now=now)


def _end(
    run: BacktestRun,
    state: RunState,
    message: str,
    *,
    now: datetime,
    statistics: SharpeStatistics | None = None,
    tried: Sequence[str] = (),
) -> None:
    run.state, run.message, run.finished_at, run.lease_until = state, message[:300], now, None
    run.trial_number = _enter(run, state, statistics, tried)
    run.save()
    record_event(
        RunFinished(
            run_id=run.id,
            state=str(state),
            strategy=run.strategy,
            symbols=run.symbols,
            timeframe=run.timeframe,
            fills=run.record_rows.get(RecordKind.FILLS, 0),
            seconds=round((now - run.started_at).total_seconds(), 3) if run.started_at else 0.0,
            fills_hash=run.fills_hash,
            message=message[:300],
            total_return=run.metrics.get("figures", {}).get("total_return"),
        ),
        occurred_at=now,
        actor=run.requested_by or "system",
        subject=str(run.id),
    )


def _enter(run: BacktestRun, state: RunState, statistics: SharpeStatistics | None, tried: Sequence[str]) -> int:
    """The run's line in the ledger, the last of those that it brings."""
    others = [Tried(RunPurpose.WALK_FORWARD, state, item, run.requested_by, run_id=run.id) for item in tried if item != run.fingerprint]
    own = Tried(
        RunPurpose(run.purpose), state, run.fingerprint, run.requested_by, run_id=run.id, sweep_id=run.sweep_id,
        fills_hash=run.fills_hash, statistics=statistics,
    )  # fmt: skip
    return enter_trials(run.family, [*others, own])


def _tables(records: RunRecords) -> dict[RecordKind, Int64Array]:
    exposure = records.exposure if records.exposure is not None else np.full(len(records.equity), -1, np.int64)
    return {
        RecordKind.ORDERS: records.orders,
        RecordKind.FILLS: records.fills,
        RecordKind.TRADES: records.trades,
        RecordKind.ENTRIES: records.entries,
        RecordKind.EQUITY: np.column_stack([records.equity_at, records.equity, exposure]),
    }
