"""Errors as problem details (RFC 9457), one shape for everything that can go wrong, with the id under which it is in the log."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse, UnreadablePostError
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from apps.core.errors import TradingError

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:trading-system:problem:"


class FieldErrorSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Dotted path of the field; empty for the request as a whole.")
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """What went wrong, in words for a person and codes for a program."""

    type = serializers.CharField(help_text="A URI for the kind of problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable code of the kind of problem.")
    where = serializers.CharField(help_text="What it concerns: a field, an order, a limit; may be empty.")
    hint = serializers.CharField(help_text="What to do about it; may be empty.")
    request_id = serializers.CharField(help_text="Under this id the log has more.")

    def get_fields(self) -> dict[str, Any]:
        """`errors` is the name of a property of serializers, so it cannot be declared above."""
        return super().get_fields() | {
            "errors": FieldErrorSerializer(many=True, help_text="One item for each field that was not accepted.")
        }


def problem(
    *, status: int, code: str, detail: str, request_id: str, where: str = "", hint: str = "", errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The body of a problem."""
    return {
        "type": f"{TYPE_PREFIX}{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "where": where,
        "hint": hint,
        "errors": errors or [],
        "request_id": request_id,
    }


def problem_json(status: int, *, code: str, detail: str, request_id: str, hint: str = "") -> JsonResponse:
    """A problem as a plain Django response, for addresses that no REST view serves."""
    body = problem(status=status, code=code, detail=detail, request_id=request_id, hint=hint)
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def problem_response(exc: Exception, context: dict[str, Any]) -> Response:
    """REST framework's exception handler: every exception becomes a problem; unknown ones are logged and tell nothing but their id."""
    request_id = str(getattr(context.get("request"), "request_id", ""))
    fields, headers = _fields_of(_as_api_exception(exc))
    body = problem(request_id=request_id, **fields)
    return Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def _as_api_exception(exc: Exception) -> Exception:
    """Django's own refusals as what REST framework calls them."""
    if isinstance(exc, Http404):
        return exceptions.NotFound()
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exc, RequestDataTooBig | SuspiciousOperation | UnreadablePostError):
        return exceptions.ParseError("The request cannot be read.")
    return exc


def _fields_of(exc: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    if isinstance(exc, TradingError):
        return _of_trading_error(exc)
    if isinstance(exc, exceptions.ValidationError):
        errors = list(_flatten(exc.detail, exc.get_codes()))
        detail = "; ".join(f"{item['field']}: {item['message']}" if item["field"] else item["message"] for item in errors[:3])
        where = errors[0]["field"] if len(errors) == 1 else ""
        return {"status": 400, "code": "invalid_input", "detail": detail, "where": where, "errors": errors}, {}
    if isinstance(exc, exceptions.APIException):
        return _of_api_exception(exc)
    if isinstance(exc, OperationalError | InterfaceError):
        log.warning("api_without_database", error=str(exc).strip().split("\n")[0])
        hint = "Nothing was changed. Try again in a moment."
        return {"status": 503, "code": "unavailable", "detail": "The database does not answer now.", "hint": hint}, {"Retry-After": "2"}
    log.error("api_request_failed", exc_info=exc)
    hint = "The log has the details under the request id."
    return {"status": 500, "code": "internal_error", "detail": "Something went wrong here.", "hint": hint}, {}


def _of_trading_error(exc: TradingError) -> tuple[dict[str, Any], dict[str, str]]:
    if exc.http_status >= 500:
        log.warning("api_trading_error", code=exc.code, error=str(exc))
    retry_after = getattr(exc, "retry_after", None)
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    return {"status": exc.http_status, "code": exc.code, "detail": exc.message, "where": exc.where, "hint": exc.hint}, headers


def _of_api_exception(exc: exceptions.APIException) -> tuple[dict[str, Any], dict[str, str]]:
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(exc.auth_header)  # type: ignore[attr-defined]
    if getattr(exc, "wait", None) is not None:
        headers["Retry-After"] = str(exc.wait)  # type: ignore[attr-defined]
    detail: Any = exc.detail
    code = str(exc.default_code)
    if isinstance(detail, Mapping):
        code = str(detail.get("code", code))
        detail = detail.get("detail", exc.default_detail)
    elif hasattr(detail, "code"):
        code = str(detail.code)
    return {"status": exc.status_code, "code": code, "detail": str(detail)}, headers


def _flatten(detail: Any, codes: Any, path: str = "") -> Any:
    """Field errors of any depth as flat items with a dotted path."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            field = path if name == "non_field_errors" else f"{path}.{name}".lstrip(".")
            yield from _flatten(inner, codes[name], field)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            deeper = isinstance(inner, Mapping | list)
            yield from _flatten(inner, codes[index], f"{path}.{index}".lstrip(".") if deeper else path)
    else:
        yield {"field": path, "code": str(codes), "message": str(detail)}
