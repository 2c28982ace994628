"""The first administrator."""

from __future__ import annotations

import itertools
import secrets

from django.db import transaction

from apps.access.contracts import Role
from apps.access.models import User
from apps.common.locks import Lock, lock_in_transaction

FIRST_ADMIN = "admin"


@transaction.atomic
def ensure_first_admin() -> tuple[str, str | None]:
    """Make sure that somebody can administrate: (username, password), the password only when the user was created by this call."""
    lock_in_transaction(Lock.BOOTSTRAP, "first-admin")
    existing = User.objects.filter(is_superuser=True, is_active=True).order_by("id").first()
    if existing is not None:
        return existing.username, None
    username = _free_name()
    password = secrets.token_urlsafe(18)
    User.objects.create_superuser(username=username, password=password, role=Role.ADMIN)
    return username, password


def _free_name() -> str:
    """`admin`, or `admin2`, `admin3`... where somebody without the rights of one took the name."""
    taken = set(User.objects.filter(username__startswith=FIRST_ADMIN).values_list("username", flat=True))
    names = itertools.chain([FIRST_ADMIN], (f"{FIRST_ADMIN}{number}" for number in itertools.count(2)))
    return next(name for name in names if name not in taken)
