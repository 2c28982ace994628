"""The Celery application of the project, with the runner for tests: what the killed worker of test_killed_worker runs."""

from __future__ import annotations

import django

django.setup()

from apps.backtests.domain import runners  # noqa: E402
from tests.integration.backtests.cross_runner import install  # noqa: E402
from trading_system.celery import app  # noqa: E402

runners.modes()
install()

__all__ = ["app"]
