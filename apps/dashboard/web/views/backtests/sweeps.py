"""Sweeps: the list, the page of each with its heat map and its coordinates, and their commands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from apps.access.contracts import Role
from apps.backtests import selectors, services
from apps.backtests.contracts import RunState
from apps.core.errors import InvalidInput
from apps.dashboard.selectors import sweeps as pages
from apps.dashboard.selectors.backtests import settings_of
from apps.dashboard.selectors.shapes import Page
from apps.dashboard.web.guard import action, page, person
from apps.dashboard.web.query import integer_of, uuid_of, word_of

PAGE_ROWS = 50


@page
def show_list(request: HttpRequest) -> HttpResponse:
    before = uuid_of(request.GET, "before")
    found = selectors.sweeps(state=word_of(request.GET, "state", RunState), before=before, limit=PAGE_ROWS + 1)
    context = {
        "rows": found[:PAGE_ROWS],
        "page": Page(str(found[PAGE_ROWS - 1].id) if len(found) > PAGE_ROWS else "", before is not None),
        "work": [item for item in selectors.work_under_way() if item.kind == "sweep"],
    }
    return render(request, "dashboard/backtests/sweeps.html", context)


@page
def show(request: HttpRequest, sweep_id: UUID) -> HttpResponse:
    sweep = selectors.sweep(sweep_id)
    names = list(sweep.space)
    most_values = pages.by_values(sweep)
    across = request.GET.get("across") or next(iter(most_values), "")
    down = request.GET.get("down") or next((name for name in most_values if name != across), across)
    figure = request.GET.get("figure", sweep.objective)
    context: dict[str, Any] = {
        "sweep": sweep,
        "names": names,
        "figures": pages.FIGURES_KEPT,
        "chosen": {"across": across, "down": down, "figure": figure},
        "best": pages.best_points(sweep),
        "judgement": pages.judgement(sweep),
        "settings": settings_of(sweep.config),
        "runs": selectors.run_lines(sweep_id=sweep_id, limit=10),
        "work": [item for item in selectors.work_under_way() if item.id == sweep_id],
    }
    if len(names) > 1 and sweep.best_number is not None:
        context["heat"] = pages.heat_map(sweep, across=across, down=down, figure=figure)
    number = integer_of(request.GET, "point")
    if number is not None:
        context["point"] = pages.point(sweep_id, number)
    return render(request, "dashboard/backtests/sweep.html", context)


@page
def data(request: HttpRequest, sweep_id: UUID) -> HttpResponse:
    """Every finished point with its parameters and figures, for the coordinates."""
    return JsonResponse(pages.coordinates(selectors.sweep(sweep_id)))


@action(Role.TRADER)
def run_point(request: HttpRequest, sweep_id: UUID) -> HttpResponse:
    number = integer_of(request.POST, "number")
    if number is None:
        raise InvalidInput("No point is named.", where="number")
    run_id = services.run_point(sweep_id=sweep_id, number=number, actor=person(request).username)
    messages.success(request, f"A whole backtest of point {number} is asked for.")
    return redirect("dashboard:backtest", run_id)


@action(Role.TRADER)
def cancel(request: HttpRequest, sweep_id: UUID) -> HttpResponse:
    state = services.cancel_sweep(sweep_id=sweep_id, actor=person(request).username)
    messages.success(request, "It is over; finished points stay." if state.is_over else "It stops within a second; finished points stay.")
    return redirect("dashboard:sweep", sweep_id)


@action(Role.TRADER)
def delete(request: HttpRequest, sweep_id: UUID) -> HttpResponse:
    services.delete_sweep(sweep_id=sweep_id)
    messages.success(request, "The sweep and its points are deleted; their lines in the trial ledger and the runs made of it stay.")
    return redirect("dashboard:sweeps")
