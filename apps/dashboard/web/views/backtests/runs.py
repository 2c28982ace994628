"""The list of backtests, the page of each in every state, what its scripts draw, and its commands."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from apps.access.contracts import Role
from apps.backtests import selectors, services
from apps.backtests.contracts import ExportFormat, RecordKind, RunState
from apps.common.streaming import download
from apps.core.errors import InvalidInput
from apps.dashboard.selectors import backtests as pages
from apps.dashboard.selectors.shapes import Page
from apps.dashboard.web.guard import action, page, person
from apps.dashboard.web.query import integer_of, moment_of, uuid_of, word_of

PAGE_ROWS = 50
RECORD_ROWS = 100
MOST_COMPARED = 8


@page
def show_list(request: HttpRequest) -> HttpResponse:
    before, strategy = uuid_of(request.GET, "before"), request.GET.get("strategy", "")
    state = word_of(request.GET, "state", RunState)
    found = selectors.run_lines(state=state, strategy=strategy or None, before=before, limit=PAGE_ROWS + 1)
    context = {
        "rows": found[:PAGE_ROWS],
        "page": Page(str(found[PAGE_ROWS - 1].summary.id) if len(found) > PAGE_ROWS else "", before is not None),
        "work": selectors.work_under_way(),
        "states": list(RunState),
        "strategies": selectors.strategies_run(),
        "filters": {"state": state or "", "strategy": strategy, "is_set": bool(state or strategy)},
    }
    return render(request, "dashboard/backtests/list.html", context)


@page
def show(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = selectors.run(run_id)
    if run.summary.state is RunState.DONE:
        return render(
            request, "dashboard/backtests/tear_sheet.html", {"run": run, "tear": pages.tear_sheet(run_id), "formats": list(ExportFormat)}
        )
    context = {"run": run, "settings": pages.settings_of(run.config)}
    return render(request, f"dashboard/backtests/{'ended' if run.summary.state.is_over else 'waiting'}.html", context)


@page
def show_records(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """A table of records, page by page."""
    kind = word_of(request.GET, "table", RecordKind) or RecordKind.FILLS
    after = integer_of(request.GET, "after")
    rows = selectors.record_page(run_id, kind, after=after, limit=RECORD_ROWS + 1)
    run = selectors.run(run_id)
    context = {
        "run": run,
        "currency": run.config.currency,
        "kind": kind,
        "kinds": list(RecordKind),
        "columns": list(rows[0]) if rows else [],
        "rows": [list(row.items()) for row in rows[:RECORD_ROWS]],
        "following": (-1 if after is None else after) + RECORD_ROWS if len(rows) > RECORD_ROWS else None,
        "is_paged": after is not None,
        "formats": list(ExportFormat),
    }
    return render(request, "dashboard/backtests/records.html", context)


@page
def export(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """A whole table of records as a file, with exact numbers."""
    kind = word_of(request.GET, "table", RecordKind) or RecordKind.FILLS
    file_format = word_of(request.GET, "format", ExportFormat) or ExportFormat.CSV
    name = f"backtest-{run_id}-{kind}.{file_format}"
    return download(request, selectors.export(run_id, kind, file_format), content_type=file_format.media_type, name=name)


@page
def curves(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return JsonResponse(pages.chart_curves(run_id))


@page
def candles(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return JsonResponse(pages.candles(run_id, request.GET.get("symbol", ""), until=moment_of(request.GET, "until")))


@page
def histories(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = selectors.histories(run_id)
    return JsonResponse({"histories": asdict(found) if found else None})


@page
def compare(request: HttpRequest) -> HttpResponse:
    """Runs that are done, side by side: `ids` separated by commas or repeated."""
    lines = [line for line in selectors.lines_of(_ids(request)) if line.summary.state is RunState.DONE]
    context: dict[str, Any] = {"lines": lines, "asked": len(_ids(request))}
    if len(lines) > 1:
        context |= {"figures": pages.compared(lines), "settings": pages.differing_settings([line.summary.id for line in lines])}
    return render(request, "dashboard/backtests/compare.html", context)


@action(Role.TRADER)
def cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    state = services.cancel_run(run_id=run_id, actor=person(request).username)
    messages.success(
        request,
        "It is cancelled." if state is RunState.CANCELLED else "It is over already." if state.is_over else "It stops within a second.",
    )
    return redirect("dashboard:backtest", run_id)


@action(Role.TRADER)
def repeat(request: HttpRequest, run_id: UUID) -> HttpResponse:
    again = services.repeat_run(run_id=run_id, actor=person(request).username)
    messages.success(request, "The same backtest is asked for once more. The same bars and code give the same fills hash.")
    return redirect("dashboard:backtest", again)


@action(Role.TRADER)
def put_beside(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Another program's result of the same, from a file of whoever asks."""
    given = request.FILES.get("result")
    if given is None or given.file is None:
        raise InvalidInput("Choose a result of freqtrade's backtesting.", where="result")
    history = services.read_uploaded_history(given.file, name=given.name or "The file", strategy=request.POST.get("strategy", "").strip())
    found = services.compare_run(run_id=run_id, history=history)
    messages.success(request, f"{found['counts']['paired']} of its trades began like one of this run's.")
    return redirect("dashboard:backtest", run_id)


@action(Role.TRADER)
def delete(request: HttpRequest, run_id: UUID) -> HttpResponse:
    services.delete_run(run_id=run_id, actor=person(request).username)
    messages.success(request, "The backtest and its records are deleted; its line in the trial ledger stays.")
    return redirect("dashboard:backtests")


def _ids(request: HttpRequest) -> list[UUID]:
    texts = [text for given in request.GET.getlist("ids") for text in given.split(",") if text.strip()]
    try:
        found = list(dict.fromkeys(UUID(text.strip()) for text in texts))
    except ValueError:
        raise InvalidInput("ids must be the ids of backtests, separated by commas.", where="ids") from None
    if len(found) > MOST_COMPARED:
        raise InvalidInput(f"At most {MOST_COMPARED} backtests are compared at once.", where="ids")
    return found
