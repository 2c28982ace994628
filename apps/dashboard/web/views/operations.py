"""Events, processes and models."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from apps.core.clock import WallClock
from apps.core.errors import InvalidInput
from apps.core.events import Priority
from apps.core.ports import port
from apps.dashboard.ports import SystemStatusSource
from apps.dashboard.selectors import activity
from apps.dashboard.selectors import models as model_selectors
from apps.dashboard.selectors.activity import EventRow
from apps.dashboard.selectors.shapes import Page
from apps.dashboard.web.context import page_frame
from apps.dashboard.web.guard import page
from apps.dashboard.web.query import integer_of
from apps.dashboard.web.tables import csv_download
from apps.events import selectors as events
from apps.markets import selectors as markets

_EVENTS_SHOWN = 100
_EVENTS_EXPORTED = 5_000
_QUARANTINED_SHOWN = 50


@page
def show_events(request: HttpRequest) -> HttpResponse:
    before = integer_of(request.GET, "before")
    found = _rows(request, _EVENTS_SHOWN + 1, before)
    has_more = len(found) > _EVENTS_SHOWN
    filters = {name: request.GET.get(name, "") for name in ("type", "priority", "subject")}
    context = {
        "rows": found[:_EVENTS_SHOWN],
        "page": Page(str(found[_EVENTS_SHOWN - 1].position) if has_more else "", before is not None),
        "head": events.head_position(),
        "filters": filters,
        "types": activity.event_types(),
        "priorities": [item.name for item in Priority],
        "export_path": f"{request.path}export/?{urlencode({name: value for name, value in filters.items() if value})}",
    }
    return render(request, "dashboard/events.html", context)


@page
def export_events(request: HttpRequest) -> HttpResponse:
    """The newest events that fit, as CSV or JSON."""
    rows = _rows(request, _EVENTS_EXPORTED, None)
    if request.GET.get("format") == "json":
        answer = JsonResponse({"events": [item.as_message() for item in rows]})
        answer["Content-Disposition"] = 'attachment; filename="events.json"'
        return answer
    return csv_download("events.csv", ("position", "recorded_at", "occurred_at", "event_type", "actor", "subject", "text"), rows)


@page
def show_system(request: HttpRequest) -> HttpResponse:
    venue = page_frame(request).venue
    context = {
        "system": port(SystemStatusSource).read(now=WallClock().now()),
        "handlers": events.handler_stats(),
        "dead_letters": events.dead_letters(),
        "lag": events.log_lag(),
        "sources": model_selectors.sources(venue.id) if venue else [],
        "quarantined": markets.quarantined(venue.id, _QUARANTINED_SHOWN) if venue else [],
    }
    return render(request, "dashboard/system.html", context)


@page
def show_models(request: HttpRequest) -> HttpResponse:
    venue = page_frame(request).venue
    return render(request, "dashboard/models.html", {"models": model_selectors.models(venue.id if venue else None)})


def _rows(request: HttpRequest, limit: int, before: int | None) -> list[EventRow]:
    subject = request.GET.get("subject", "")
    if subject:
        return list(activity.about(subject))[:limit]
    return activity.newest(limit=limit, before=before, type_filter=request.GET.get("type", ""), priority=_priority(request))


def _priority(request: HttpRequest) -> Priority | None:
    name = request.GET.get("priority", "")
    if name and name not in Priority.__members__:
        raise InvalidInput(f"The level must be one of {', '.join(Priority.__members__)}.", where="priority")
    return Priority[name] if name else None
