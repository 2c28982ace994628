"""Orders and fills over REST. A manual order is an intent: it passes the risk gate here and leaves through the executor."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Role
from apps.access.services import StoredAnswer, answer_once, request_fingerprint
from apps.common.api.pagination import page_of
from apps.common.api.problems import MEDIA_TYPE, problem
from apps.common.api.schema import page_schema
from apps.common.api.views import AccountView, ApiView
from apps.core.clock import WallClock
from apps.core.ports import port
from apps.markets.selectors import instrument_by_symbol
from apps.orders import selectors, services
from apps.orders.contracts import OPEN_STATUSES, Amendment, ExitPrices, ManualOrderResult, OrderStatus
from apps.orders.ports import AccountDirectory
from apps.orders.web.serializers import (
    AmendInput,
    CancelAllInput,
    CancelAllSerializer,
    CancelInput,
    CheckSerializer,
    FillQuery,
    FillSerializer,
    OrderDetailSerializer,
    OrderInput,
    OrderQuery,
    OrderSerializer,
    RefusedOrderSerializer,
)

TAGS = ["orders"]
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Sent again with the same body it gets the first answer again; with another body it is a conflict (409).",
)


class OrdersView(AccountView):
    roles: ClassVar = {"GET": Role.VIEWER, "POST": Role.TRADER}

    @extend_schema(tags=TAGS, parameters=[OrderQuery], responses={200: page_schema(OrderSerializer)})
    def get(self, request: Request) -> Response:
        """Orders, newest first."""
        query = self.query(OrderQuery)

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return selectors.orders(
                account_id=query.get("account_id"),
                instrument_id=query.get("instrument_id"),
                origin_id=query.get("session_id"),
                decision_id=query.get("decision_id"),
                statuses=_statuses(query),
                before=cursor,
                limit=count,
            )

        return Response(page_of(request, OrderSerializer, fetch, query, key=lambda row: row.id))

    @extend_schema(
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=OrderInput,
        responses={
            201: OrderDetailSerializer,
            (422, MEDIA_TYPE): OpenApiResponse(RefusedOrderSerializer, description="The risk gate refused; `checks` says why."),
        },
    )
    def post(self, request: Request) -> Response:
        """Enter an order by hand: 201 with the order, 422 with every risk check when it is refused."""
        values = self.body(OrderInput)
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return _response(self._submit(values))
        fingerprint = request_fingerprint(method="POST", path=request.path, body=request.data)
        user_id: Any = request.user.pk
        return _response(answer_once(user_id=user_id, key=key, fingerprint=fingerprint, handle=lambda: self._submit(values)))

    @transaction.atomic
    def _submit(self, values: dict[str, Any]) -> StoredAnswer:
        account_id = self.account_id(values)
        result = services.submit_manual_order(
            account_id=account_id,
            instrument_id=_instrument_id(account_id, values),
            side=values["side"],
            order_type=values["order_type"],
            quantity=values["quantity"],
            limit_price=values["limit_price"],
            stop_price=values["stop_price"],
            time_in_force=values["time_in_force"],
            trail_amount=values["trail_amount"],
            trail_percent=values["trail_percent"],
            expires_at=values["expires_at"],
            is_post_only=values["is_post_only"],
            is_reduce_only=values["is_reduce_only"],
            exits=_exits(values),
            other=services.OtherLeg(**values["other"]) if "other" in values else None,
            actor=self.actor,
            now=WallClock().now(),
        )
        if result.order_id is None:
            return StoredAnswer(422, self._refusal(result))
        return StoredAnswer(201, OrderDetailSerializer(selectors.order_detail(result.order_id)).data)

    def _refusal(self, result: ManualOrderResult) -> dict[str, Any]:
        failed = result.verdict.first_failure
        body = problem(
            status=422,
            code="refused_by_risk",
            detail=failed.message if failed else "The order was refused.",
            where=str(failed.code) if failed else "",
            hint="No order was placed. Every check is listed in `checks`.",
            request_id=str(getattr(self.request, "request_id", "")),
        )
        return body | {"verdict_id": str(result.verdict.id), "checks": CheckSerializer(result.verdict.checks, many=True).data}


class ExecuteTradeView(OrdersView):
    """The half of it that older clients enter an order with."""

    http_method_names = ["post"]


class OrderView(ApiView):
    http_method_names = [*ApiView.http_method_names, "patch"]
    roles: ClassVar = {"GET": Role.VIEWER, "PATCH": Role.TRADER, "DELETE": Role.TRADER}
    unthrottled_methods: ClassVar = frozenset({"DELETE"})

    @extend_schema(tags=TAGS, responses={200: OrderDetailSerializer})
    def get(self, request: Request, order_id: UUID) -> Response:
        """One order with its history and fills."""
        return self.answer(OrderDetailSerializer, selectors.order_detail(order_id))

    @extend_schema(tags=TAGS, request=AmendInput, responses={202: OrderDetailSerializer})
    def patch(self, request: Request, order_id: UUID) -> Response:
        """Ask for another quantity or price. The venue decides whether it comes in time; 409 when it is too late already."""
        amendment = Amendment(**self.body(AmendInput))
        services.request_amend(order_id=order_id, amendment=amendment, actor=self.actor, now=WallClock().now())
        return self.answer(OrderDetailSerializer, selectors.order_detail(order_id), status=202)

    @extend_schema(tags=TAGS, request=None, responses={202: OrderDetailSerializer})
    def delete(self, request: Request, order_id: UUID) -> Response:
        """Ask for the cancel of an order. The venue decides whether it comes in time; asking twice changes nothing."""
        services.request_cancel(order_id=order_id, actor=self.actor, reason="Cancelled by hand.")
        return self.answer(OrderDetailSerializer, selectors.order_detail(order_id), status=202)


class CancelOrderView(ApiView):
    roles: ClassVar = {"POST": Role.TRADER}
    unthrottled_methods: ClassVar = frozenset({"POST"})

    @extend_schema(tags=TAGS, request=CancelInput, responses={202: OrderDetailSerializer})
    def post(self, request: Request, order_id: UUID) -> Response:
        """Ask for the cancel of an order, with a reason."""
        reason = self.body(CancelInput)["reason"] or "Cancelled by hand."
        services.request_cancel(order_id=order_id, actor=self.actor, reason=reason)
        return self.answer(OrderDetailSerializer, selectors.order_detail(order_id), status=202)


class CancelAllView(AccountView):
    roles: ClassVar = {"POST": Role.TRADER}
    unthrottled_methods: ClassVar = frozenset({"POST"})

    @extend_schema(tags=TAGS, request=CancelAllInput, responses={202: CancelAllSerializer})
    def post(self, request: Request) -> Response:
        """Ask for the cancel of every open order of an account."""
        values = self.body(CancelAllInput)
        account_id = port(AccountDirectory).account(self.account_id(values)).id
        requested = services.request_cancel_all(
            account_id=account_id, actor=self.actor, reason=values["reason"] or "All orders cancelled by hand."
        )
        return self.answer(CancelAllSerializer, {"account_id": account_id, "requested": requested}, status=202)


class FillsView(ApiView):
    @extend_schema(tags=TAGS, parameters=[FillQuery], responses={200: page_schema(FillSerializer)})
    def get(self, request: Request) -> Response:
        """Fills, newest first."""
        query = self.query(FillQuery)

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return selectors.fills(
                account_id=query.get("account_id"),
                order_id=query.get("order_id"),
                instrument_id=query.get("instrument_id"),
                origin_id=query.get("session_id"),
                since=query.get("since"),
                before=cursor,
                limit=count,
            )

        return Response(page_of(request, FillSerializer, fetch, query, key=lambda row: row.id))


def _exits(values: dict[str, Any]) -> ExitPrices:
    """The legs of the bracket; empty if there are none."""
    target, stop, trailing = (values.get(name, {}) for name in ("take_profit", "stop_loss", "trailing"))
    return ExitPrices(
        take_profit=target.get("price"),
        take_profit_percent=target.get("percent"),
        stop_loss=stop.get("price"),
        stop_loss_percent=stop.get("percent"),
        trail_amount=trailing.get("amount"),
        trail_percent=trailing.get("percent"),
    )


def _statuses(query: dict[str, Any]) -> set[OrderStatus] | None:
    if "status" in query:
        return {query["status"]}
    if "is_open" not in query:
        return None
    return set(OPEN_STATUSES) if query["is_open"] else set(OrderStatus) - OPEN_STATUSES


def _instrument_id(account_id: UUID, values: dict[str, Any]) -> UUID:
    if "instrument_id" in values:
        named: UUID = values["instrument_id"]
        return named
    return instrument_by_symbol(port(AccountDirectory).account(account_id).venue_id, values["symbol"]).id


def _response(answer: StoredAnswer) -> Response:
    headers = {"Idempotent-Replayed": "true"} if answer.is_repeat else {}
    content_type = MEDIA_TYPE if answer.status_code >= 400 else None
    return Response(answer.body, status=answer.status_code, headers=headers, content_type=content_type)
