"""Which code decided: a short hash over the sources of all apps, so that a stored decision names the code that made it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_APPS = Path(__file__).resolve().parent.parent


@cache
def code_version() -> str:
    """Sixteen hex digits that change with any Python source under `apps/` (tests and migrations left out)."""
    digest = hashlib.blake2b(digest_size=8)
    for source in sorted(_APPS.rglob("*.py")):
        if "migrations" not in source.parts:
            digest.update(str(source.relative_to(_APPS)).encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()
