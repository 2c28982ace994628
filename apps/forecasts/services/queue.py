"""Handing a training run to a worker. The row is the intent: a message that Redis loses is sent again by the sweeper."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

TRAIN_TASK = "apps.forecasts.tasks.train"
COMPUTE_QUEUE = "compute"
_MESSAGE_SECONDS = 120
"""A message older than this is dropped; the sweeper has sent newer ones by then."""
_ONE_TRY: dict[str, Any] = {"max_retries": 0, "interval_start": 0, "socket_connect_timeout": 1}


def enqueue_on_commit(run_id: UUID) -> None:
    """Wake a compute worker for the run once the current transaction has committed."""
    transaction.on_commit(lambda: send_training(run_id))


def send_training(run_id: UUID) -> None:
    """Send the wake-up now; an unreachable Redis is logged and left to the sweeper, without keeping the caller waiting."""
    try:
        with current_app.connection_for_write(transport_options=_ONE_TRY) as connection:
            current_app.send_task(
                TRAIN_TASK,
                kwargs={"run_id": str(run_id)},
                queue=COMPUTE_QUEUE,
                expires=_MESSAGE_SECONDS,
                connection=connection,
                retry=False,
                ignore_result=True,
            )
    except (OperationalError, OSError) as error:
        log.warning("training_wake_up_lost", run_id=str(run_id), error=str(error))
