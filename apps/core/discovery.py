"""Finding what was dropped into a folder, so that a new file or folder needs no list elsewhere."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType


def load_modules(package: str) -> list[ModuleType]:
    """Import every module of a package, in the order of their names."""
    return [import_module(f"{package}.{module.name}") for module in iter_modules(import_module(package).__path__)]


def folders_with(package: str, module: str) -> list[str]:
    """Names of the sub-packages that have a file `<module>.py`, sorted; none of them is imported."""
    places = [Path(place) for place in import_module(package).__path__]
    return sorted(found.parent.name for place in places for found in place.glob(f"*/{module}.py"))
