"""Template filters for numbers and times, and the tag that writes a stored value so that a machine can compare it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
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
_NAMES = {"symbol", "asset"}


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


@register.filter
def figure_value(item: Figure) -> str:
    """A performance figure in its unit."""
    return _FIGURES[item.definition.unit](item.value)


@register.filter
def bare_percent(value: Any) -> str:
    """A fraction as a percentage with one decimal and no unit, for tables that say it above; empty where it is missing."""
    return formatting.fixed(float(value) * 100, 1) if value is not None else ""


@register.filter
def split(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


@register.filter
def lookup(values: Mapping[str, Any], name: str) -> Any:
    """The value of that name; None where there is none."""
    return values.get(name)


@register.filter
def share(done: int, total: int) -> float:
    """Done of all as a percentage from 0 to 100."""
    return round(100 * min(done / total, 1.0), 1) if total else 0.0


@register.simple_tag
def record_cell(name: str, stored: Any) -> SafeString:
    """A cell of a record's table: numbers at the right with every digit, times to the second, codes in words, names of what is traded as they are."""
    if isinstance(stored, bool):
        return format_html("<td>{}</td>", "yes" if stored else "no")
    if isinstance(stored, int | Decimal):
        return format_html('<td class="num">{}</td>', formatting.plain(stored))
    if isinstance(stored, datetime):
        return format_html('<td class="nowrap">{}</td>', formatting.moment(stored))
    said = stored if name in _NAMES else formatting.words(stored)
    return format_html('<td class="nowrap">{}</td>', said if stored else formatting.DASH)


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
    if status in ("FILLED", "RUNNING", "SUCCEEDED", "CHAMPION", "DONE"):
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
