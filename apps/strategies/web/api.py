"""Strategies, sessions and decisions over REST."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Role
from apps.common.api.pagination import page_of, whole_page
from apps.common.api.schema import page_schema
from apps.common.api.views import AccountView, ApiView
from apps.core.errors import NotFound
from apps.forecasts.selectors import forecast_by_id
from apps.strategies import selectors, services
from apps.strategies.web.serializers import (
    DecisionDetailSerializer,
    DecisionQuery,
    DecisionSerializer,
    ParametersInput,
    SessionInput,
    SessionQuery,
    SessionSerializer,
    StopInput,
    StrategyConfigInput,
    StrategySerializer,
)

STRATEGIES = ["strategies"]
SESSIONS = ["sessions"]
DECISIONS = ["decisions"]


class StrategiesView(ApiView):
    @extend_schema(tags=STRATEGIES, responses={200: page_schema(StrategySerializer)})
    def get(self, request: Request) -> Response:
        """Strategies with their parameters and what each parameter means."""
        return Response(whole_page(StrategySerializer, selectors.strategies()))


class StrategyView(ApiView):
    @extend_schema(tags=STRATEGIES, responses={200: StrategySerializer})
    def get(self, request: Request, strategy_id: UUID) -> Response:
        """One strategy."""
        return self.answer(StrategySerializer, selectors.strategy(strategy_id))


class StrategyParametersView(ApiView):
    roles: ClassVar = {"PUT": Role.TRADER}

    @extend_schema(tags=STRATEGIES, request=ParametersInput, responses={200: StrategySerializer})
    def put(self, request: Request, strategy_id: UUID) -> Response:
        """Change parameters of a strategy; running sessions pick them up at their next bar."""
        values = self.body(ParametersInput)
        services.update_parameters(strategy_id=strategy_id, values=values["parameters"], actor=self.actor, reason=values["reason"])
        return self.answer(StrategySerializer, selectors.strategy(strategy_id))


class StrategyConfigView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "PUT": Role.TRADER}

    @extend_schema(tags=STRATEGIES, responses={200: page_schema(StrategySerializer)})
    def get(self, request: Request) -> Response:
        """The configuration of every strategy."""
        return Response(whole_page(StrategySerializer, selectors.strategies()))

    @extend_schema(tags=STRATEGIES, request=StrategyConfigInput, responses={200: StrategySerializer})
    def put(self, request: Request) -> Response:
        """Change parameters of the strategy of this name or id."""
        values = self.body(StrategyConfigInput)
        strategy_id = _strategy_id(values["strategy"])
        services.update_parameters(strategy_id=strategy_id, values=values["parameters"], actor=self.actor, reason=values["reason"])
        return self.answer(StrategySerializer, selectors.strategy(strategy_id))


class SessionsView(AccountView):
    roles: ClassVar = {"GET": Role.VIEWER, "POST": Role.TRADER}

    @extend_schema(tags=SESSIONS, parameters=[SessionQuery], responses={200: page_schema(SessionSerializer)})
    def get(self, request: Request) -> Response:
        """Trading sessions, the newest first."""
        query = self.query(SessionQuery)
        state = query.get("state")
        found = [row for row in selectors.sessions(query.get("venue_id")) if state is None or row.state is state]
        return Response(whole_page(SessionSerializer, found[: query["limit"]]))

    @extend_schema(tags=SESSIONS, request=SessionInput, responses={201: SessionSerializer})
    def post(self, request: Request) -> Response:
        """Configure a session; it trades once it is started."""
        values = self.body(SessionInput)
        session_id = services.create_session(**values | {"account_id": self.account_id(values), "actor": self.actor})
        return self.answer(SessionSerializer, selectors.session(session_id), status=201)


class SessionView(ApiView):
    @extend_schema(tags=SESSIONS, responses={200: SessionSerializer})
    def get(self, request: Request, session_id: UUID) -> Response:
        """One session."""
        return self.answer(SessionSerializer, selectors.session(session_id))


class StartSessionView(ApiView):
    roles: ClassVar = {"POST": Role.TRADER}

    @extend_schema(tags=SESSIONS, request=None, responses={200: SessionSerializer})
    def post(self, request: Request, session_id: UUID) -> Response:
        """Start a session, from the venue's next bar on. Starting a running one changes nothing."""
        services.start_session(session_id=session_id, actor=self.actor)
        return self.answer(SessionSerializer, selectors.session(session_id))


class StopSessionView(ApiView):
    roles: ClassVar = {"POST": Role.TRADER}
    unthrottled_methods: ClassVar = frozenset({"POST"})

    @extend_schema(tags=SESSIONS, request=StopInput, responses={202: SessionSerializer})
    def post(self, request: Request, session_id: UUID) -> Response:
        """Stop a session: what it holds is sold at the next bar, unless it is kept."""
        services.stop_session(session_id=session_id, actor=self.actor, **self.body(StopInput))
        return self.answer(SessionSerializer, selectors.session(session_id), status=202)


class DecisionsView(ApiView):
    @extend_schema(tags=DECISIONS, parameters=[DecisionQuery], responses={200: page_schema(DecisionSerializer)})
    def get(self, request: Request) -> Response:
        """Decisions, newest first; also the ones that led to no trade."""
        query = self.query(DecisionQuery)
        filters = {name: value for name, value in query.items() if name not in {"cursor", "limit"}}

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return selectors.decisions(**filters, before=cursor, limit=count)

        return Response(page_of(request, DecisionSerializer, fetch, query, key=lambda row: row.id))


class DecisionView(ApiView):
    @extend_schema(tags=DECISIONS, responses={200: DecisionDetailSerializer})
    def get(self, request: Request, decision_id: UUID) -> Response:
        """Everything that went into a decision: bars, features, forecast, signal, size, every check, and what came of it."""
        decision = selectors.decision(decision_id)
        forecast = forecast_by_id(decision.forecast_id) if decision.forecast_id else None
        detail = {name: getattr(decision, name) for name in DecisionDetailSerializer().get_fields() if name != "forecast"}
        return self.answer(DecisionDetailSerializer, detail | {"forecast": forecast})


def _strategy_id(name_or_id: str) -> UUID:
    for strategy in selectors.strategies():
        if name_or_id in (strategy.name, str(strategy.id)):
            return strategy.id
    raise NotFound(f"There is no strategy {name_or_id!r}.", where="strategy", hint="GET this address lists them.")
