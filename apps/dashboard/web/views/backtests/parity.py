"""Paper beside its repetition, day by day: what was compared, what differed, and the breaker."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.access.contracts import Role
from apps.backtests.selectors import parity
from apps.backtests.services.parity import change_tolerance
from apps.backtests.services.queue import ask_for_parity
from apps.core.clock import WallClock
from apps.core.errors import InvalidInput
from apps.dashboard.selectors.parity import MEANINGS, parity_page
from apps.dashboard.selectors.shapes import Page
from apps.dashboard.web.context import page_frame
from apps.dashboard.web.guard import action, back, page, person
from apps.dashboard.web.query import decimal_of, uuid_of
from apps.portfolio import selectors as portfolio

PAGE_ROWS = 60
DIFFERENCES_SHOWN = 200


@page
def show(request: HttpRequest) -> HttpResponse:
    account_id = uuid_of(request.GET, "account") or page_frame(request).account_id
    before, only_different = uuid_of(request.GET, "before"), request.GET.get("only") == "different"
    found = (
        parity.parity_days(account_id=account_id, only_different=only_different, before=before, limit=PAGE_ROWS + 1) if account_id else []
    )
    context = {
        "parity": parity_page(account_id) if account_id else None,
        "rows": found[:PAGE_ROWS],
        "page": Page(str(found[PAGE_ROWS - 1].id) if len(found) > PAGE_ROWS else "", before is not None),
        "accounts": portfolio.accounts(),
        "only_different": only_different,
    }
    return render(request, "dashboard/backtests/parity.html", context)


@page
def show_day(request: HttpRequest, day_id: UUID) -> HttpResponse:
    """What differed on a day."""
    before = uuid_of(request.GET, "before")
    found = parity.parity_differences(day_id=day_id, before=before, limit=DIFFERENCES_SHOWN + 1)
    context = {
        "day": parity.parity_day(day_id),
        "rows": [(item, MEANINGS[item.kind]) for item in found[:DIFFERENCES_SHOWN]],
        "page": Page(str(found[DIFFERENCES_SHOWN - 1].id) if len(found) > DIFFERENCES_SHOWN else "", before is not None),
    }
    return render(request, "dashboard/backtests/parity_day.html", context)


@action(Role.TRADER)
def check(request: HttpRequest) -> HttpResponse:
    """Have a worker compare the finished days of an account, or one day once more."""
    day_id = uuid_of(request.POST, "day")
    account_id = uuid_of(request.POST, "account")
    if day_id is not None:
        day = parity.parity_day(day_id)
        ask_for_parity(day.account_id, day.day)
    elif account_id is not None:
        ask_for_parity(portfolio.account(account_id).id)
    else:
        raise InvalidInput("No account is named.", where="account")
    messages.success(request, "A worker compares it; the page shows the result when you reload it.")
    return back(request)


@action(Role.RISK)
def set_tolerance(request: HttpRequest) -> HttpResponse:
    """What a day of an account may differ by, and whether it is halted beyond."""
    account_id, tolerance = uuid_of(request.POST, "account"), decimal_of(request.POST, "tolerance_bps")
    if account_id is None or tolerance is None:
        raise InvalidInput("The tolerance is missing.", where="tolerance_bps")
    halts = request.POST.get("halts") == "yes"
    change_tolerance(tolerance_bps=tolerance, halts=halts, actor=person(request).username, now=WallClock().now(), account_id=account_id)
    messages.success(request, "The tolerance is set; it counts from the next comparison on.")
    return redirect(f"/backtests/parity/?account={account_id}")
