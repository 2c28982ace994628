"""The base of every REST view: who may do what by method, strict input, a request id, throttling that never stands before a stop."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID, uuid4

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.common.api.permissions import HasRoleForMethod
from apps.common.api.schema import ProblemAutoSchema
from apps.core.errors import NotFound

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ApiView(APIView):
    """A view whose methods each name the role they need; strings of `apps.access.contracts.Role`.

    `unthrottled_methods` are the ones that reduce risk: halting, stopping, cancelling always pass the throttle.
    """

    roles: ClassVar[Mapping[str, str]] = {"GET": "viewer"}
    unthrottled_methods: ClassVar[frozenset[str]] = frozenset()
    http_method_names = ["get", "head", "post", "put", "delete"]
    permission_classes = [HasRoleForMethod]
    schema = ProblemAutoSchema()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        wanted = request.headers.get("X-Request-ID", "")
        request_id = wanted if REQUEST_ID.fullmatch(wanted) else uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = super().dispatch(request, *args, **kwargs)
        response.headers["X-Request-ID"] = request_id
        response.headers.setdefault("Cache-Control", "no-store")
        for name, value in getattr(request, "rate_limit_headers", {}).items():
            response.headers[name] = value
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As REST framework does, but refused log-ins and permissions count for the throttle too."""
        self.format_kwarg = self.get_format_suffix(**kwargs)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version, request.versioning_scheme = self.determine_version(request, *args, **kwargs)
        if str(request.method).lower() not in self.allowed_methods_lower():
            raise exceptions.MethodNotAllowed(str(request.method))
        try:
            self.perform_authentication(request)
        finally:
            self.check_throttles(request)
        self.check_permissions(request)

    def allowed_methods_lower(self) -> set[str]:
        return {method.lower() for method in self.allowed_methods}

    def check_throttles(self, request: Request) -> None:
        if request.method not in self.unthrottled_methods:
            super().check_throttles(request)

    def query(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """The validated query parameters; unknown, repeated or bad ones raise."""
        given = self.request.query_params
        repeated = {name: ["Given more than once."] for name in given if len(given.getlist(name)) > 1}
        if repeated:
            raise exceptions.ValidationError(repeated, code="repeated")
        return self._validated(serializer(data=given.dict()))

    def body(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """The validated body; unknown or bad fields raise."""
        return self._validated(serializer(data=self.request.data))

    def answer(self, serializer: type[Serializer[Any]], item: Any, *, status: int = 200) -> Response:
        """`item` (or a list of them) through an output serializer."""
        many = isinstance(item, list | tuple)
        return Response(serializer(item, many=many).data, status=status)

    @property
    def actor(self) -> str:
        """Who is recorded as the cause of a change."""
        return str(self.request.user.get_username())

    def _validated(self, serializer: Serializer[Any]) -> dict[str, Any]:
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values


class AccountView(ApiView):
    """A view that takes an account or none; `default_account_id` is given where the addresses are joined."""

    default_account_id: Callable[[], UUID | None] | None = None

    def account_id(self, values: dict[str, Any]) -> UUID:
        """The account named, or the default one; raises NotFound when there is none."""
        named: UUID | None = values.get("account_id")
        found = named or (self.default_account_id() if self.default_account_id else None)
        if found is None:
            raise NotFound("There is no default account yet.", where="account_id", hint="Name an account, or wait for the first one.")
        return found
