"""The REST addresses of all apps, joined."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from apps.access.web import api as access
from apps.common.api.problems import problem_json

V1 = "api/v1/"


def both(route: str, view: Any) -> list[URLPattern]:
    """The address with and without a slash at the end: a POST cannot be redirected to the right one."""
    return [path(f"{route}/", view), path(route, view)]


@csrf_exempt
def unknown_address(request: HttpRequest) -> JsonResponse:
    """Every address under /api/ that is not served, or whose id is not a UUID."""
    return problem_json(
        404, code="not_found", detail="There is nothing at this address.", request_id="", hint="The addresses are listed at /api/docs/."
    )


VIEWS: dict[str, Any] = {
    "auth/token": access.TokenView,
    "auth/refresh": access.RefreshView,
    "auth/logout": access.LogoutView,
    "auth/me": access.MeView,
}

urlpatterns: list[URLPattern] = [
    *(pattern for route, view in VIEWS.items() for pattern in both(V1 + route, view.as_view())),
    path(f"{V1}schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    path("api/docs/redoc/", SpectacularRedocView.as_view(url_name="api-schema", template_name="api/redoc.html")),
    re_path(r"^api(/.*)?$", unknown_address),
]
