"""All addresses: pages at the root, REST under /api/v1/, admin, health."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("admin/", admin.site.urls),
    path("", include("trading_system.api")),
    path("", include("apps.access.web.urls")),
    path("", include("apps.dashboard.web.urls")),
]

handler400 = "apps.dashboard.web.errors.bad_request"
handler403 = "apps.dashboard.web.errors.forbidden"
handler404 = "apps.dashboard.web.errors.not_found"
handler500 = "apps.dashboard.web.errors.failed"
