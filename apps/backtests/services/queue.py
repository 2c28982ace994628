"""Handing work to a worker. The row is the intent: a message that Redis loses is sent again by the sweeper."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

COMPUTE_QUEUE = "compute"
RUN_TASK = "apps.backtests.tasks.run_backtest"
CHUNK_TASK = "apps.backtests.tasks.run_sweep_chunk"
WHAT_IF_TASK = "apps.backtests.tasks.answer_what_if"
PARITY_TASK = "apps.backtests.tasks.check_parity"
_MESSAGE_SECONDS = 600
"""A message older than this is dropped; the sweeper has sent newer ones by then."""
_ONE_TRY: dict[str, Any] = {"max_retries": 0, "interval_start": 0, "socket_connect_timeout": 1}


def send_on_commit(task: str, **ids: UUID) -> None:
    """Wake a compute worker once the current transaction has committed."""
    transaction.on_commit(lambda: send(task, **ids))


def ask_for_parity(account_id: UUID, day: date | None = None) -> None:
    """Have a worker compare an account's finished days, or that day once more."""
    send(PARITY_TASK, account_id=account_id, **({"day": day.isoformat()} if day else {}))


def send(task: str, **ids: UUID | str) -> None:
    """Send the wake-up now; an unreachable Redis is logged and left to the sweeper, without keeping the caller waiting."""
    try:
        with current_app.connection_for_write(transport_options=_ONE_TRY) as connection:
            current_app.send_task(
                task,
                kwargs={name: str(value) for name, value in ids.items()},
                queue=COMPUTE_QUEUE,
                expires=_MESSAGE_SECONDS,
                connection=connection,
                retry=False,
                ignore_result=True,
            )
    except (OperationalError, OSError) as error:
        log.warning("backtest_wake_up_lost", task=task, error=str(error), **{name: str(value) for name, value in ids.items()})
