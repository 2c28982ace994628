"""Questions about decisions over REST: asked here, answered by a worker."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Role
from apps.backtests.contracts import RunState
from apps.backtests.domain.what_if import WhatIfChanges
from apps.backtests.selectors.what_ifs import what_if, what_ifs
from apps.backtests.services.what_ifs import cancel_what_if, request_what_if
from apps.backtests.web.serializers import ProgressSerializer
from apps.common.api.fields import EnumField, ExactDecimalInput, JsonObject
from apps.common.api.pagination import CursorQuery, page_of
from apps.common.api.schema import page_schema
from apps.common.api.serializers import StrictSerializer
from apps.common.api.views import ApiView

TAGS = ["what-if"]
MOST_LIMITS = 50


class WhatIfInput(StrictSerializer):
    """What is to be different at a decision; what is left out stays as it was."""

    decision_id = serializers.UUIDField()
    limits = serializers.DictField(
        child=ExactDecimalInput(allow_null=True), required=False, help_text="Values by the limit's code; null switches it off."
    )
    confidence = ExactDecimalInput(required=False, help_text="Of forecast and signal, 0 to 1.")
    risk_per_trade = ExactDecimalInput(required=False, help_text="Fraction of the session's capital.")
    quantity = ExactDecimalInput(required=False, help_text="Of an order that opens a position.")
    fee_bps = ExactDecimalInput(required=False, help_text="Charged on everything that trades after the bar, as the other costs.")
    spread_bps = ExactDecimalInput(required=False)
    slippage_bps = ExactDecimalInput(required=False)
    is_lasting = serializers.BooleanField(default=False, help_text="The session's later decisions are made with the same changes.")

    def validate_limits(self, value: dict[str, Decimal | None]) -> dict[str, Decimal | None]:
        if len(value) > MOST_LIMITS:
            raise serializers.ValidationError(f"At most {MOST_LIMITS} limits.", code="too_many")
        return value


class WhatIfSerializer(serializers.Serializer[Any]):
    """A question and, once its state is DONE, the answer."""

    id = serializers.UUIDField()
    state = EnumField(RunState)
    progress = ProgressSerializer()
    decision_id = serializers.UUIDField()
    changes = JsonObject()
    through = serializers.DateTimeField(help_text="The last close that is looked at.")
    result = JsonObject(
        help_text="is_reproduced; where it is false, differences say what has changed since. Otherwise stored and other (each with outcome,"
        " sentence, checks, orders with their fills, changes of open orders, refusals) and money (pnl_stored, pnl_other, difference, exit_at, points)."
    )
    requested_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()
    error_where = serializers.CharField()
    error_hint = serializers.CharField()
    is_cancel_requested = serializers.BooleanField()


class WhatIfsQuery(CursorQuery):
    decision_id = serializers.UUIDField(required=False)


class WhatIfsView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "POST": Role.TRADER}

    @extend_schema(tags=TAGS, parameters=[WhatIfsQuery], responses={200: page_schema(WhatIfSerializer)})
    def get(self, request: Request) -> Response:
        """Questions, newest first."""
        query = self.query(WhatIfsQuery)

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return what_ifs(decision_id=query.get("decision_id"), before=cursor, limit=count)

        return Response(page_of(request, WhatIfSerializer, fetch, query, key=lambda row: row.id))

    @extend_schema(tags=TAGS, request=WhatIfInput, responses={202: WhatIfSerializer})
    def post(self, request: Request) -> Response:
        """Ask what a decision would have been; the address in Location tells how it stands. The same question is answered at once."""
        values = self.body(WhatIfInput)
        what_if_id = request_what_if(decision_id=values.pop("decision_id"), changes=WhatIfChanges(**values), actor=self.actor)
        answer = self.answer(WhatIfSerializer, what_if(what_if_id), status=202)
        answer.headers["Location"] = request.build_absolute_uri(f"/api/v1/what-ifs/{what_if_id}/")
        return answer


class WhatIfView(ApiView):
    @extend_schema(tags=TAGS, responses={200: WhatIfSerializer})
    def get(self, request: Request, what_if_id: UUID) -> Response:
        """One question with its answer."""
        return self.answer(WhatIfSerializer, what_if(what_if_id))


class CancelWhatIfView(ApiView):
    roles: ClassVar = {"POST": Role.TRADER}
    unthrottled_methods: ClassVar = frozenset({"POST"})

    @extend_schema(tags=TAGS, request=None, responses={202: WhatIfSerializer})
    def post(self, request: Request, what_if_id: UUID) -> Response:
        """Give a question up: a waiting one at once, one that is worked on within a second. One that is over stays as it is."""
        cancel_what_if(what_if_id=what_if_id, actor=self.actor)
        return self.answer(WhatIfSerializer, what_if(what_if_id), status=202)
