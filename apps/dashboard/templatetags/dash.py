"""Template filters for numbers and times, and the tag that writes a stored value so that a machine can compare it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import template
from django.http import QueryDict
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.dashboard.domain import formatting
from apps.markets.selectors import instrument_spec
from apps.portfolio.contracts import Figure, FigureUnit

register = template.Library()

for _name in (
    "plain",
    "fixed",
    "signed",
    "percent",
    "signed_percent",
    "significant",
    "tone",
    "arrow",
    "when",
    "moment",
    "raw",
    "words",
    "brief",
):
    register.filter(_name, getattr(formatting, _name))
register.filter("seconds", formatting.seconds_words)


@register.filter
def price(value: Any, instrument_id: UUID) -> str:
    """A price with the decimals that the instrument's prices have."""
    return formatting.price(value, instrument_spec(instrument_id).tick_size)


_WRITERS: dict[str, Callable[[Any], str]] = {
    "plain": formatting.plain,
    "money": formatting.fixed,
    "signed": formatting.signed,
    "percent": formatting.percent,
    "signed_percent": formatting.signed_percent,
    "number": formatting.significant,
    "moment": formatting.moment,
    "words": formatting.words,
    "yes": lambda value: "yes" if value else "no",
    "text": lambda value: formatting.raw(value) or formatting.DASH,
}
_TONED = {"signed", "signed_percent"}


@register.simple_tag(takes_context=True)
def value(context: template.Context, field: str, stored: Any, style: str = "plain", prefix: str = "") -> SafeString:
    """A stored value with its field name and raw text beside what is shown."""
    name = f"{prefix}{field}"
    shown = formatting.when(stored, context["frame"].timeframe) if style == "when" else _WRITERS[style](stored)
    if style in _TONED:
        mark = formatting.arrow(stored)
        return format_html(
            '<span data-field="{}" data-value="{}" class="{}">{}{}</span>',
            name,
            formatting.raw(stored),
            formatting.tone(stored),
            format_html('<span class="arrow" aria-hidden="true">{}</span>', mark) if mark else "",
            shown,
        )
    return format_html('<span data-field="{}" data-value="{}">{}</span>', name, formatting.raw(stored), shown)


_FIGURES: dict[FigureUnit, Callable[[Any], str]] = {
    FigureUnit.PERCENT: formatting.percent,
    FigureUnit.RATIO: lambda value: formatting.fixed(value, 2),
    FigureUnit.MONEY: formatting.fixed,
    FigureUnit.DAYS: formatting.days,
    FigureUnit.COUNT: formatting.plain,
}


@register.simple_tag
def figure(item: Figure) -> SafeString:
    """A performance figure in its unit, with its name and raw value beside what is shown."""
    key, shown = item.definition.key, _FIGURES[item.definition.unit](item.value)
    return format_html('<span data-field="figures.{}" data-value="{}">{}</span>', key, formatting.raw(item.value), shown)


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A drawing of the sprite."""
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', extra, static("img/icons.svg"), name)


@register.simple_tag(takes_context=True)
def here(context: template.Context, **changes: Any) -> str:
    """This page's address with some of its query changed; None or an empty text removes a key."""
    request = context["request"]
    query: QueryDict = request.GET.copy()
    for key, wanted in changes.items():
        if wanted in (None, ""):
            query.pop(key, None)
        else:
            query[key] = str(wanted)
    return f"{request.path}?{query.urlencode()}" if query else str(request.path)


@register.simple_tag(takes_context=True)
def within(context: template.Context, path: str) -> str:
    """`path`, staying in the past run that is being read."""
    frame = context.get("frame")
    return f"{path}?{urlencode({'venue': frame.venue.code})}" if frame and frame.is_past else path


@register.filter
def outcome_tone(outcome: str) -> str:
    """The tag class of a decision's outcome."""
    if outcome == "TRADE":
        return "tag-accent"
    if outcome in ("REFUSED_BY_RISK", "FAILED", "HALTED"):
        return "tag-bad"
    if outcome in ("FORECAST_REFUSED", "LATE_BAR", "TOO_SMALL"):
        return "tag-warn"
    return ""


@register.filter
def status_tone(status: str) -> str:
    """The tag class of an order's, session's or run's state."""
    if status in ("FILLED", "RUNNING", "SUCCEEDED", "CHAMPION"):
        return "tag-ok"
    if status in ("REJECTED", "UNKNOWN", "FAILED"):
        return "tag-bad"
    if status in ("PARTIALLY_FILLED", "CANCEL_PENDING", "STOPPING", "PAUSED", "PREPARING", "QUEUED"):
        return "tag-warn"
    return ""


@register.filter
def side_tone(side: str) -> str:
    """Blue for buy and long, orange for sell and short."""
    if side in ("BUY", "LONG", "UP"):
        return "tag-up"
    return "tag-down" if side in ("SELL", "SHORT", "DOWN") else ""


@register.filter
def side_arrow(side: str) -> str:
    """▲ for buy and long, ▼ for sell and short."""
    if side in ("BUY", "LONG", "UP"):
        return "▲"
    return "▼" if side in ("SELL", "SHORT", "DOWN") else "■"
