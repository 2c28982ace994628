"""Declared pages that cannot be reached, or whose drawing does not exist (`manage.py check`, and at every start)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Error, register
from django.urls import resolve

from apps.dashboard.domain.pages import declared_pages
from apps.dashboard.pages import load_pages


def check_declared_pages(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """dashboard.E001 another page has the address; dashboard.E002 the icon is not in the sprite."""
    load_pages()
    found: list[CheckMessage] = []
    icons = _icons()
    for item in declared_pages():
        if resolve(item.address).kwargs.get("item") is not item:
            found.append(
                Error(
                    f"The page {item.title} is declared at {item.address}, which is another page.",
                    hint="Choose another path.",
                    id="dashboard.E001",
                )
            )
        if item.icon not in icons:
            hint = f"Use one of {', '.join(sorted(icons))}."
            found.append(Error(f"The page {item.title} has the icon {item.icon!r}, which is not drawn.", hint=hint, id="dashboard.E002"))
    return found


def register_checks() -> None:
    """Called when the app is ready."""
    register(check_declared_pages, "dashboard")


def _icons() -> set[str]:
    sprite = finders.find("img/icons.svg")
    return set(re.findall(r'<symbol[^>]* id="([a-z-]+)"', Path(sprite).read_text())) if sprite else set()
