"""What-if: the question of a why page is stored and a worker answers it; the page looks until it has."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.access.contracts import Role
from apps.backtests.services.what_ifs import cancel_what_if, request_what_if
from apps.core.errors import InvalidInput
from apps.dashboard.selectors import why
from apps.dashboard.selectors.shapes import Why
from apps.dashboard.selectors.what_if import what_if_answer, what_if_panel
from apps.dashboard.web.context import pin_venue
from apps.dashboard.web.guard import page, person, require
from apps.dashboard.web.query import uuid_of
from apps.dashboard.web.what_if_form import WhatIfForm


def show_why(request: HttpRequest, chain: Why, *, form: WhatIfForm | None = None) -> HttpResponse:
    """A why page with its what-if; `form` is one that was refused."""
    pin_venue(request, chain.venue_id)
    is_order = chain.list_path == "/orders/"
    panel = what_if_panel(
        chain.decision.id if chain.decision else None,
        order_id=chain.order.id if chain.order and is_order else None,
        shown=uuid_of(request.GET, "what_if"),
        can_ask=person(request).has_role(Role.TRADER),
    )
    shown = form or WhatIfForm.showing(panel.answer.question.changes if panel.answer else {})
    context = {"why": chain, "what_if": panel, "form": shown, "fields": shown.fields, "general_error": shown.errors.get("", "")}
    return render(request, "dashboard/why.html", context, status=400 if form else 200)


@page
def ask(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    """Store the question of the form and go back to the page, which shows how it stands."""
    require(request, Role.TRADER)
    order_id = uuid_of(request.POST, "order")
    if request.method != "POST":
        return redirect("dashboard:decision", decision_id)
    form = WhatIfForm(request.POST.dict())
    changes = form.changes(request.POST)
    if changes is not None:
        try:
            what_if_id = request_what_if(decision_id=decision_id, changes=changes, actor=person(request).username)
        except InvalidInput as error:
            form.complain(error)
        else:
            return redirect(f"{_address(decision_id, order_id)}?what_if={what_if_id}#what-if")
    return show_why(request, why.why_order(order_id) if order_id else why.why_decision(decision_id), form=form)


@page
def answer(request: HttpRequest, what_if_id: UUID) -> HttpResponse:
    """How a question stands, or its answer: the part of the page that is looked at again and again."""
    shown = {
        "answer": what_if_answer(what_if_id),
        "can_ask": person(request).has_role(Role.TRADER),
        "order_id": uuid_of(request.GET, "order"),
    }
    return render(request, "dashboard/why/what_if_answer.html", shown)


@page
def cancel(request: HttpRequest, what_if_id: UUID) -> HttpResponse:
    """Give a question up and go back to its page."""
    require(request, Role.TRADER)
    if request.method == "POST":
        cancel_what_if(what_if_id=what_if_id, actor=person(request).username)
    address = _address(what_if_answer(what_if_id).question.decision_id, uuid_of(request.POST, "order"))
    return redirect(f"{address}?what_if={what_if_id}#what-if")


def _address(decision_id: UUID, order_id: UUID | None) -> str:
    """The why page of a question."""
    return reverse("dashboard:order", args=[order_id]) if order_id else reverse("dashboard:decision", args=[decision_id])
