"""The strategies that ship, one file each. Every module in this folder is loaded when Django starts; a new file is a new strategy."""

from __future__ import annotations

from apps.core.discovery import load_modules


def load_library() -> None:
    """Import every module of this folder, so that its strategies are registered."""
    load_modules(__name__)
