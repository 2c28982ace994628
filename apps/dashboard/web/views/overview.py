"""The first page, the portfolio and past runs."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from apps.common.moment import one_moment
from apps.dashboard.selectors import runs as runs_selectors
from apps.dashboard.selectors.benchmark import benchmark
from apps.dashboard.selectors.overview import equity_points, overview
from apps.dashboard.web.context import page_frame
from apps.dashboard.web.guard import page
from apps.dashboard.web.query import moment_of
from apps.dashboard.web.tables import MAX_EXPORTED, csv_download
from apps.portfolio import selectors as portfolio
from apps.portfolio.contracts import EntryView, Line
from apps.risk import selectors as risk

_TRADES_SHOWN = 50
_ENTRIES_SHOWN = 15


@page
def show(request: HttpRequest) -> HttpResponse:
    venue = page_frame(request).venue
    with one_moment():
        shown = overview(venue.id if venue else None)
    return render(request, "dashboard/overview.html", {"overview": shown})


@page
def equity_data(request: HttpRequest) -> HttpResponse:
    """The equity curve for the script that draws it, and what it is compared with."""
    venue = page_frame(request).venue
    if venue is None:
        return JsonResponse({"points": [], "benchmark": None})
    points, compared = equity_points(venue.id, since=moment_of(request.GET, "since")), benchmark(venue.id)
    return JsonResponse({"points": points, "benchmark": asdict(compared) if compared else None})


@page
def show_portfolio(request: HttpRequest) -> HttpResponse:
    frame = page_frame(request)
    with one_moment():
        figures = portfolio.figures(frame.account_id) if frame.account_id else []
        context = {
            "overview": overview(frame.venue.id if frame.venue else None),
            "trades": portfolio.closed_trades(frame.account_id, limit=_TRADES_SHOWN) if frame.account_id else [],
            "journal": portfolio.entries(frame.account_id, limit=_ENTRIES_SHOWN) if frame.account_id else [],
            "balance": portfolio.trial_balance(),
            "limits": risk.limits(),
            "halts": risk.halts(limit=10),
        }
    told = [figure for figure in figures if figure.value is not None]
    context |= {"figures": told, "untold": len(figures) - len(told)}
    return render(request, "dashboard/portfolio.html", context)


@page
def equity_csv(request: HttpRequest) -> HttpResponse:
    account_id = page_frame(request).account_id
    rows = portfolio.equity_curve(account_id, limit=MAX_EXPORTED) if account_id else []
    return csv_download("equity.csv", ("at", "equity", "cash", "holdings_value", "drawdown"), rows)


@page
def journal_csv(request: HttpRequest) -> HttpResponse:
    account_id = page_frame(request).account_id
    entries = portfolio.entries(account_id, limit=MAX_EXPORTED) if account_id else []
    rows = [_JournalRow(entry, line) for entry in entries for line in entry.lines]
    return csv_download("journal.csv", _JournalRow.COLUMNS, rows)


@page
def show_runs(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/replays.html", {"runs": runs_selectors.runs()})


class _JournalRow:
    """One line with its entry."""

    COLUMNS = ("entry_id", "occurred_at", "kind", "reference", "ledger_account", "asset", "amount")

    def __init__(self, entry: EntryView, line: Line) -> None:
        self.entry_id, self.occurred_at, self.kind, self.reference = entry.id, entry.occurred_at, entry.kind, entry.reference
        self.ledger_account, self.asset, self.amount = line.ledger_account, line.asset, line.amount
