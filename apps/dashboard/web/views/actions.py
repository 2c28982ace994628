"""Commands: the transport, the halt, stopping a session. Each records an intent and returns."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.access.contracts import Role
from apps.core.clock import WallClock
from apps.core.errors import Conflict, InvalidInput
from apps.dashboard.web.context import page_frame
from apps.dashboard.web.guard import action, back, page, person, require
from apps.dashboard.web.query import date_of, decimal_of
from apps.markets import services as markets
from apps.markets.contracts import VenueView
from apps.orders import selectors as orders
from apps.portfolio import selectors as portfolio
from apps.risk import selectors as risk_selectors
from apps.risk import services as risk
from apps.strategies import services as strategies

_SHORTEST_REASON = 3
_LONGEST_REASON = 300
_CLOCK_ACTIONS = ("pause", "resume", "step")


@action(Role.TRADER)
def transport(request: HttpRequest) -> HttpResponse:
    """Pause, resume, step, speed, jump or restart the present replay."""
    frame = page_frame(request)
    if frame.venue is None or not frame.has_transport:
        raise Conflict("Only the present replay can be moved.", where="venue")
    command = request.POST.get("action", "")
    actor = person(request).username
    if command in _CLOCK_ACTIONS:
        markets.command_clock(venue_id=frame.venue.id, action=command, actor=actor)
    elif command == "speed":
        speed = decimal_of(request.POST, "bars_per_second")
        markets.command_clock(venue_id=frame.venue.id, action="speed", bars_per_second=speed, actor=actor)
    elif command == "jump":
        _jump(request, frame.venue, actor)
    elif command == "restart":
        _restart(request, frame.venue, actor)
    else:
        raise InvalidInput("The transport knows pause, resume, step, speed, jump and restart.", where="action")
    return back(request)


@page
def halt(request: HttpRequest) -> HttpResponse:
    """The halt form; a POST engages it and shows the result."""
    if request.method != "POST":
        return render(request, "dashboard/halt.html")
    require(request, Role.TRADER)
    reason = _reason(request)
    if not reason:
        context = {"problem": "Type a reason of at least three letters; it is kept on the log. Nothing was stopped."}
        return render(request, "dashboard/halt.html", context, status=400)
    halt_id = risk.engage_halt(
        actor=person(request).username, reason=reason, now=WallClock().now(), flatten=request.POST.get("flatten") == "yes"
    )
    return redirect("dashboard:halt-result", halt_id)


@page
def halt_result(request: HttpRequest, halt_id: UUID) -> HttpResponse:
    """What the halt has reached: counted now, and as the executor verified it."""
    found = risk_selectors.halt(halt_id)
    accounts = [item.id for item in portfolio.accounts() if item.closed_at is None and found.account_id in (None, item.id)]
    open_orders = [order for account_id in accounts for order in orders.open_orders(account_id)]
    context = {
        "halt": found,
        "increasing_orders": sum(not order.is_reducing for order in open_orders),
        "open_positions": sum(len(portfolio.positions(account_id)) for account_id in accounts),
        "is_waiting": found.is_engaged and found.verified_at is None and "stay" not in request.GET,
    }
    return render(request, "dashboard/halt_result.html", context)


@action(Role.RISK)
def reset_halt(request: HttpRequest, halt_id: UUID) -> HttpResponse:
    reason = _reason(request)
    if not reason:
        raise InvalidInput("Say why it is safe to go on.", where="reason")
    risk.reset_halt(halt_id=halt_id, actor=person(request).username, reason=reason, now=WallClock().now())
    messages.success(request, "The halt is reset. Sessions may trade from the next bar on.")
    return redirect("dashboard:overview")


@action(Role.TRADER)
def stop_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    keep = request.POST.get("keep_positions") == "yes"
    strategies.stop_session(session_id=session_id, keep_positions=keep, actor=person(request).username, reason="Stopped on the page.")
    messages.success(request, "The session stops." if keep else "The session stops; its position is closed at the next bar.")
    return back(request)


def _jump(request: HttpRequest, venue: VenueView, actor: str) -> None:
    """Forward to the end of that day, bar by bar without pauses; back opens a fresh run that starts there."""
    day = date_of(request.POST, "jump_to")
    if day is None:
        raise InvalidInput("The date to jump to is missing.", where="jump_to")
    if venue.ends_at is not None and day > venue.ends_at:
        raise InvalidInput(
            f"The replay has no bars after {venue.ends_at:%Y-%m-%d}.", where="jump_to", hint=f"{day:%Y-%m-%d} cannot be reached."
        )
    end_of_day = day + timedelta(days=1) - timedelta(seconds=1)
    if end_of_day > venue.now_at:
        markets.command_clock(venue_id=venue.id, action="jump", jump_to=end_of_day, actor=actor)
        messages.success(request, f"Running fast to {day:%Y-%m-%d}; every bar in between is traded.")
        return
    _open_fresh(request, venue, day, actor)


def _restart(request: HttpRequest, venue: VenueView, actor: str) -> None:
    if request.POST.get("confirmed") != "yes":
        raise InvalidInput("A restart must be confirmed.", where="confirmed", hint="Tick the box.")
    _open_fresh(request, venue, None, actor)


def _open_fresh(request: HttpRequest, venue: VenueView, starts_at: datetime | None, actor: str) -> None:
    strategies.request_replay_restart(venue_id=venue.id, starts_at=starts_at, actor=actor)
    messages.success(request, "A fresh run with a fresh account is being opened; the old one stays readable under Replay runs.")


def _reason(request: HttpRequest) -> str:
    """What was typed; empty if it is too short to be a reason."""
    typed = " ".join(request.POST.get("reason", "").split())[:_LONGEST_REASON]
    return typed if len(typed) >= _SHORTEST_REASON else ""
