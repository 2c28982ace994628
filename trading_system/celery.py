"""The Celery application. Tasks are edges: ids in, one service call, idempotent, named queue, time limit."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_system.settings.dev")

app = Celery("trading_system")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
