"""Risk over REST. Halting is never throttled and needs less of a role than taking the halt back."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Role
from apps.common.api.pagination import LimitQuery, page_of, whole_page
from apps.common.api.schema import page_schema
from apps.common.api.views import AccountView, ApiView
from apps.core.clock import WallClock
from apps.risk import selectors, services
from apps.risk.web.serializers import (
    AccountQuery,
    FactorSerializer,
    HaltInput,
    HaltSerializer,
    LimitInput,
    LimitSerializer,
    ResetInput,
    RiskSerializer,
    VerdictQuery,
    VerdictSerializer,
)

TAGS = ["risk"]


class RiskView(AccountView):
    @extend_schema(tags=TAGS, parameters=[AccountQuery], responses={200: RiskSerializer})
    def get(self, request: Request) -> Response:
        """Where risk stands for an account: factor, halt and limits."""
        account_id = self.account_id(self.query(AccountQuery))
        factor = selectors.factor(account_id)
        overview = {
            "account_id": account_id,
            "factor": {"account_id": account_id, "value": factor.value, "reasons": factor.reasons},
            "halt": selectors.active_halt(account_id),
            "limits": selectors.limits(),
            "live_refusal": selectors.live_refusal(),
        }
        return self.answer(RiskSerializer, overview)


class FactorView(AccountView):
    @extend_schema(tags=TAGS, parameters=[AccountQuery], responses={200: FactorSerializer})
    def get(self, request: Request) -> Response:
        """The risk factor of an account with its reasons."""
        account_id = self.account_id(self.query(AccountQuery))
        factor = selectors.factor(account_id)
        return self.answer(FactorSerializer, {"account_id": account_id, "value": factor.value, "reasons": factor.reasons})


class LimitsView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "PUT": Role.RISK}

    @extend_schema(tags=TAGS, responses={200: page_schema(LimitSerializer)})
    def get(self, request: Request) -> Response:
        """Every limit with its scope and meaning."""
        return Response(whole_page(LimitSerializer, selectors.limits()))

    @extend_schema(tags=TAGS, request=LimitInput, responses={200: LimitSerializer})
    def put(self, request: Request) -> Response:
        """Set a limit in a scope; the change is on the log with who made it."""
        values = self.body(LimitInput)
        mode = str(values.pop("mode", ""))
        changed = services.change_limit(**values, mode=mode, actor=self.actor, now=WallClock().now())
        return self.answer(LimitSerializer, next(limit for limit in selectors.limits() if limit.id == changed))


class HaltsView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "POST": Role.TRADER}
    unthrottled_methods: ClassVar = frozenset({"POST"})

    @extend_schema(tags=TAGS, parameters=[LimitQuery], responses={200: page_schema(HaltSerializer)})
    def get(self, request: Request) -> Response:
        """Halts, the newest first."""
        return Response(whole_page(HaltSerializer, selectors.halts(limit=self.query(LimitQuery)["limit"])))

    @extend_schema(tags=TAGS, request=HaltInput, responses={201: HaltSerializer})
    def post(self, request: Request) -> Response:
        """Emergency stop: no order leaves from now on, open ones that can increase exposure are cancelled, positions closed if asked.

        It holds until a person resets it. `verified_at` tells when nothing that can increase exposure was left.
        """
        values = self.body(HaltInput)
        halt_id = services.engage_halt(**values, actor=self.actor, now=WallClock().now())
        return self.answer(HaltSerializer, selectors.halt(halt_id), status=201)


class HaltView(ApiView):
    @extend_schema(tags=TAGS, responses={200: HaltSerializer})
    def get(self, request: Request, halt_id: UUID) -> Response:
        """One halt, with whether it has been verified."""
        return self.answer(HaltSerializer, selectors.halt(halt_id))


class ResetHaltView(ApiView):
    roles: ClassVar = {"POST": Role.RISK}

    @extend_schema(tags=TAGS, request=ResetInput, responses={200: HaltSerializer})
    def post(self, request: Request, halt_id: UUID) -> Response:
        """Take a halt back, with the reason why it is safe."""
        services.reset_halt(halt_id=halt_id, actor=self.actor, reason=self.body(ResetInput)["reason"], now=WallClock().now())
        return self.answer(HaltSerializer, selectors.halt(halt_id))


class VerdictsView(AccountView):
    @extend_schema(tags=TAGS, parameters=[VerdictQuery], responses={200: page_schema(VerdictSerializer)})
    def get(self, request: Request) -> Response:
        """The answers of the risk gate for an account, newest first, with every check."""
        query = self.query(VerdictQuery)
        account_id = self.account_id(query)

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return selectors.verdicts(account_id=account_id, before=cursor, limit=count)

        return Response(page_of(request, VerdictSerializer, fetch, query, key=lambda row: row.verdict.id))


class VerdictView(ApiView):
    @extend_schema(tags=TAGS, responses={200: VerdictSerializer})
    def get(self, request: Request, verdict_id: UUID) -> Response:
        """One answer of the risk gate with every check, value and limit."""
        return self.answer(VerdictSerializer, selectors.verdict(verdict_id))
