"""Pages of numbered rows: the cursor is the number of the last row seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

T = TypeVar("T")


class RecordRowSerializer(serializers.Serializer[Any]):
    """A row of a table: names of its columns with their values; exact decimals as strings."""

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return {name: _plain(value) for name, value in instance.items()}


def numbered_page(
    request: Request,
    serializer: type[serializers.BaseSerializer[Any]],
    fetch: Callable[[int | None, int], Sequence[T]],
    query: dict[str, Any],
    *,
    key: Callable[[T], int] | None = None,
) -> dict[str, Any]:
    """One page: `fetch(cursor, count)` gives up to `count` rows after the cursor; `key` is the cursor of a row, its place in the table without."""
    limit: int = query["limit"]
    cursor: int | None = query.get("cursor")
    rows = fetch(cursor, limit + 1)
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        following = str(key(shown[-1]) if key else (-1 if cursor is None else cursor) + len(shown))
    return {
        "next": replace_query_param(request.build_absolute_uri(), "cursor", following) if following else None,
        "next_cursor": following,
        "results": serializer(shown, many=True).data,
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else format(value, "f")
