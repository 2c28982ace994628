from __future__ import annotations

import stat
from pathlib import Path

import pytest

from trading_system.runtime.addresses import named_database, named_redis, write_servers_file


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, ""),
        ({"DB_NAME": "x", "DB_PASS": "y"}, ""),
        ({"DATABASE_URL": "psql://a:b@h/d"}, "postgres://a:b@h/d"),
        ({"DATABASE_URL": "postgres://a:b@h/d", "DB_HOST": "other"}, "postgres://a:b@h/d"),
        ({"DB_HOST": "db", "DB_PASS": "p/w"}, "postgres://trading_system:p%2Fw@db:5432/trading_system"),
        ({"DB_HOST": "/run/pg", "DB_USER": "u", "DB_NAME": "n", "DB_PORT": "5433"}, "postgres://u@%2Frun%2Fpg:5433/n"),
    ],
)
def test_the_database_of_the_environment(environment: dict[str, str], url: str) -> None:
    assert named_database(environment) == url


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, ""),
        ({"REDIS_PASSWORD": "x"}, ""),
        ({"REDIS_URL": "unix:///r.sock?db=3"}, "unix:///r.sock?db=3"),
        ({"REDIS_HOST": "r", "REDIS_PASSWORD": "a@b"}, "redis://:a%40b@r:6379/0"),
        ({"REDIS_HOST": "r", "REDIS_PORT": "6380"}, "redis://r:6380/0"),
    ],
)
def test_the_redis_of_the_environment(environment: dict[str, str], url: str) -> None:
    assert named_redis(environment) == url


def test_the_servers_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "servers.env"
    write_servers_file(path, {"DB_HOST": "/tmp/x", "DB_PASS": "secret"})
    assert path.read_text() == "DB_HOST=/tmp/x\nDB_PASS=secret\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["servers.env"]
