"""Where one can go."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    NavItem("/replays/", "Replay runs", "replays"),
    NavItem("/events/", "Events", "events", "g e", group="Operations"),
    NavItem("/system/", "System", "system", "g s"),
)
_ADMIN = NavItem("/admin/", "Admin", "admin")
_PHONE_TABS = 4


def nav_items(path: str, *, is_staff: bool) -> list[NavItem]:
    """The rail, with the page that `path` belongs to marked."""
    items = [*_ITEMS, _ADMIN] if is_staff else list(_ITEMS)
    return [replace(item, is_current=_is_within(path, item.path)) for item in items]


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
