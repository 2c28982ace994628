"""What every page needs. Worked out only when a template asks for it, so that log-in, error and admin pages cost nothing."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.access.contracts import Role
from apps.core.clock import WallClock
from apps.dashboard.selectors import frame as frames
from apps.dashboard.selectors.shapes import Frame
from apps.dashboard.web import navigation

THEMES = ("dark", "light")


def shell(request: HttpRequest) -> dict[str, Any]:
    """The frame around every page, and what this person may do."""
    user = getattr(request, "user", None)
    theme = request.COOKIES.get("theme", "")
    context: dict[str, Any] = {"theme": theme if theme in THEMES else ""}
    if user is None or not user.is_authenticated:
        return context
    items = navigation.nav_items(request.path, is_staff=user.is_staff, may=user.has_role)
    return context | permissions(user) | {
        "frame": SimpleLazyObject(lambda: page_frame(request)),
        "nav": items,
        "tabs": navigation.tab_items(items),
        "more": navigation.sheet_items(items),
        "jumps": SimpleLazyObject(lambda: navigation.jumps(items, page_frame(request).symbols)),
    }  # fmt: skip


def permissions(user: Any) -> dict[str, bool]:
    """What templates ask of a role."""
    return {
        "can_trade": user.has_role(Role.TRADER),
        "can_reset": user.has_role(Role.RISK),
        "is_admin": user.is_staff and user.has_role(Role.ADMIN),
    }


def page_frame(request: HttpRequest) -> Frame:
    """The frame of this request, worked out once. `?venue=` names a past run; a page about one thing sets its venue by `pin_venue`."""
    found = getattr(request, "_frame", None)
    if found is None:
        pinned = cast("UUID | None", getattr(request, "_venue_id", None))
        found = frames.frame(now=WallClock().now(), venue_code=request.GET.get("venue", ""), venue_id=pinned)
        request._frame = found  # type: ignore[attr-defined]
    return cast("Frame", found)


def pin_venue(request: HttpRequest, venue_id: UUID) -> None:
    """This page is about something of that venue."""
    request._venue_id = venue_id  # type: ignore[attr-defined]
    request._frame = None  # type: ignore[attr-defined]
