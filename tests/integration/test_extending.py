"""README "How to extend": every example is one file or one folder, and works in a copy of the repository without any other change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.readme_examples import examples

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "apps/strategies/library": 2,
    "apps/markets/adapters/coinmetrics": 4,
    "apps/risk/domain/limits": 1,
    "apps/orders/adapters/notebook": 2,
    "apps/dashboard/pages": 1,
}
"""Where the examples go, with how many files each has."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this checkout that git tracks, with the README's examples written among them."""
    target = tmp_path_factory.mktemp("extended") / "project"
    for name in tracked():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    for name, text in shown().items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_text(text)
    return target


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in listed if (ROOT / name).is_file()]


def shown() -> dict[str, str]:
    return examples((ROOT / "README.md").read_text())


def run(copy: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    environment |= {"TRADING_DATA_DIR": str(copy.parent / "data"), "DJANGO_SETTINGS_MODULE": "trading_system.settings.test", **settings}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_each_example_touches_one_folder_and_changes_no_file() -> None:
    new = shown()
    assert not set(new) & set(tracked())
    touched = [str(Path(name).parent) for name in new]
    assert {folder: touched.count(folder) for folder in touched} == FOLDERS


def test_the_examples_are_as_clean_as_the_rest(copy: Path) -> None:
    for check in (["ruff", "check", "--no-cache"], ["ruff", "format", "--check", "--no-cache"]):
        result = run(copy, *check, *shown())
        assert result.returncode == 0, result.stdout
    contracts = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert contracts.returncode == 0, contracts.stdout


def test_the_examples_work_without_a_migration(copy: Path) -> None:
    (copy.parent / "data").mkdir(exist_ok=True)
    database = f"{os.environ.get('DB_NAME', 'trading_system')}_extended"
    result = run(copy, "pytest", "tests/integration/readme_examples.py", "--create-db", "-q", "-p", "no:cacheprovider", DB_NAME=database)
    assert result.returncode == 0, result.stdout
    assert "7 passed" in result.stdout, result.stdout
    unchanged = run(copy, "django", "makemigrations", "--check", "--dry-run")
    assert unchanged.returncode == 0, unchanged.stdout
