"""Pages by cursor: the newest rows first, each page starting after the last row of the one before, stable while rows are added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from apps.common.api.serializers import StrictSerializer

T = TypeVar("T")

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200


class LimitQuery(StrictSerializer):
    """Query parameters of a list that has one page."""

    limit = serializers.IntegerField(min_value=1, max_value=LARGEST_LIMIT, default=DEFAULT_LIMIT, help_text="Rows on a page.")


class CursorQuery(LimitQuery):
    """Query parameters of a list; subclasses add filters."""

    cursor = serializers.UUIDField(required=False, help_text="`next_cursor` of the page before; rows after it follow.")


def page_of(
    request: Request,
    serializer: type[serializers.BaseSerializer[Any]],
    fetch: Callable[[UUID | None, int], Sequence[T]],
    query: dict[str, Any],
    *,
    key: Callable[[T], Any],
) -> dict[str, Any]:
    """One page: `fetch(cursor, count)` gives up to `count` rows after the cursor, `key` the cursor of a row."""
    limit: int = query["limit"]
    rows = fetch(query.get("cursor"), limit + 1)
    shown = rows[:limit]
    next_cursor = str(key(shown[-1])) if len(rows) > limit else None
    return {
        "next": replace_query_param(request.build_absolute_uri(), "cursor", next_cursor) if next_cursor else None,
        "next_cursor": next_cursor,
        "results": serializer(shown, many=True).data,
    }


def whole_page(serializer: type[serializers.BaseSerializer[Any]], rows: Sequence[Any]) -> dict[str, Any]:
    """Rows that fit on one page, in the same envelope."""
    return {"next": None, "next_cursor": None, "results": serializer(rows, many=True).data}
