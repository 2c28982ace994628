"""Secrets of a local installation: made once, kept in files that only the owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_MISSING = "missing-"


def stand_in_for_missing_secret() -> str:
    """A random value that lets Django load, so that the system check can say what is missing; different in every process, so of no use."""
    return _MISSING + secrets.token_urlsafe(48)


def is_missing_secret(value: str) -> bool:
    """Whether `value` only stands in for a secret that nobody set."""
    return not value or value.startswith(_MISSING)


def local_secret(data_dir: Path, name: str) -> str:
    """The secret `name` of this data directory, created at the first call (mode 0600)."""
    folder = data_dir / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        value = secrets.token_urlsafe(48)
        file.write(value)
    return value


def local_secret_key(data_dir: Path) -> str:
    """Django's SECRET_KEY of this data directory."""
    return local_secret(data_dir, "django-secret-key")
