"""The chart of an instrument, and an order by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from apps.access.contracts import Role
from apps.core.clock import WallClock
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.ids import uuid7
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.dashboard.selectors import chart as charts
from apps.dashboard.selectors.overview import chart_path
from apps.dashboard.selectors.shapes import Chart, Frame
from apps.dashboard.web.context import page_frame
from apps.dashboard.web.guard import action, back, page, person
from apps.dashboard.web.query import decimal_of, moment_of, uuid_of, word_of
from apps.markets import selectors as markets
from apps.markets.contracts import VenueView
from apps.orders import services as orders
from apps.orders.contracts import Amendment, ExitPrices, ManualOrderResult

REPEATED = "client_order_id"
"""What a Conflict is about when an order was recorded before."""
AMENDABLE = ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent")


@page
def first(request: HttpRequest) -> HttpResponse:
    """The chart that one probably wants."""
    venue = page_frame(request).venue
    symbol = charts.first_symbol(venue.id) if venue else None
    if symbol is None:
        return render(request, "dashboard/chart.html", {"chart": Chart(symbol="")})
    query = request.META.get("QUERY_STRING", "")
    return redirect(f"{chart_path(symbol)}{'?' + query if query else ''}")


@page
def show(request: HttpRequest, symbol: str) -> HttpResponse:
    return render(request, "dashboard/chart.html", {"chart": charts.chart(_venue(request), symbol), "ticket": _ticket({})})


@page
def data(request: HttpRequest, symbol: str) -> HttpResponse:
    """What the script draws; `since` asks for newer bars alone."""
    return JsonResponse(charts.chart_data(_venue(request), symbol, since=moment_of(request.GET, "since")))


@action(Role.TRADER)
def new_order(request: HttpRequest) -> HttpResponse:
    """An order by hand, through the same gate as every session's."""
    instrument_id = uuid_of(request.POST, "instrument")
    if instrument_id is None:
        raise InvalidInput("The order names no instrument.", where="instrument")
    frame = page_frame(request)
    try:
        result = _submit(request, frame, instrument_id)
    except Conflict as error:
        if error.where != REPEATED:
            raise
        messages.warning(request, "This form was sent before; its order is recorded once. It is the newest one here.")
        return redirect("dashboard:orders")
    except InvalidInput as error:
        return _again(request, instrument_id, {"ticket_problem": str(error)}, status=400)
    if result.order_id is None:
        return _again(request, instrument_id, {"refusal": result.verdict}, status=422)
    messages.success(request, "The order is recorded; it fills on the next bar at the earliest.")
    return redirect("dashboard:order", result.order_id)


@action(Role.TRADER)
def cancel_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    orders.request_cancel(order_id=order_id, actor=person(request).username, reason="Cancelled on the page.")
    messages.success(request, "The cancel is recorded.")
    return back(request)


@action(Role.TRADER)
def amend_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Other numbers for an open order; an empty field stays as it is."""
    amendment = Amendment(**{name: decimal_of(request.POST, name) for name in AMENDABLE})
    orders.request_amend(order_id=order_id, amendment=amendment, actor=person(request).username, now=WallClock().now())
    messages.success(request, "The change is recorded; the venue decides whether it comes in time.")
    return redirect("dashboard:order", order_id)


@action(Role.TRADER)
def cancel_all(request: HttpRequest) -> HttpResponse:
    account_id = page_frame(request).account_id
    if account_id is None:
        raise Conflict("There is no account.", where="account")
    count = orders.request_cancel_all(account_id=account_id, actor=person(request).username, reason="All cancelled on the page.")
    messages.success(request, f"{count} cancels are recorded.")
    return back(request)


def _submit(request: HttpRequest, frame: Frame, instrument_id: UUID) -> ManualOrderResult:
    form = request.POST
    quantity = decimal_of(form, "quantity")
    if frame.account_id is None:
        raise Conflict("There is no open account at this market.", where="account")
    if quantity is None:
        raise InvalidInput("The quantity is missing.", where="quantity")
    return orders.submit_manual_order(
        account_id=frame.account_id,
        instrument_id=instrument_id,
        side=word_of(form, "side", Side) or Side.BUY,
        order_type=word_of(form, "order_type", OrderType) or OrderType.MARKET,
        quantity=quantity,
        limit_price=decimal_of(form, "limit_price"),
        stop_price=decimal_of(form, "stop_price"),
        time_in_force=word_of(form, "time_in_force", TimeInForce) or TimeInForce.GTC,
        trail_amount=decimal_of(form, "trail_amount"),
        trail_percent=decimal_of(form, "trail_percent"),
        expires_at=moment_of(form, "expires_at"),
        is_post_only=form.get("is_post_only") == "yes",
        is_reduce_only=form.get("is_reduce_only") == "yes",
        exits=ExitPrices(
            take_profit=decimal_of(form, "take_profit"),
            stop_loss=decimal_of(form, "stop_loss"),
            trail_percent=decimal_of(form, "exit_trail_percent"),
        ),
        actor=person(request).username,
        now=WallClock().now(),
        request_id=uuid_of(form, "request_id"),
    )


def _again(request: HttpRequest, instrument_id: UUID, context: dict[str, Any], *, status: int) -> HttpResponse:
    """The chart with what was typed and why it was not taken."""
    symbol = markets.instrument_spec(instrument_id).symbol
    shown = {"chart": charts.chart(_venue(request), symbol), "ticket": _ticket(request.POST.dict())} | context
    return render(request, "dashboard/chart.html", shown, status=status)


def _ticket(typed: dict[str, Any]) -> dict[str, Any]:
    """The choices, what was typed, and the id by which an order that is sent twice is known."""
    return {"sides": list(Side), "types": list(OrderType), "times": list(TimeInForce), "request_id": uuid7()} | typed


def _venue(request: HttpRequest) -> VenueView:
    venue = page_frame(request).venue
    if venue is None:
        raise NotFound("No market is open yet.", where="venue")
    return venue
