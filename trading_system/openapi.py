"""Hooks of the OpenAPI generator: one path for each address, and the paths of older clients marked as such."""

from __future__ import annotations

from typing import Any

CURRENT = "/api/v1/"
OLDER_IN_CURRENT = ("/api/v1/portfolio/",)
METHODS = {"get", "post", "put", "patch", "delete"}


def one_path_each(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Addresses work with and without a slash at the end; the schema has the ones with it."""
    return [endpoint for endpoint in endpoints if endpoint[0].endswith("/")]


def mark_older_paths(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Deprecate the operations that live on for older clients."""
    for path, operations in result.get("paths", {}).items():
        if path.startswith(CURRENT) and path not in OLDER_IN_CURRENT:
            continue
        for method, operation in operations.items():
            if method in METHODS:
                operation["deprecated"] = True
                operation["tags"] = ["older paths"]
    return result
