"""Sweeps and their points."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.backtests.contracts import Progress, SweepTrialView, SweepView
from apps.backtests.domain.config import config_from_json
from apps.backtests.domain.states import RunState, SweepMethod
from apps.backtests.models import Sweep, SweepTrial
from apps.core.errors import NotFound


def sweeps(*, state: RunState | None = None, before: UUID | None = None, limit: int = 50) -> list[SweepView]:
    """Sweeps, newest first; `before` is the last one of the page before."""
    wanted: dict[str, Any] = {"state": state, "id__lt": before}
    rows = Sweep.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    return [_view(row) for row in rows[:limit]]


def sweep(sweep_id: UUID) -> SweepView:
    """One sweep; raises NotFound."""
    return _view(_row(sweep_id))


def sweep_trials(
    sweep_id: UUID, *, is_best_first: bool = False, after: int | None = None, limit: int | None = None
) -> list[SweepTrialView]:
    """Finished points: by number (behind number `after`), or the best of them first. Raises NotFound for an unknown sweep."""
    rows = _row(sweep_id).trials.defer("returns")
    rows = rows.filter(score__isnull=False).order_by("-score", "number") if is_best_first else rows.order_by("number")
    if after is not None:
        rows = rows.filter(number__gt=after)
    return [_trial(row) for row in (rows if limit is None else rows[:limit])]


def heat_map(sweep_id: UUID, *, across: str, down: str, figure: str = "") -> dict[str, Any]:
    """The points as a table of two parameters: `across` and `down` their values, `cells[row][column]` the best value of the figure (the
    objective's score without one) over all other parameters; None where no point is. Raises NotFound for an unknown sweep or parameter."""
    row = _row(sweep_id)
    for name in (across, down):
        if name not in row.space:
            raise NotFound(f"The sweep does not search over {name!r}.", where=name, hint=f"It searches over {', '.join(row.space)}.")
    points = [item for item in sweep_trials(sweep_id) if item.score is not None]
    columns, lines = (sorted({item.parameters[name] for item in points}) for name in (across, down))
    best: dict[tuple[Any, Any], SweepTrialView] = {}
    for item in points:
        key = (item.parameters[down], item.parameters[across])
        if key not in best or (item.score or 0.0) > (best[key].score or 0.0):
            best[key] = item
    cells = [[_cell(best.get((line, column)), figure) for column in columns] for line in lines]
    return {"across": {"name": across, "values": columns}, "down": {"name": down, "values": lines}, "cells": cells}


def _cell(point: SweepTrialView | None, figure: str) -> dict[str, Any] | None:
    if point is None:
        return None
    return {"number": point.number, "value": point.metrics.get(figure) if figure else point.score}


def _row(sweep_id: UUID) -> Sweep:
    row = Sweep.objects.filter(id=sweep_id).first()
    if row is None:
        raise NotFound(f"There is no sweep {sweep_id}.", where="sweep_id")
    return row


def _view(row: Sweep) -> SweepView:
    best = row.trials.filter(score__isnull=False).order_by("-score", "number").values_list("number", "score").first()
    return SweepView(
        id=row.id,
        state=RunState(row.state),
        strategy=row.strategy,
        symbols=row.symbols,
        timeframe=row.timeframe,
        method=SweepMethod(row.method),
        objective=row.objective,
        space=dict(row.space),
        config=config_from_json(row.config),
        budget=row.budget,
        seed=row.seed,
        progress=Progress(row.progress_done, row.progress_total, row.message),
        best_number=best[0] if best else None,
        best_score=best[1] if best else None,
        overfitting=row.overfitting["probability"] if row.overfitting else None,
        requested_by=row.requested_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=row.error,
    )


def _trial(row: SweepTrial) -> SweepTrialView:
    return SweepTrialView(
        number=row.number,
        state=RunState(row.state),
        parameters=dict(row.parameters),
        score=row.score,
        metrics=dict(row.metrics),
        fills_hash=row.fills_hash,
        error=row.error,
    )
