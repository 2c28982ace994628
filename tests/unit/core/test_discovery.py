"""What lies in a folder is found; what is only looked for is not imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from apps.core.discovery import folders_with, load_modules


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "dropped_here"
    for name in ("", "second/", "first/", "unfinished/"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "__init__.py").write_text("")
    for name in ("first/part.py", "second/part.py", "alone.py"):
        (folder / name).write_text("LOADED = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder.name
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_folders_are_found_by_a_file_in_them_without_importing_it(package: str) -> None:
    assert folders_with(package, "part") == ["first", "second"]
    assert not [name for name in sys.modules if name.startswith(f"{package}.")]


def test_every_module_of_a_folder_is_imported(package: str) -> None:
    loaded = load_modules(package)
    assert [module.__name__.rpartition(".")[2] for module in loaded] == ["alone", "first", "second", "unfinished"]
    assert loaded[0].LOADED is True
