"""Runs as pages and the API see them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.backtests.contracts import Progress, RunSummary, RunView
from apps.backtests.domain.config import RunMode, ScoreMode, config_from_json
from apps.backtests.domain.states import RunState
from apps.backtests.models import BacktestRun
from apps.backtests.selectors.trials import judgement_of_run
from apps.core.errors import NotFound

_HEAVY = ("tear_sheet", "places")


def runs(
    *,
    state: RunState | None = None,
    strategy: str | None = None,
    sweep_id: UUID | None = None,
    family: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[RunSummary]:
    """Runs, newest first; `before` is the last one of the page before."""
    wanted: dict[str, Any] = {"state": state, "strategy": strategy, "sweep_id": sweep_id, "family": family, "id__lt": before}
    rows = _light().filter(**{name: value for name, value in wanted.items() if value is not None})
    return [summary_of(row) for row in rows[:limit]]


def run(run_id: UUID) -> RunView:
    """One run with its figures; raises NotFound."""
    row = _light().filter(id=run_id).first()
    if row is None:
        raise _unknown(run_id)
    return _view(row)


def tear_sheet(run_id: UUID) -> dict[str, Any]:
    """The stored tear sheet, see `portfolio.domain.tear_sheet`; raises NotFound for an unknown run, or one that has none (yet)."""
    found = BacktestRun.objects.filter(id=run_id).values_list("tear_sheet", "state").first()
    if found is None:
        raise _unknown(run_id)
    sheet, state = found
    if not sheet:
        raise NotFound(f"The backtest is {state.lower()} and has no tear sheet.", where="run_id", hint="Wait until it is done.")
    return dict(sheet)


def progress(run_id: UUID) -> tuple[RunState, Progress]:
    """How a run stands; raises NotFound."""
    found = BacktestRun.objects.filter(id=run_id).values_list("state", "progress_done", "progress_total", "message").first()
    if found is None:
        raise _unknown(run_id)
    return RunState(found[0]), Progress(*found[1:])


def runs_under_way(limit: int = 20) -> list[RunSummary]:
    """What waits or runs now, oldest first."""
    rows = _light().filter(state__in=[RunState.QUEUED, RunState.RUNNING]).order_by("id")
    return [summary_of(row) for row in rows[:limit]]


def summary_of(row: BacktestRun) -> RunSummary:
    """A run's line in a list."""
    figures: dict[str, Any] = row.metrics.get("figures", {})
    trades = figures.get("trades")
    return RunSummary(
        id=row.id,
        state=RunState(row.state),
        strategy=row.strategy,
        symbols=row.symbols,
        timeframe=row.timeframe,
        mode=RunMode(row.mode),
        profile=row.profile,
        score=ScoreMode(row.score),
        progress=Progress(row.progress_done, row.progress_total, row.message),
        requested_by=row.requested_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        total_return=figures.get("total_return"),
        sharpe=figures.get("sharpe"),
        max_drawdown=figures.get("max_drawdown"),
        trades=None if trades is None else int(trades),
        trial_number=row.trial_number,
        sweep_id=row.sweep_id,
        error=row.error,
    )


def _view(row: BacktestRun) -> RunView:
    return RunView(
        summary=summary_of(row),
        config=config_from_json(row.config),
        seed=row.seed,
        code_version=row.code_version,
        data_hash=row.data_hash,
        fills_hash=row.fills_hash,
        bars=row.bars,
        record_rows=dict(row.record_rows),
        metrics=dict(row.metrics),
        judgement=judgement_of_run(row),
        error=row.error,
        error_where=row.error_where,
        error_hint=row.error_hint,
        attempt=row.attempt,
        is_cancel_requested=row.is_cancel_requested,
    )


def _light() -> QuerySet[BacktestRun]:
    return BacktestRun.objects.defer(*_HEAVY)


def _unknown(run_id: UUID) -> NotFound:
    return NotFound(f"There is no backtest {run_id}.", where="run_id")
