"""Taking a position back by hand: a page that names effect, size and venue, then one order through the risk gate."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.access.contracts import Role
from apps.core.clock import WallClock
from apps.core.errors import Conflict, NotFound
from apps.core.ids import uuid7
from apps.core.vocabulary import OrderType
from apps.dashboard.selectors.closing import close_plan
from apps.dashboard.selectors.shapes import ClosePlan, Exit
from apps.dashboard.web.context import page_frame
from apps.dashboard.web.guard import page, person, require
from apps.dashboard.web.query import decimal_of, uuid_of
from apps.dashboard.web.views.market import REPEATED
from apps.orders import services as orders
from apps.orders.contracts import ManualOrderResult
from apps.strategies import services as strategies


@page
def close(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Ask what to take back; a POST sends the order for exactly the quantity that was shown."""
    require(request, Role.TRADER)
    frame = page_frame(request)
    if frame.account_id is None or frame.is_past:
        raise NotFound("There is no open account at this market.", where="account")
    plan = close_plan(frame.account_id, instrument_id)
    if request.method != "POST":
        return _show(request, plan, {})
    wanted = _wanted(request, plan)
    if wanted is None:
        problem = "The position or its open orders have changed since the page was made. Nothing was sent; look at the new numbers."
        return _show(request, plan, {"problem": problem}, status=409)
    try:
        result = _send(request, plan, wanted)
    except Conflict as error:
        if error.where != REPEATED:
            raise
        messages.warning(request, "This form was sent before; its order is recorded once.")
        return redirect("dashboard:orders")
    if result.order_id is None:
        return _show(request, plan, {"refusal": result.verdict}, status=422)
    messages.success(request, "The order is recorded; it fills on the next bar at the earliest.")
    return redirect("dashboard:order", result.order_id)


def _wanted(request: HttpRequest, plan: ClosePlan) -> Exit | None:
    """The exit that was confirmed, if it is still one of those that are possible."""
    quantity, share = decimal_of(request.POST, "quantity"), request.POST.get("share", "")
    return next((item for item in plan.exits if (item.share, item.quantity) == (share, quantity)), None)


@transaction.atomic
def _send(request: HttpRequest, plan: ClosePlan, wanted: Exit) -> ManualOrderResult:
    """Stop the sessions first where that was asked for, so that none of them trades against the person."""
    actor = person(request).username
    if request.POST.get("stop_sessions") == "yes":
        for item in plan.sessions:
            strategies.stop_session(session_id=item.id, keep_positions=True, actor=actor, reason=f"{actor} took the position over.")
    return orders.submit_manual_order(
        account_id=plan.position.account_id,
        instrument_id=plan.position.instrument_id,
        side=plan.side,
        order_type=OrderType.MARKET,
        quantity=wanted.quantity,
        actor=actor,
        now=WallClock().now(),
        request_id=uuid_of(request.POST, "request_id"),
    )


def _show(request: HttpRequest, plan: ClosePlan, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return render(request, "dashboard/close.html", {"plan": plan, "request_id": uuid7()} | context, status=status)
