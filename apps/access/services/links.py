"""One-time log-in links: for this machine only, for fifteen minutes; the database knows the hash of the token alone."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from datetime import UTC, datetime, timedelta

from django.db import transaction

from apps.access.models import LoginLink, User
from apps.core.errors import NotFound
from apps.events.contracts import LoginFailed, UserLoggedIn
from apps.events.services import record_event

LIFETIME = timedelta(minutes=15)


def issue_login_link(user: int | str, *, now: datetime | None = None) -> str:
    """A path that logs in once: `user` is an id or a username. Raises NotFound for a user that is not there or not active."""
    owner = _active_user(user)
    token = secrets.token_urlsafe(32)
    LoginLink.objects.create(user=owner, token_hash=_hash(token), expires_at=(now or datetime.now(UTC)) + LIFETIME)
    return f"/login/link/{token}/"


@transaction.atomic
def redeem_login_link(token: str, remote_addr: str, *, now: datetime | None = None) -> User | None:
    """The user of a link that is unused, unexpired and opened on this machine, and the link is used up; else None."""
    now = now or datetime.now(UTC)
    if not is_loopback(remote_addr):
        record_event(LoginFailed(username="(log-in link from elsewhere)"), occurred_at=now, actor="anonymous")
        return None
    claimed = LoginLink.objects.filter(
        token_hash=_hash(token), used_at=None, expires_at__gt=now, user__is_active=True
    ).update(used_at=now)  # fmt: skip
    if not claimed:
        record_event(LoginFailed(username="(log-in link)"), occurred_at=now, actor="anonymous")
        return None
    user = LoginLink.objects.select_related("user").get(token_hash=_hash(token)).user
    record_event(UserLoggedIn(username=user.username, method="link"), occurred_at=now, actor=user.username)
    return user


def is_loopback(remote_addr: str) -> bool:
    """Whether the address is of this machine; an unreadable one is not."""
    try:
        address = ipaddress.ip_address(remote_addr)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _active_user(user: int | str) -> User:
    lookup = {"pk": user} if isinstance(user, int) else {"username": user}
    found = User.objects.filter(is_active=True, **lookup).first()
    if found is None:
        raise NotFound(f"There is no active user {user!r}.", where="user", hint="Create one with `manage.py createsuperuser`.")
    return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
