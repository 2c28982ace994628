"""Runs as a list judges them: the figures of each, and what search and luck explain of its Sharpe ratio."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

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
    rows = _rows().filter(**{name: value for name, value in wanted.items() if value is not None})
    return _lines(list(rows[:limit]))


def lines_of(run_ids: Sequence[UUID]) -> list[RunLine]:
    """These runs in this order; those that are not there are left out."""
    rows = {row.id: row for row in _rows().filter(id__in=list(run_ids))}
    return _lines([rows[run_id] for run_id in dict.fromkeys(run_ids) if run_id in rows])


def strategies_run() -> list[str]:
    """The strategies of all runs that there are, by name."""
    return list(BacktestRun.objects.order_by("strategy").values_list("strategy", flat=True).distinct())


def _rows() -> QuerySet[BacktestRun]:
    """Without what is large, but with the ends of the bars."""
    span = {"first_at": "tear_sheet__span__from", "last_at": "tear_sheet__span__to"}
    return BacktestRun.objects.defer(*_HEAVY).annotate(**{name: F(path) for name, path in span.items()})


def _lines(rows: Sequence[BacktestRun]) -> list[RunLine]:
    judged = judgements_of_runs(rows)
    return [
        RunLine(
            summary=summary_of(row),
            fills_hash=row.fills_hash,
            score=row.metrics.get("score", row.score),
            first_at=_moment(getattr(row, "first_at", None)),
            last_at=_moment(getattr(row, "last_at", None)),
            judgement=judged.get(row.id),
        )
        for row in rows
    ]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
