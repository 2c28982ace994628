"""Declared pages and their registry: a function that returns blocks, with its address, its place in the navigation and its role."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.access.contracts import Role
from apps.core.errors import InvalidInput
from apps.dashboard.domain.blocks import Block
from apps.markets.contracts import VenueView

_PATH = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class PageContext:
    """What a page is asked for: the venue that is read with its account (None before there is one), and the query of the address."""

    venue: VenueView | None
    account_id: UUID | None
    query: Mapping[str, str]
    now: datetime


PageFunction = Callable[[PageContext], Sequence[Block]]


@dataclass(frozen=True)
class DeclaredPage:
    """A page at /<path>/. `section` is its group in the navigation; empty is the first group."""

    path: str
    title: str
    intro: str
    icon: str
    section: str
    role: Role
    show: PageFunction

    @property
    def address(self) -> str:
        return f"/{self.path}/"


_pages: dict[str, DeclaredPage] = {}


def page(
    *, path: str, title: str, intro: str = "", icon: str = "more", section: str = "", role: Role = Role.VIEWER
) -> Callable[[PageFunction], PageFunction]:
    """Declare a page for everybody with `role`. `icon` names a drawing of static/img/icons.svg."""

    def register(show: PageFunction) -> PageFunction:
        if not _PATH.fullmatch(path):
            raise InvalidInput(f"{path!r} cannot be the path of a page.", hint="Use small letters, digits and dashes.")
        if path in _pages:
            raise InvalidInput(f"Two pages are declared at /{path}/.")
        _pages[path] = DeclaredPage(path, title, intro, icon, section, role, show)
        return show

    return register


def declared_pages() -> tuple[DeclaredPage, ...]:
    """Every declared page, by title."""
    return tuple(sorted(_pages.values(), key=lambda item: item.title))
