"""The REST addresses of all apps, joined."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
