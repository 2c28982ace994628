"""Where one can go: the pages that are listed here, and the declared ones in the group that they name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby

from apps.access.contracts import Role
from apps.dashboard.domain.pages import declared_pages
from apps.dashboard.selectors.overview import chart_path


@dataclass(frozen=True)
class NavItem:
    path: str
    label: str
    icon: str
    key: str = ""
    group: str = ""
    short: str = ""
    is_current: bool = False


@dataclass(frozen=True)
class Jump:
    """An entry of the jump box."""

    path: str
    label: str
    kind: str


_ITEMS = (
    NavItem("/", "Overview", "overview", "g o", short="Overview"),
    NavItem("/chart/", "Chart", "chart", "g c", short="Chart"),
    NavItem("/decisions/", "Decisions", "decisions", "g d", short="Decisions"),
    NavItem("/orders/", "Orders", "orders", "g r", short="Orders"),
    NavItem("/portfolio/", "Portfolio", "portfolio", "g p"),
    NavItem("/models/", "Models", "models", "g m"),
    NavItem("/backtests/", "Backtests", "backtests", "g b"),
    NavItem("/replays/", "Replay runs", "replays"),
)
_OPERATIONS = (
    NavItem("/events/", "Events", "events", "g e", group="Operations"),
    NavItem("/system/", "System", "system", "g s"),
)
_ADMIN = NavItem("/admin/", "Admin", "admin")
_PHONE_TABS = 4


def nav_items(path: str, *, is_staff: bool, may: Callable[[Role], bool]) -> list[NavItem]:
    """The rail of somebody who is staff or not and `may` open what a role opens, with the page that `path` belongs to marked."""
    groups = _declared(may)
    items = [*_ITEMS, *groups.pop("", []), *_OPERATIONS, *groups.pop("Operations", [])]
    for section, added in groups.items():
        items += [replace(added[0], group=section), *added[1:]]
    items += [_ADMIN] if is_staff else []
    return [replace(item, is_current=_is_within(path, item.path)) for item in items]


def _declared(may: Callable[[Role], bool]) -> dict[str, list[NavItem]]:
    """The declared pages by section."""
    allowed = sorted((item for item in declared_pages() if may(item.role)), key=lambda item: item.section)
    by_section = groupby(allowed, key=lambda item: item.section)
    return {section: [NavItem(item.address, item.title, item.icon) for item in items] for section, items in by_section}


def tab_items(items: list[NavItem]) -> list[NavItem]:
    """The first few, for the bar of a phone."""
    return items[:_PHONE_TABS]


def sheet_items(items: list[NavItem]) -> list[NavItem]:
    """The others, behind More."""
    return items[_PHONE_TABS:]


def jumps(items: list[NavItem], symbols: tuple[str, ...]) -> list[Jump]:
    """Pages first, then a chart and the decisions of every instrument."""
    pages = [Jump(item.path, item.label, "page") for item in items]
    return pages + [Jump(chart_path(symbol), symbol, "chart") for symbol in symbols]


def _is_within(path: str, section: str) -> bool:
    return path == "/" if section == "/" else path.startswith(section)
