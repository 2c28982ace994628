"""Runs as a list judges them: the figures of each, and what search and luck explain of its Sharpe ratio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.backtests.contracts import RunLine
from apps.backtests.domain.states import RunState
from apps.backtests.models import BacktestRun
from apps.backtests.selectors.runs import summary_of
from apps.backtests.selectors.trials import judgements_of_runs

_HEAVY = ("tear_sheet", "places", "config")


def run_lines(
    *, state: RunState | None = None, strategy: str | None = None, sweep_id: UUID | None = None, before: UUID | None = None, limit: int = 50
) -> list[RunLine]:
    """Runs, newest first; `before` is the last one of the page before."""
    wanted: dict[str, Any] = {"state": state, "strategy": strategy, "sweep_id": sweep_id, "id__lt": before}
    rows = BacktestRun.objects.defer(*_HEAVY).filter(**{name: value for name, value in wanted.items() if value is not None})
    return _lines(list(rows[:limit]))


def lines_of(run_ids: Sequence[UUID]) -> list[RunLine]:
    """These runs in this order; those that are not there are left out."""
    rows = {row.id: row for row in BacktestRun.objects.defer(*_HEAVY).filter(id__in=list(run_ids))}
    return _lines([rows[run_id] for run_id in dict.fromkeys(run_ids) if run_id in rows])


def strategies_run() -> list[str]:
    """The strategies of all runs that there are, by name."""
    return list(BacktestRun.objects.order_by("strategy").values_list("strategy", flat=True).distinct())


def _lines(rows: Sequence[BacktestRun]) -> list[RunLine]:
    judged = judgements_of_runs(rows)
    return [RunLine(summary_of(row), row.fills_hash, row.metrics.get("score", row.score), judged.get(row.id)) for row in rows]
