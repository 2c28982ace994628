"""What stands beside the result of a run: stress, re-runs by chance, kinds of market; computed by the worker, kept with the tear sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from apps.backtests.domain.config import RunConfig
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.regime_report import market_table
from apps.backtests.domain.rerunning import rerun, rerun_kinds
from apps.backtests.domain.runners import IsCancelled, Runner
from apps.backtests.domain.steps import Steps
from apps.backtests.domain.stress_report import StressPlan, stress_plan, stress_rows
from apps.markets.contracts import BarWindow


class RobustnessPlan:
    """What is to be worked out for a run, known before it is made: so many more runs over the same bars."""

    def __init__(self, config: RunConfig, bars: Sequence[BarWindow]) -> None:
        self._config, self._bars = config, bars
        self._stress: StressPlan = stress_plan(config, bars)
        self._kinds = rerun_kinds(config)

    @property
    def runs(self) -> int:
        """Runs beside the run itself."""
        return len(self._stress.shocks) + len(self._kinds) * self._config.robustness.reruns.count

    def compute(
        self, records: RunRecords, *, runner: Runner, steps: Steps, is_cancelled: IsCancelled, say: Callable[[str], None]
    ) -> dict[str, Any]:
        """Parts of the tear sheet, as JSON: `stress` (rows) with `stress_note`, `reruns` (a report by kind), `markets` (rows) with
        `markets_note`. A note says in words why rows are missing. `say` hears what goes on. Raises RunCancelled."""
        table = market_table(self._config, self._bars, records)
        if self._stress.shocks:
            say("Stress: the run with a crisis in its bars")
        rows = stress_rows(
            self._config, self._bars, records, self._stress, runner=runner, steps=steps, is_cancelled=is_cancelled
        )  # fmt: skip
        reports = []
        for kind in self._kinds:
            say(f"Running again with random {kind}")
            reports.append(rerun(kind, self._config, self._bars, records, runner=runner, steps=steps, is_cancelled=is_cancelled))
        return {
            "stress": rows, "stress_note": self._stress.note, "reruns": reports, "markets": table.rows, "markets_note": table.note
        }  # fmt: skip
