"""Writes of backtests: asking for runs, making them, stopping and deleting them. Each function is one transaction, except the making."""

from apps.backtests.services.executing import execute_run
from apps.backtests.services.requests import cancel_run, check_request, delete_run, repeat_run, request_run
from apps.backtests.services.sweeper import sweep_runs

__all__ = [
    "cancel_run",
    "check_request",
    "delete_run",
    "execute_run",
    "repeat_run",
    "request_run",
    "sweep_runs",
]
