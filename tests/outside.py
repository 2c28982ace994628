"""Where the outside judges lie: reference data beside the checkout that is not part of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"


def case_path(*parts: str) -> Path:
    """The path of a reference file; skips the test, saying so, where it is not there."""
    path = CASES.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the outside judge {'/'.join(parts)} is not beside this checkout")
    return path
