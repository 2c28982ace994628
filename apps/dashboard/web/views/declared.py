"""One view and one template for every declared page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.clock import WallClock
from apps.dashboard.domain.pages import DeclaredPage, PageContext
from apps.dashboard.web.context import page_frame
from apps.dashboard.web.guard import page, require


@page
def show(request: HttpRequest, item: DeclaredPage) -> HttpResponse:
    require(request, item.role)
    frame = page_frame(request)
    context = PageContext(venue=frame.venue, account_id=frame.account_id, query=request.GET.dict(), now=WallClock().now())
    return render(request, "dashboard/declared.html", {"item": item, "blocks": item.show(context)})
