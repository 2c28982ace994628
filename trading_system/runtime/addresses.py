"""Which servers are used: those named in the environment, else our own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class ServerAddresses:
    """Addresses as DATABASE_URL and REDIS_URL spell them."""

    database_url: str
    redis_url: str


def named_database(environment: Mapping[str, str]) -> str:
    """The PostgreSQL that the environment names, as a URL; empty when it names none."""
    url = environment.get("DATABASE_URL", "")
    if url:
        return url.replace("psql://", "postgres://", 1) if url.startswith("psql://") else url
    host = environment.get("DB_HOST", "")
    if not host:
        return ""
    user = quote(environment.get("DB_USER") or "trading_system", safe="")
    password = quote(environment.get("DB_PASS", ""), safe="")
    login = f"{user}:{password}" if password else user
    return (
        f"postgres://{login}@{quote(host, safe='')}:{environment.get('DB_PORT') or '5432'}/{environment.get('DB_NAME') or 'trading_system'}"
    )


def named_redis(environment: Mapping[str, str]) -> str:
    """The Redis that the environment names, as a URL; empty when it names none."""
    url = environment.get("REDIS_URL", "")
    host = environment.get("REDIS_HOST", "")
    if url or not host:
        return url
    password = quote(environment.get("REDIS_PASSWORD", ""), safe="")
    return f"redis://{f':{password}@' if password else ''}{host}:{environment.get('REDIS_PORT') or '6379'}/0"


def write_private(path: Path, text: str) -> None:
    """Replace `path` in one step with a file that only we can read."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)


def write_servers_file(path: Path, settings: Mapping[str, str]) -> None:
    """Tell later `manage.py` commands where the servers are (see settings/environment.py)."""
    write_private(path, "".join(f"{name}={value}\n" for name, value in settings.items()))
