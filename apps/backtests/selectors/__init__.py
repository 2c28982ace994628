"""Reads of backtests: runs, their records, exports, sweeps and the trial ledger."""

from apps.backtests.domain.by_place import PlaceResult
from apps.backtests.selectors.choices import strategy_choice, strategy_choices
from apps.backtests.selectors.exports import export
from apps.backtests.selectors.lines import lines_of, run_lines, strategies_run
from apps.backtests.selectors.records import equity_rows, record_array, record_columns, record_page, records_of
from apps.backtests.selectors.robustness import CrisisResult, Histories, histories, results_in_crises
from apps.backtests.selectors.runs import progress, run, runs, runs_under_way, tear_sheet
from apps.backtests.selectors.sweeps import heat_map, sweep, sweep_trials, sweeps
from apps.backtests.selectors.trades import held_at_end, places_of, results_by_place, trades_between
from apps.backtests.selectors.trials import families_of, judgement_of_point, strategies_tried, trials
from apps.backtests.selectors.under_way import work_under_way

__all__ = [
    "CrisisResult",
    "Histories",
    "PlaceResult",
    "equity_rows",
    "export",
    "families_of",
    "heat_map",
    "held_at_end",
    "histories",
    "judgement_of_point",
    "lines_of",
    "places_of",
    "progress",
    "record_array",
    "record_columns",
    "record_page",
    "records_of",
    "results_by_place",
    "results_in_crises",
    "run",
    "run_lines",
    "runs",
    "runs_under_way",
    "strategies_run",
    "strategies_tried",
    "strategy_choice",
    "strategy_choices",
    "sweep",
    "sweep_trials",
    "sweeps",
    "tear_sheet",
    "trades_between",
    "trials",
    "work_under_way",
]
