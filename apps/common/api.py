"""Bases of the REST interface: pagination and errors (problem details)."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler


class NewestFirstCursorPagination(CursorPagination):
    ordering = "-id"


def problem_response(exc: Exception, context: dict[str, Any]) -> Response | None:
    return exception_handler(exc, context)
