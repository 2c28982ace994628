"""The trial ledger: every run ever made."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.backtests import selectors
from apps.dashboard.selectors.shapes import Page
from apps.dashboard.web.guard import page
from apps.dashboard.web.query import integer_of

PAGE_ROWS = 100


@page
def show(request: HttpRequest) -> HttpResponse:
    before = integer_of(request.GET, "before")
    family, strategy = request.GET.get("family", "")[:64], request.GET.get("strategy", "")[:80]
    found = selectors.trials(family=family or None, strategy=strategy or None, before=before, limit=PAGE_ROWS + 1)
    context = {
        "rows": found[:PAGE_ROWS],
        "page": Page(str(found[PAGE_ROWS - 1].position) if len(found) > PAGE_ROWS else "", before is not None),
        "strategies": selectors.strategies_tried(),
        "filters": {"family": family, "strategy": strategy, "is_set": bool(family or strategy)},
    }
    return render(request, "dashboard/backtests/trials.html", context)
