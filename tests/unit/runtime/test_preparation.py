from __future__ import annotations

from pathlib import Path

import pytest

from trading_system.runtime import preparation
from trading_system.runtime.preparation import is_schema_current, schema_fingerprint, stamp_schema


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    migrations = tmp_path / "apps" / "orders" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_initial.py").write_text("operations = []\n")
    monkeypatch.setattr(preparation, "BASE_DIR", tmp_path)
    return migrations


def test_a_database_is_current_until_something_changes(project: Path, tmp_path: Path) -> None:
    stamp = tmp_path / "schema.stamp"
    url = "postgres://u:p@h/d"
    assert not is_schema_current(stamp, schema_fingerprint(url))
    stamp_schema(stamp, schema_fingerprint(url))
    assert is_schema_current(stamp, schema_fingerprint(url))
    assert is_schema_current(stamp, schema_fingerprint("postgres://u:other-password@h/d"))
    assert not is_schema_current(stamp, schema_fingerprint("postgres://u:p@h/other"))
    (project / "0002_more.py").write_text("operations = []\n")
    assert not is_schema_current(stamp, schema_fingerprint(url))
