from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from trading_system.settings.celery import broker_url

SHOW = "from trading_system.settings.environment import *; import os; print(os.environ.get('DB_HOST'), os.environ.get('DB_NAME'), DATA_DIR)"


@pytest.mark.parametrize(
    ("redis_url", "celery_url"),
    [
        ("redis://:pw@host:6379/2", "redis://:pw@host:6379/2"),
        ("unix:///tmp/x/redis.sock?db=3", "redis+socket:///tmp/x/redis.sock?virtual_host=3"),
    ],
)
def test_celery_uses_the_same_redis_database(redis_url: str, celery_url: str) -> None:
    assert broker_url(redis_url) == celery_url


def test_every_queue_has_a_supervised_worker_and_the_busy_ones_a_heartbeat() -> None:
    assert [queue.name for queue in settings.CELERY_TASK_QUEUES] == ["default", "data", "compute"]
    assert {entry["options"]["queue"] for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == "common.heartbeat"} == {
        "default",
        "compute",
    }


@pytest.mark.parametrize(("given", "shown"), [({}, "/sockets ours"), ({"DB_HOST": "mine"}, "mine ours")])
def test_a_running_system_tells_its_siblings_where_its_servers_are(tmp_path: Path, given: dict[str, str], shown: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "servers.env").write_text("DB_HOST=/sockets\nDB_NAME=ours\n")
    environment = {"PATH": os.environ["PATH"], "TRADING_DATA_DIR": str(tmp_path)} | given
    root = Path(__file__).resolve().parents[3]
    said = subprocess.run([sys.executable, "-c", SHOW], env=environment, cwd=root, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == f"{shown} {tmp_path}"
