"""Declared pages, one file each. Every module in this folder is loaded with the addresses; a new file is a new page."""

from __future__ import annotations

from apps.core.discovery import load_modules


def load_pages() -> None:
    """Import every module of this folder, so that its pages are registered."""
    load_modules(__name__)
