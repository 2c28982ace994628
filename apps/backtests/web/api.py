"""Backtests, sweeps and the trial ledger over REST. Everything is asked for here and made by a worker."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Role
from apps.backtests import selectors, services
from apps.backtests.contracts import RunConfig, config_from_json
from apps.backtests.web.pages import RecordRowSerializer, numbered_page
from apps.backtests.web.serializers import (
    EquityQuery,
    ExportQuery,
    HeatMapQuery,
    PointInput,
    PointsQuery,
    RecordsQuery,
    RunInput,
    RunSerializer,
    RunsQuery,
    RunSummarySerializer,
    SweepInput,
    SweepSerializer,
    SweepsQuery,
    SweepTrialSerializer,
    TrialSerializer,
    TrialsQuery,
)
from apps.common.api.pagination import page_of, whole_page
from apps.common.api.schema import page_schema
from apps.common.api.views import ApiView
from apps.common.streaming import download

RUNS = ["backtests"]
SWEEPS = ["sweeps"]
DRAWN_POINTS = 1_500
_SEARCH = ("space", "method", "objective", "budget", "search_seed")
_FILES = {(200, "text/csv"): OpenApiTypes.BINARY, (200, "application/json"): OpenApiTypes.OBJECT}
_FILES[200, "application/vnd.apache.parquet"] = OpenApiTypes.BINARY


class BacktestsView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "POST": Role.TRADER}

    @extend_schema(tags=RUNS, parameters=[RunsQuery], responses={200: page_schema(RunSummarySerializer)})
    def get(self, request: Request) -> Response:
        """Backtests, newest first."""
        query = self.query(RunsQuery)
        filters = {name: value for name, value in query.items() if name not in {"cursor", "limit"}}

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return selectors.runs(**filters, before=cursor, limit=count)

        return Response(page_of(request, RunSummarySerializer, fetch, query, key=lambda row: row.id))

    @extend_schema(tags=RUNS, request=RunInput, responses={202: RunSerializer})
    def post(self, request: Request) -> Response:
        """Ask for a backtest; the address in Location tells how it stands. What cannot be run is refused at once, with the reason."""
        run_id = services.request_run(_config(self.body(RunInput)), self.actor)
        answer = self.answer(RunSerializer, selectors.run(run_id), status=202)
        answer.headers["Location"] = request.build_absolute_uri(f"/api/v1/backtests/{run_id}/")
        return answer


class BacktestView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "DELETE": Role.TRADER}

    @extend_schema(tags=RUNS, responses={200: RunSerializer})
    def get(self, request: Request, run_id: UUID) -> Response:
        """One backtest: configuration, progress, figures, and what search and luck explain of its Sharpe ratio."""
        return self.answer(RunSerializer, selectors.run(run_id))

    @extend_schema(tags=RUNS, responses={204: None})
    def delete(self, request: Request, run_id: UUID) -> Response:
        """Delete a backtest that is over, with its records; its line in the trial ledger stays."""
        services.delete_run(run_id=run_id, actor=self.actor)
        return Response(status=204)


class CancelBacktestView(ApiView):
    roles: ClassVar = {"POST": Role.TRADER}
    unthrottled_methods: ClassVar = frozenset({"POST"})

    @extend_schema(tags=RUNS, request=None, responses={202: RunSerializer})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Stop a backtest: a waiting one at once, a running one within a second. One that is over stays as it is."""
        services.cancel_run(run_id=run_id, actor=self.actor)
        return self.answer(RunSerializer, selectors.run(run_id), status=202)


class RepeatBacktestView(ApiView):
    roles: ClassVar = {"POST": Role.TRADER}

    @extend_schema(tags=RUNS, request=None, responses={202: RunSerializer})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Ask for the same backtest once more."""
        return self.answer(RunSerializer, selectors.run(services.repeat_run(run_id=run_id, actor=self.actor)), status=202)


class RecordsView(ApiView):
    @extend_schema(tags=RUNS, parameters=[RecordsQuery], responses={200: page_schema(RecordRowSerializer)})
    def get(self, request: Request, run_id: UUID) -> Response:
        """Orders, fills, trades, ledger entries or equity of a backtest, in the order in which they happened."""
        query = self.query(RecordsQuery)

        def fetch(after: int | None, count: int) -> list[dict[str, Any]]:
            return selectors.record_page(run_id, query["table"], after=after, limit=count)

        return Response(numbered_page(request, RecordRowSerializer, fetch, query))


class BacktestEquityView(ApiView):
    @extend_schema(tags=RUNS, parameters=[EquityQuery], responses={200: page_schema(RecordRowSerializer)})
    def get(self, request: Request, run_id: UUID) -> Response:
        """The equity curve of a backtest, oldest first, thinned evenly; the records have every point."""
        limit = self.query(EquityQuery).get("limit", DRAWN_POINTS)
        return Response(whole_page(RecordRowSerializer, selectors.equity_rows(run_id, limit=limit)))


class TearSheetView(ApiView):
    @extend_schema(tags=RUNS, responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, run_id: UUID) -> Response:
        """Everything that a tear sheet shows: curves, months, drawdowns, distribution, costs, exits, figures."""
        return Response(selectors.tear_sheet(run_id))


class ExportView(ApiView):
    @extend_schema(tags=RUNS, parameters=[ExportQuery], responses=_FILES)
    def get(self, request: Request, run_id: UUID) -> HttpResponseBase:
        """A whole table of records as a CSV, JSON or Parquet file, with exact numbers."""
        query = self.query(ExportQuery)
        table, file_format = query["table"], query["file_format"]
        name = f"backtest-{run_id}-{table}.{file_format}"
        return download(request._request, selectors.export(run_id, table, file_format), content_type=file_format.media_type, name=name)


class TrialsView(ApiView):
    @extend_schema(tags=RUNS, parameters=[TrialsQuery], responses={200: page_schema(TrialSerializer)})
    def get(self, request: Request) -> Response:
        """The trial ledger: every run ever made, newest first, with what search and luck explain of each Sharpe ratio."""
        query = self.query(TrialsQuery)
        filters = {name: value for name, value in query.items() if name not in {"cursor", "limit"}}

        def fetch(before: int | None, count: int) -> list[Any]:
            return selectors.trials(**filters, before=before, limit=count)

        return Response(numbered_page(request, TrialSerializer, fetch, query, key=lambda row: row.position))


class SweepsView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "POST": Role.TRADER}

    @extend_schema(tags=SWEEPS, parameters=[SweepsQuery], responses={200: page_schema(SweepSerializer)})
    def get(self, request: Request) -> Response:
        """Sweeps, newest first."""
        query = self.query(SweepsQuery)

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return selectors.sweeps(state=query.get("state"), before=cursor, limit=count)

        return Response(page_of(request, SweepSerializer, fetch, query, key=lambda row: row.id))

    @extend_schema(tags=SWEEPS, request=SweepInput, responses={202: SweepSerializer})
    def post(self, request: Request) -> Response:
        """Ask for a sweep over parameters; the address in Location tells how it stands."""
        values = self.body(SweepInput)
        search = {name: values.pop(name) for name in _SEARCH}
        sweep_id = services.request_sweep(
            _config(values), search["space"], self.actor, method=search["method"], objective=search["objective"],
            budget=search["budget"], seed=search["search_seed"],
        )  # fmt: skip
        answer = self.answer(SweepSerializer, selectors.sweep(sweep_id), status=202)
        answer.headers["Location"] = request.build_absolute_uri(f"/api/v1/sweeps/{sweep_id}/")
        return answer


class SweepView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "DELETE": Role.TRADER}

    @extend_schema(tags=SWEEPS, responses={200: SweepSerializer})
    def get(self, request: Request, sweep_id: UUID) -> Response:
        """One sweep: its space, progress and best point."""
        return self.answer(SweepSerializer, selectors.sweep(sweep_id))

    @extend_schema(tags=SWEEPS, responses={204: None})
    def delete(self, request: Request, sweep_id: UUID) -> Response:
        """Delete a sweep that is over, with its points; its lines in the trial ledger stay."""
        services.delete_sweep(sweep_id=sweep_id)
        return Response(status=204)


class CancelSweepView(ApiView):
    roles: ClassVar = {"POST": Role.TRADER}
    unthrottled_methods: ClassVar = frozenset({"POST"})

    @extend_schema(tags=SWEEPS, request=None, responses={202: SweepSerializer})
    def post(self, request: Request, sweep_id: UUID) -> Response:
        """Stop a sweep; finished points stay."""
        services.cancel_sweep(sweep_id=sweep_id, actor=self.actor)
        return self.answer(SweepSerializer, selectors.sweep(sweep_id), status=202)


class SweepPointsView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "POST": Role.TRADER}

    @extend_schema(tags=SWEEPS, parameters=[PointsQuery], responses={200: page_schema(SweepTrialSerializer)})
    def get(self, request: Request, sweep_id: UUID) -> Response:
        """Finished points of a sweep by number, or the best of them first: what parallel coordinates are drawn from."""
        query = self.query(PointsQuery)
        if query["best_first"]:
            best = selectors.sweep_trials(sweep_id, is_best_first=True, limit=query["limit"])
            return Response(whole_page(SweepTrialSerializer, best))

        def fetch(after: int | None, count: int) -> list[Any]:
            return selectors.sweep_trials(sweep_id, after=after, limit=count)

        return Response(numbered_page(request, SweepTrialSerializer, fetch, query, key=lambda row: row.number))

    @extend_schema(tags=SWEEPS, request=PointInput, responses={202: RunSerializer})
    def post(self, request: Request, sweep_id: UUID) -> Response:
        """Ask for a whole backtest of one point, with orders, fills and tear sheet."""
        run_id = services.run_point(sweep_id=sweep_id, number=self.body(PointInput)["number"], actor=self.actor)
        return self.answer(RunSerializer, selectors.run(run_id), status=202)


class HeatMapView(ApiView):
    @extend_schema(tags=SWEEPS, parameters=[HeatMapQuery], responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, sweep_id: UUID) -> Response:
        """The points of a sweep as a table of two parameters, each cell the best over all others."""
        return Response(selectors.heat_map(sweep_id, **self.query(HeatMapQuery)))


def _config(values: dict[str, Any]) -> RunConfig:
    """The configuration of a request, in the fastest mode where none is named."""
    payload = {name: value for name, value in values.items() if value is not None}
    payload["instrument_ids"] = tuple(payload["instrument_ids"])
    config = config_from_json(payload)
    return config if "mode" in payload else services.fastest_mode(config)
