"""The event log over REST: tail by position, what the handlers have done, what they could not do."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.api.pagination import LimitQuery, whole_page
from apps.common.api.schema import page_schema
from apps.common.api.views import ApiView
from apps.events import selectors
from apps.events.contracts import LogEntry
from apps.events.web.serializers import (
    DeadLetterSerializer,
    HandlerStatsSerializer,
    LogStateSerializer,
    TailQuery,
    TailSerializer,
)

TAGS = ["events"]


class EventsView(ApiView):
    @extend_schema(tags=TAGS, parameters=[TailQuery], responses={200: TailSerializer})
    def get(self, request: Request) -> Response:
        """The log: behind a position (oldest first), about a subject, or the newest events."""
        query = self.query(TailQuery)
        entries = _entries(query)
        positions = [entry.position for entry in entries if entry.position is not None]
        answer = {
            "results": entries,
            "next_after": max([*positions, query.get("after", 0)]),
            "head_position": selectors.head_position(),
        }
        return self.answer(TailSerializer, answer)


class LogStateView(ApiView):
    @extend_schema(tags=TAGS, responses={200: LogStateSerializer})
    def get(self, request: Request) -> Response:
        """How far sealing, relaying and projecting are behind the writers."""
        return self.answer(LogStateSerializer, selectors.log_lag())


class HandlersView(ApiView):
    @extend_schema(tags=TAGS, responses={200: page_schema(HandlerStatsSerializer)})
    def get(self, request: Request) -> Response:
        """Every handler of the bus with its counters."""
        return Response(whole_page(HandlerStatsSerializer, selectors.handler_stats()))


class DeadLettersView(ApiView):
    @extend_schema(tags=TAGS, parameters=[LimitQuery], responses={200: page_schema(DeadLetterSerializer)})
    def get(self, request: Request) -> Response:
        """Events that a handler could not take after all retries."""
        return Response(whole_page(DeadLetterSerializer, selectors.dead_letters(limit=self.query(LimitQuery)["limit"])))


def _entries(query: dict[str, Any]) -> list[LogEntry]:
    if "subject" in query:
        return selectors.events_for_subject(query["subject"], limit=query["limit"])
    if "after" in query:
        return selectors.tail(after=query["after"], limit=query["limit"], types=query.get("types", ()))
    return selectors.latest(limit=query["limit"], types=query.get("types", ()))
