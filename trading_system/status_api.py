"""The state of the whole system over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.api.fields import EnumField, Statistic
from apps.common.api.views import ApiView
from apps.core.clock import WallClock
from apps.markets.contracts import ClockStatus, VenueKind
from trading_system.runtime.status import system_status


class ProcessSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    state = serializers.CharField()
    pid = serializers.IntegerField(allow_null=True)
    restarts = serializers.IntegerField(allow_null=True)
    rss_bytes = serializers.IntegerField(allow_null=True)
    cpu_percent = Statistic()
    last_work_seconds = Statistic(help_text="Since its last completed work.")
    is_stale = serializers.BooleanField()
    detail = serializers.CharField()
    last_exit = serializers.CharField()


class StatusVenueSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = EnumField(VenueKind)
    label = serializers.CharField()  # type: ignore[assignment]
    status = EnumField(ClockStatus)
    now_at = serializers.DateTimeField()
    message = serializers.CharField()


class StatusSerializer(serializers.Serializer[Any]):
    is_healthy = serializers.BooleanField(help_text="Every process runs and has completed work lately, and both servers answer.")
    is_supervised = serializers.BooleanField()
    address = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    processes = ProcessSerializer(many=True)
    venue = StatusVenueSerializer(allow_null=True)
    queues = serializers.DictField(child=serializers.IntegerField(), help_text="Tasks that wait, by queue.")
    database_error = serializers.CharField()
    redis_error = serializers.CharField()


class StatusView(ApiView):
    @extend_schema(tags=["system"], responses={200: StatusSerializer})
    def get(self, request: Request) -> Response:
        """Every process, the servers, the queues and the market in one read."""
        return self.answer(StatusSerializer, system_status(now=WallClock().now()))
