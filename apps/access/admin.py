"""People and their roles. Tokens, links and idempotency keys are not shown: nobody edits them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.access.models import User

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """A role includes the ones before it: viewer reads, trader trades and halts, risk resets halts, admin configures."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "role", "is_staff", "is_active", "last_login")
    list_filter: ClassVar = ["role", "is_staff", "is_active"]
    search_fields: ClassVar = ["username", "email"]
    fieldsets: ClassVar[Any] = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Role", {"fields": ["role", "is_active", "is_staff", "is_superuser"]}),
        ("Times", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields: ClassVar = ["last_login", "date_joined"]
    add_fieldsets: Any = [(None, {"classes": ["wide"], "fields": ["username", "role", "usable_password", "password1", "password2"]})]
