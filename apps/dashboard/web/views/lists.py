"""Decisions and orders: lists with filters in the address, downloads, and the page that explains each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.dashboard.selectors import why
from apps.dashboard.selectors.shapes import Page
from apps.dashboard.web.context import page_frame
from apps.dashboard.web.guard import page
from apps.dashboard.web.query import uuid_of, word_of
from apps.dashboard.web.tables import MAX_EXPORTED, csv_download
from apps.dashboard.web.views.what_if import show_why
from apps.markets import selectors as markets
from apps.orders import selectors as orders
from apps.orders.contracts import OPEN_STATUSES, OrderStatus, OrderView
from apps.strategies import selectors as strategies
from apps.strategies.contracts import Outcome
from apps.strategies.selectors import DecisionView

T = TypeVar("T", DecisionView, OrderView)
PAGE_ROWS = 50
_EXPORT_PAGE = 500
_DECISION_COLUMNS = (
    "id",
    "bar_at",
    "symbol",
    "strategy",
    "outcome",
    "sentence",
    "close",
    "position_before",
    "risk_factor",
    "forecast_id",
    "verdict_id",
    "order_id",
    "decided_at",
)
_ORDER_COLUMNS = (
    "id",
    "market_at",
    "symbol",
    "side",
    "order_type",
    "quantity",
    "filled_quantity",
    "average_price",
    "limit_price",
    "stop_price",
    "status",
    "status_reason",
    "origin",
    "origin_id",
    "decision_id",
    "reason",
    "created_at",
    "updated_at",
)


@page
def show_decisions(request: HttpRequest) -> HttpResponse:
    before = uuid_of(request.GET, "before")
    found = _decisions(request)(before, PAGE_ROWS + 1)
    venue = page_frame(request).venue
    context = {
        "rows": found[:PAGE_ROWS],
        "page": _page(found, is_paged=before is not None),
        "sessions": strategies.sessions(venue.id) if venue else [],
        "outcomes": list(Outcome),
        "filters": {
            "session_id": uuid_of(request.GET, "session"),
            "outcome": request.GET.get("outcome", ""),
            "is_set": bool(request.GET.get("session") or request.GET.get("outcome")),
        },
        "export_path": _export_path(request),
    }
    return render(request, "dashboard/decisions.html", context)


@page
def export_decisions(request: HttpRequest) -> HttpResponse:
    return csv_download("decisions.csv", _DECISION_COLUMNS, _all(_decisions(request)))


@page
def show_decision(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    return show_why(request, why.why_decision(decision_id))


@page
def show_orders(request: HttpRequest) -> HttpResponse:
    before = uuid_of(request.GET, "before")
    found = _orders(request)(before, PAGE_ROWS + 1)
    frame = page_frame(request)
    context = {
        "rows": found[:PAGE_ROWS],
        "page": _page(found, is_paged=before is not None),
        "symbols": frame.symbols,
        "statuses": list(OrderStatus),
        "open_count": frame.open_orders,
        "filters": {
            "symbol": request.GET.get("symbol", ""),
            "status": request.GET.get("status", ""),
            "is_set": bool(request.GET.get("symbol") or request.GET.get("status")),
        },
        "export_path": _export_path(request),
    }
    return render(request, "dashboard/orders.html", context)


@page
def export_orders(request: HttpRequest) -> HttpResponse:
    return csv_download("orders.csv", _ORDER_COLUMNS, _all(_orders(request)))


@page
def show_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    return show_why(request, why.why_order(order_id))


def _decisions(request: HttpRequest) -> Callable[[UUID | None, int], list[DecisionView]]:
    """Reads a page of the decisions that the address asks for."""
    venue = page_frame(request).venue
    session_id, outcome = uuid_of(request.GET, "session"), word_of(request.GET, "outcome", Outcome)

    def read(before: UUID | None, limit: int) -> list[DecisionView]:
        if venue is None:
            return []
        return strategies.decisions(venue_id=venue.id, session_id=session_id, outcome=outcome, before=before, limit=limit)

    return read


def _orders(request: HttpRequest) -> Callable[[UUID | None, int], list[OrderView]]:
    """Reads a page of the orders that the address asks for."""
    frame = page_frame(request)
    symbol, wanted = request.GET.get("symbol", ""), request.GET.get("status", "")
    statuses = _statuses(request, wanted)
    instrument_id = markets.instrument_by_symbol(frame.venue.id, symbol).id if symbol and frame.venue else None

    def read(before: UUID | None, limit: int) -> list[OrderView]:
        if frame.account_id is None:
            return []
        return orders.orders(account_id=frame.account_id, instrument_id=instrument_id, statuses=statuses, before=before, limit=limit)

    return read


def _statuses(request: HttpRequest, wanted: str) -> Collection[OrderStatus] | None:
    """One status, OPEN for all that may still trade, None for every status."""
    if wanted == "OPEN":
        return OPEN_STATUSES
    status = word_of(request.GET, "status", OrderStatus)
    return {status} if status else None


def _all(read: Callable[[UUID | None, int], list[T]]) -> Iterator[T]:
    """Every row, page by page, up to what a download may hold."""

    def pages() -> Iterator[T]:
        before: UUID | None = None
        while rows := read(before, _EXPORT_PAGE):
            yield from rows
            before = rows[-1].id

    return islice(pages(), MAX_EXPORTED)


def _page(found: list[Any], *, is_paged: bool) -> Page:
    has_more = len(found) > PAGE_ROWS
    return Page(next_cursor=str(found[PAGE_ROWS - 1].id) if has_more else "", is_paged=is_paged)


def _export_path(request: HttpRequest) -> str:
    query = {name: value for name, value in request.GET.items() if name != "before" and value}
    return f"{request.path}export.csv?{urlencode(query)}"
