"""Celery: named queues, JSON only, late acknowledgement, hard time limits, Beat's schedule in the database."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab
from kombu import Queue

from trading_system.settings.environment import env
from trading_system.settings.redis import REDIS_URL


def broker_url(redis_url: str) -> str:
    """`redis_url` as Celery writes it: sockets have a scheme of their own there, and their database is a "virtual host"."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 900
"""Seconds; tasks name shorter ones. There is no soft limit for all: it would have to be below the shortest hard one."""
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_QUEUES = [Queue("default"), Queue("data"), Queue("compute")]
"""A plain `celery -A trading_system worker` serves all of them; `manage.py up` runs one worker for the first two and one for the last."""
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 1200,
    "global_keyprefix": env.str("CELERY_KEY_PREFIX", default="celery:"),
}
CELERY_IMPORTS = ["trading_system.runtime.warming"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "trading_system.runtime.beat:HeartbeatScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
"""Seconds between looks at the schedule, which is kept in the database and edited in the admin."""
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    f"heartbeat of the workers of {queue}": {
        "task": "common.heartbeat",
        "schedule": 10.0,
        "options": {"queue": queue, "expire_seconds": 10},
    }
    for queue in ("default", "compute")
}
CELERY_BEAT_SCHEDULE |= {
    "wake trainings that wait or were abandoned": {
        "task": "apps.forecasts.tasks.sweep_training",
        "schedule": 20.0,
        "options": {"queue": "default", "expire_seconds": 20},
    },
    "train models anew that are old by their venue's clock": {
        "task": "apps.forecasts.tasks.retrain_due",
        "schedule": 15.0,
        "options": {"queue": "default", "expire_seconds": 15},
    },
}
CELERY_BEAT_SCHEDULE |= {
    "pull candles that live venues miss": {
        "task": "markets.pull_candles",
        "schedule": 30.0,
        "options": {"queue": "data", "expire_seconds": 30},
    },
}
CELERY_BEAT_SCHEDULE |= {
    "forget failed log-ins, used keys and expired tokens": {
        "task": "access.forget_expired",
        "schedule": 3600.0,
        "options": {"queue": "default", "expire_seconds": 3600},
    },
}
CELERY_BEAT_SCHEDULE |= {
    "wake backtests that wait or were abandoned": {
        "task": "apps.backtests.tasks.sweep_backtests",
        "schedule": 20.0,
        "options": {"queue": "default", "expire_seconds": 20},
    },
}
CELERY_BEAT_SCHEDULE |= {
    "compare the finished days of paper accounts with their repetition": {
        "task": "apps.backtests.tasks.check_parity",
        "schedule": crontab(minute="10", hour="0"),
        "options": {"queue": "compute", "expire_seconds": 6 * 3600},
    },
}
