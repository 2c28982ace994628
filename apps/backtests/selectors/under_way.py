"""What waits or runs now, for open pages: read twice a second, so it is one query for each kind."""

from __future__ import annotations

from apps.backtests.contracts import Progress, WorkUnderWay
from apps.backtests.domain.states import RunState
from apps.backtests.models import BacktestRun, Sweep

_OPEN = (RunState.QUEUED, RunState.RUNNING)
_COLUMNS = ("id", "state", "strategy", "symbols", "progress_done", "progress_total", "message")
MOST_SHOWN = 20


def work_under_way() -> list[WorkUnderWay]:
    """Backtests, then sweeps, oldest first, at most twenty of each."""
    found = []
    for kind, model in (("run", BacktestRun), ("sweep", Sweep)):
        rows = model.objects.filter(state__in=_OPEN).order_by("id").values_list(*_COLUMNS)[:MOST_SHOWN]
        for row_id, state, strategy, symbols, done, total, message in rows:
            found.append(WorkUnderWay(kind, row_id, RunState(state), f"{strategy} on {symbols}", Progress(done, total, message)))
    return found
