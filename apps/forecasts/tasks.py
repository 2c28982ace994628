"""Celery's edges. Beat calls the sweeper and the retraining; training itself runs on the compute queue, in a child process."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.core.clock import WallClock
from apps.forecasts import services
from apps.forecasts.services.queue import COMPUTE_QUEUE, TRAIN_TASK


@shared_task(name=TRAIN_TASK, queue=COMPUTE_QUEUE, time_limit=600)
def train(*, run_id: str) -> None:
    """Train one requested run; does nothing if it is over or owned by another worker."""
    services.run_training(UUID(run_id))


@shared_task(name="apps.forecasts.tasks.sweep_training", queue="default", time_limit=30)
def sweep_training() -> None:
    """Wake workers for runs that wait or were abandoned."""
    services.sweep_training(now=WallClock().now())


@shared_task(name="apps.forecasts.tasks.retrain_due", queue="default", time_limit=60)
def retrain_due() -> None:
    """Request trainings of venues whose models have grown old by the venue's clock."""
    services.retrain_due()
