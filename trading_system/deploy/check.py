"""`make check`: every static check, all of them run and reported, two at a time. Standard library only."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = [sys.executable, "-m"]
MANAGE = [sys.executable, "manage.py"]


def production_environment() -> dict[str, str]:
    """What a production start must be given, with invented values: enough for `check --deploy`, which connects to nothing."""
    return {
        "DJANGO_SETTINGS_MODULE": "trading_system.settings.production",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "trading.example.org",
        "CSRF_TRUSTED_ORIGINS": "https://trading.example.org",
        "DB_PASS": secrets.token_urlsafe(16),
        "REDIS_PASSWORD": secrets.token_urlsafe(16),
    }


CHECKS: list[tuple[str, list[str], dict[str, str]]] = [
    ("mypy", [*PYTHON, "mypy", "apps", "trading_system", "manage.py"], {}),
    ("ruff check", [*PYTHON, "ruff", "check", "."], {}),
    ("ruff format", [*PYTHON, "ruff", "format", "--check", "."], {}),
    ("import contracts", [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"], {}),
    ("migrations", [*MANAGE, "makemigrations", "--check", "--dry-run"], {"DJANGO_SETTINGS_MODULE": "trading_system.settings.test"}),
    ("deploy check", [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"], production_environment()),
]


def main() -> int:
    """Run all; 1 when any failed."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(_run, CHECKS))
    failed = [name for name, succeeded in results if not succeeded]
    print(f"{len(results) - len(failed)} of {len(results)} checks passed" + (f"; failed: {', '.join(failed)}" if failed else ""))  # noqa: T201
    return 1 if failed else 0


def _run(check: tuple[str, list[str], dict[str, str]]) -> tuple[str, bool]:
    name, command, environment = check
    began = time.monotonic()
    finished = subprocess.run(
        command, check=False, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    succeeded = finished.returncode == 0
    report = f"{'pass' if succeeded else 'FAIL'}  {name} ({time.monotonic() - began:.1f} s)\n"
    sys.stdout.write(report if succeeded else f"{report}{finished.stdout}\n")
    sys.stdout.flush()
    return name, succeeded


if __name__ == "__main__":
    sys.exit(main())
