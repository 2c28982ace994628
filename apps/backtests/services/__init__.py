"""Writes of backtests: asking for runs and sweeps, making them, stopping and deleting them."""

from apps.backtests.services.comparing import compare_run, read_history, read_uploaded_history
from apps.backtests.services.executing import execute_run
from apps.backtests.services.loading import load_bars
from apps.backtests.services.requests import cancel_run, check_request, delete_run, fastest_mode, repeat_run, request_run
from apps.backtests.services.sweeper import sweep_chunks, sweep_runs
from apps.backtests.services.sweeping import execute_chunk
from apps.backtests.services.sweeps import cancel_sweep, delete_sweep, request_sweep, run_point

__all__ = [
    "cancel_run",
    "cancel_sweep",
    "check_request",
    "compare_run",
    "delete_run",
    "delete_sweep",
    "execute_chunk",
    "execute_run",
    "fastest_mode",
    "load_bars",
    "read_history",
    "read_uploaded_history",
    "repeat_run",
    "request_run",
    "request_sweep",
    "run_point",
    "sweep_chunks",
    "sweep_runs",
]
