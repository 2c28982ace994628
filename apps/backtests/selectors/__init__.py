"""Reads of backtests: runs, their records, exports, sweeps and the trial ledger."""

from apps.backtests.selectors.exports import export
from apps.backtests.selectors.records import equity_rows, record_array, record_columns, record_page, records_of
from apps.backtests.selectors.runs import progress, run, runs, runs_under_way, tear_sheet
from apps.backtests.selectors.sweeps import heat_map, sweep, sweep_trials, sweeps
from apps.backtests.selectors.trials import families_of, trials

__all__ = [
    "equity_rows",
    "export",
    "families_of",
    "heat_map",
    "progress",
    "record_array",
    "record_columns",
    "record_page",
    "records_of",
    "run",
    "runs",
    "runs_under_way",
    "sweep",
    "sweep_trials",
    "sweeps",
    "tear_sheet",
    "trials",
]
