"""The strategies that ship, one file each. Every module in this folder is loaded when Django starts; a new file is a new strategy."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def load_library() -> None:
    """Import every module of this folder, so that its strategies are registered."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
