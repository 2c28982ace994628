"""Parity of accounts over REST: checked days and what differed."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Role
from apps.backtests.domain.parity_day import ParityClass
from apps.backtests.selectors.parity import parity_day, parity_days, parity_differences, parity_summary
from apps.backtests.services.queue import ask_for_parity
from apps.common.api.fields import EnumField, ExactDecimal, JsonObject
from apps.common.api.pagination import CursorQuery, page_of
from apps.common.api.schema import page_schema
from apps.common.api.serializers import StrictSerializer
from apps.common.api.views import AccountView, ApiView

TAGS = ["parity"]


class ParitySerializer(serializers.Serializer[Any]):
    """An account beside its repetition, all checked days together."""

    account_id = serializers.UUIDField()
    account = serializers.CharField()
    currency = serializers.CharField()
    tolerance_bps = ExactDecimal(help_text="Of a day's equity.")
    halts = serializers.BooleanField(help_text="Whether the account is halted beyond the tolerance.")
    days = serializers.IntegerField()
    clean_days = serializers.IntegerField()
    breached_days = serializers.IntegerField()
    decisions = serializers.IntegerField()
    fills = serializers.IntegerField()
    differences = serializers.IntegerField()
    kinds = JsonObject(help_text="Differences by class.")
    last_day = serializers.DateField(allow_null=True)
    checked_at = serializers.DateTimeField(allow_null=True)
    is_behind = serializers.BooleanField(help_text="A finished day is not checked yet.")


class ParityDaySerializer(serializers.Serializer[Any]):
    """A day of the venue's clock."""

    id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    account = serializers.CharField()
    day = serializers.DateField()
    decisions = serializers.IntegerField()
    orders = serializers.IntegerField()
    fills = serializers.IntegerField()
    differences = serializers.IntegerField()
    kinds = JsonObject(help_text="Differences by class.")
    equity = ExactDecimal(help_text="At the start of the day.")
    deviation = ExactDecimal(help_text="What the differences are worth.")
    deviation_bps = ExactDecimal()
    tolerance_bps = ExactDecimal()
    is_breached = serializers.BooleanField()
    halt_id = serializers.UUIDField(allow_null=True, help_text="The halt that the day engaged.")
    code_version = serializers.CharField()
    checked_at = serializers.DateTimeField()


class ParityDifferenceSerializer(serializers.Serializer[Any]):
    """One difference."""

    id = serializers.UUIDField()
    day = serializers.DateField()
    kind = EnumField(ParityClass)
    at = serializers.DateTimeField()
    session_id = serializers.UUIDField(allow_null=True)
    symbol = serializers.CharField()
    decision_id = serializers.UUIDField(allow_null=True)
    order_id = serializers.UUIDField(allow_null=True)
    what = serializers.CharField()
    paper = serializers.CharField()
    backtest = serializers.CharField()
    amount = ExactDecimal(help_text="What it is worth in money, without a sign.")


class AccountQuery(StrictSerializer):
    account_id = serializers.UUIDField(required=False, help_text="The default account if left out.")


class DaysQuery(CursorQuery):
    account_id = serializers.UUIDField(required=False, help_text="Every account if left out.")
    only_different = serializers.BooleanField(default=False)


class CheckInput(StrictSerializer):
    account_id = serializers.UUIDField(required=False, help_text="The default account if left out.")
    day = serializers.DateField(required=False, help_text="Compare this day once more.")


class ParityView(AccountView):
    roles: ClassVar = {"GET": Role.VIEWER, "POST": Role.TRADER}

    @extend_schema(tags=TAGS, parameters=[AccountQuery], responses={200: ParitySerializer})
    def get(self, request: Request) -> Response:
        """How an account stands to its repetition."""
        return self.answer(ParitySerializer, parity_summary(self.account_id(self.query(AccountQuery))))

    @extend_schema(tags=TAGS, request=CheckInput, responses={202: ParitySerializer})
    def post(self, request: Request) -> Response:
        """Have the finished days of an account compared now instead of tonight."""
        values = self.body(CheckInput)
        summary = parity_summary(self.account_id(values))
        ask_for_parity(summary.account_id, values.get("day"))
        return self.answer(ParitySerializer, summary, status=202)


class ParityDaysView(ApiView):
    @extend_schema(tags=TAGS, parameters=[DaysQuery], responses={200: page_schema(ParityDaySerializer)})
    def get(self, request: Request) -> Response:
        """Compared days, the newest first."""
        query = self.query(DaysQuery)

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return parity_days(account_id=query.get("account_id"), only_different=query["only_different"], before=cursor, limit=count)

        return Response(page_of(request, ParityDaySerializer, fetch, query, key=lambda row: row.id))


class ParityDayView(ApiView):
    @extend_schema(tags=TAGS, responses={200: ParityDaySerializer})
    def get(self, request: Request, day_id: UUID) -> Response:
        """One compared day."""
        return self.answer(ParityDaySerializer, parity_day(day_id))


class ParityDifferencesView(ApiView):
    @extend_schema(tags=TAGS, parameters=[CursorQuery], responses={200: page_schema(ParityDifferenceSerializer)})
    def get(self, request: Request, day_id: UUID) -> Response:
        """What differed on a day."""
        query, found = self.query(CursorQuery), parity_day(day_id)

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return parity_differences(day_id=found.id, before=cursor, limit=count)

        return Response(page_of(request, ParityDifferenceSerializer, fetch, query, key=lambda row: row.id))
