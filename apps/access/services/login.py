"""Log-in by password: five failures of a name from an address lock that pair for five minutes.

Attempts of one pair are taken one after the other under a row lock, so that a hundred at once test five passwords and no more.
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime, timedelta

from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest

from apps.access.contracts import LogInLocked
from apps.access.models import LoginThrottle, User
from apps.events.contracts import LockedOut, LoginFailed, UserLoggedIn
from apps.events.services import record_event

FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=5)
LONGEST_NAME = 150


def authenticate_with_lockout(
    *,
    username: str,
    password: str,
    remote_addr: str,
    method: str = "password",
    request: HttpRequest | None = None,
    now: datetime | None = None,
) -> User | None:
    """The active user of these credentials, or None. Raises LogInLocked, without looking at the password, while the pair is locked."""
    now = now or datetime.now(UTC)
    user, locked_seconds = _attempt(
        username=_storable(username), password=password, remote_addr=remote_addr, method=method, request=request, now=now
    )
    if locked_seconds:
        raise LogInLocked(retry_after=locked_seconds)
    return user


@transaction.atomic
def _attempt(
    *, username: str, password: str, remote_addr: str, method: str, request: HttpRequest | None, now: datetime
) -> tuple[User | None, int]:
    """One attempt in one transaction: the user or None, and the seconds left of a lock that was there before."""
    counter = _locked_counter(_pair(username, remote_addr))
    if counter.locked_until is not None and counter.locked_until > now:
        return None, math.ceil((counter.locked_until - now).total_seconds())
    if counter.locked_until is not None or now - counter.updated_at > LOCKED_FOR:
        counter.failures, counter.locked_until = 0, None
    user = authenticate(request, username=username, password=password)
    if isinstance(user, User):
        counter.delete()
        record_event(UserLoggedIn(username=user.username, method=method), occurred_at=now, actor=user.username)
        return user, 0
    _count_failure(counter, username, now)
    return None, 0


def _locked_counter(name: str) -> LoginThrottle:
    """The counter of the pair, its row locked until the end of the transaction."""
    while True:
        LoginThrottle.objects.bulk_create([LoginThrottle(name=name)], ignore_conflicts=True)
        counter = LoginThrottle.objects.select_for_update().filter(name=name).first()
        if counter is not None:
            return counter


def _count_failure(counter: LoginThrottle, username: str, now: datetime) -> None:
    counter.failures += 1
    if counter.failures >= FAILURES_ALLOWED:
        counter.locked_until = now + LOCKED_FOR
        record_event(LockedOut(username=username, seconds=int(LOCKED_FOR.total_seconds())), occurred_at=now, actor="anonymous")
    counter.save()
    record_event(LoginFailed(username=username), occurred_at=now, actor="anonymous")


def _storable(username: str) -> str:
    """The name as PostgreSQL can take it: no NUL, no half of a surrogate pair, not longer than a name may be."""
    return username.encode(errors="replace").decode().replace("\0", "?")[:LONGEST_NAME]


def _pair(username: str, remote_addr: str) -> str:
    """The key of a name and an address; a digest, because the name is whatever somebody typed."""
    return hashlib.sha256(f"{username.casefold()}\0{remote_addr}".encode()).hexdigest()
