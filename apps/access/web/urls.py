"""Log-in pages."""

from __future__ import annotations

from django.urls import path

from apps.access.web import views

urlpatterns = [
    path("login/", views.log_in, name="login"),
    path("login/link/<str:token>/", views.log_in_by_link, name="login-link"),
    path("logout/", views.log_out, name="logout"),
]
