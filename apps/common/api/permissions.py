"""Who may do what: every view names the role that each of its methods needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView


class HasRoleForMethod(BasePermission):
    """The role that the view names for the method; a method without one is open to nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        method = "GET" if request.method == "HEAD" else str(request.method)
        roles: Mapping[str, str] = getattr(view, "roles", {})
        role = roles.get(method)
        user: Any = request.user
        return bool(user and user.is_authenticated and role is not None and user.has_role(role))
