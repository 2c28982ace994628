"""Where a local installation keeps things, and which user its servers run as.

Everything lives below one data directory. Two things may have to live elsewhere: sockets (their paths are limited to 107 bytes), and, when we
are root, the servers' data and programs, because PostgreSQL refuses to run as root and the user it runs as may not reach the data directory.
Parent directories are never opened to others for that.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trading_system.runtime.children import Account, account_named, run_as
from trading_system.runtime.programs import plain_environment
from trading_system.runtime.refusals import StartRefused
from trading_system.runtime.secrets import local_secret

_ROOT_HOMES = (Path("/var/lib/trading-system"), Path("/var/tmp/trading-system"))  # noqa: S108 - created 0711 with private folders inside
_POINTER = "servers-elsewhere"
"""File in the data directory that names the home, when that is not below it."""
_UNPRIVILEGED = "nobody"
MINIMUM_FREE_BYTES = 300 * 1024 * 1024


@dataclass(frozen=True)
class DataPlaces:
    """The folders of one data directory."""

    root: Path

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def lock_file(self) -> Path:
        return self.run / "up.lock"

    @property
    def servers_file(self) -> Path:
        return self.run / "servers.env"

    @property
    def processes_file(self) -> Path:
        return self.run / "processes.json"

    def create(self) -> None:
        """Make the folders. Refuses when the directory cannot be written or its disk is full."""
        try:
            for folder in (self.root, self.run, self.logs, self.root / "static"):
                folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.run) as probe:
                probe.write(b"x" * 4096)
                probe.flush()
        except OSError as error:
            raise StartRefused(
                f"The data directory {self.root} cannot be written: {error.strerror or error}.",
                hint="Free some space, change its owner, or choose another one with --data-dir.",
            ) from error
        refuse_full_disk(self.root)


@dataclass(frozen=True)
class ServerPlaces:
    """Where the servers of one data directory live."""

    account: Account | None
    home: Path
    """Holds the cluster in `postgres`; belongs to the account, mode 0700."""
    copies: Path
    """Where programs are copied to when the account cannot reach the wheels."""
    sockets: Path
    """A short private folder."""

    def create(self) -> None:
        for folder in (self.home, self.sockets):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._own(folder)

    def _own(self, folder: Path) -> None:
        state = folder.lstat()
        owner = self.account.uid if self.account else os.geteuid()
        if folder.is_symlink() or state.st_uid not in (owner, os.geteuid()):
            raise StartRefused(f"{folder} belongs to another user.", hint="Remove it, or choose another data directory with --data-dir.")
        if self.account:
            os.chown(folder, self.account.uid, self.account.gid)
        folder.chmod(0o700)


def refuse_full_disk(folder: Path) -> None:
    """Refuse when less is free than PostgreSQL needs to start and write."""
    free = shutil.disk_usage(folder).free
    if free < MINIMUM_FREE_BYTES:
        raise StartRefused(
            f"The disk of {folder} is full: {free // 1_048_576} MB are free, {MINIMUM_FREE_BYTES // 1_048_576} MB are needed.",
            hint="Free some space or choose another disk with --data-dir.",
        )


def server_places(data_dir: Path) -> ServerPlaces:
    """The places of the servers of `data_dir`, the same ones at every start."""
    inside = data_dir / "servers"
    existing = inside if _has_cluster(inside) else _outside_home(data_dir)
    account = _account_for(existing)
    home = existing or (inside if account is None else _new_home(data_dir, account))
    copies = data_dir / "programs" if home == inside else home.parent / "programs"
    return ServerPlaces(account, home, copies, sockets=short_folder(f"{data_dir}|{local_secret(data_dir, 'sockets')}"))


def outside_paths(data_dir: Path) -> list[Path]:
    """What belongs to `data_dir` but does not live below it (to be removed with it)."""
    home = _outside_home(data_dir)
    return [home, _owner_file(home)] if home else []


def short_folder(scope: str) -> Path:
    """A folder name for sockets that nobody can guess who does not know `scope`, short enough for any socket in it."""
    base = Path("/tmp") if os.access("/tmp", os.W_OK | os.X_OK) else Path(tempfile.gettempdir())  # noqa: S108 - unguessable name, mode 0700
    return base / f"trading-{hashlib.blake2b(scope.encode(), digest_size=8).hexdigest()}"


def can_reach(folder: Path, account: Account | None) -> bool:
    """Whether `account` can enter `folder`. Refuses when we may not start programs as that user."""
    try:
        code, _ = run_as(["test", "-x", str(folder)], account=account, directory=Path("/"), environment=plain_environment())
    except PermissionError as error:
        raise StartRefused(
            f"The servers cannot be started as the user {account.name if account else 'that started this'}: {error.strerror}.",
            hint="Start as an ordinary user, or set DATABASE_URL and REDIS_URL.",
        ) from error
    return code == 0


def _outside_home(data_dir: Path) -> Path | None:
    """The home elsewhere that `data_dir` points to. A moved directory keeps its home; a copied one does not share it."""
    try:
        home = Path((data_dir / _POINTER).read_text())
        owner = Path(_owner_file(home).read_text())
    except FileNotFoundError:
        return None
    if owner != data_dir:
        if (owner / _POINTER).exists():
            return None
        _owner_file(home).write_text(str(data_dir))
    return home


def _owner_file(home: Path) -> Path:
    return home.with_name(f"{home.name}.owner")


def _has_cluster(home: Path) -> bool:
    return (home / "postgres" / "PG_VERSION").exists() or (home.exists() and not os.access(home, os.X_OK))


def _account_for(existing: Path | None) -> Account | None:
    """Ourselves, or, when we are root, the owner of the existing data, else the unprivileged user. Refuses what cannot work."""
    owner = existing.stat().st_uid if existing else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise StartRefused(
                f"The database in {existing} belongs to the user {_name_of(owner or 0)}.",
                hint="Start as that user (or as root), or choose another directory with --data-dir.",
            )
        return None
    if owner:
        return account_named(_name_of(owner)) or Account(str(owner), owner, owner)
    return server_account()


def server_account() -> Account | None:
    """Who runs new servers: ourselves, or an unprivileged user when we are root."""
    if os.geteuid() != 0:
        return None
    account = account_named(_UNPRIVILEGED)
    if account is None:
        raise StartRefused(
            f"PostgreSQL does not run as root and this machine has no user {_UNPRIVILEGED}.",
            hint="Start as an ordinary user, or set DATABASE_URL.",
        )
    return account


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _new_home(data_dir: Path, account: Account) -> Path:
    """In the data directory if `account` can enter it, else a folder of its own where it can, remembered in the data directory."""
    if can_reach(data_dir, account):
        return data_dir / "servers"
    for root in _ROOT_HOMES:
        with suppress(OSError):
            root.mkdir(parents=True, exist_ok=True)
            root.chmod(0o711)
            if can_reach(root, account):
                home = root / secrets.token_hex(5)
                _owner_file(home).write_text(str(data_dir))
                (data_dir / _POINTER).write_text(str(home))
                return home
    raise StartRefused(
        f"No place was found where the user {account.name} can keep the database.",
        hint="Start as an ordinary user, or set DATABASE_URL and REDIS_URL.",
    )
