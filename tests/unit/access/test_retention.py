"""What access keeps only for a while, and what it must not forget."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from apps.access.models import IdempotentRequest, LoginLink, LoginThrottle, User
from apps.access.services import forget_expired, issue_login_link, issue_tokens, revoke_tokens


@pytest.mark.django_db
def test_everything_goes_in_its_time() -> None:
    now = timezone.now()
    user = User.objects.create_user("ann", password="x")
    LoginThrottle.objects.create(name="pair", failures=3)
    issue_login_link("ann", now=now)
    IdempotentRequest.objects.create(user=user, key="k", request_hash="h")
    revoke_tokens(issue_tokens(user).refresh)

    def left(at: timedelta) -> list[int]:
        forget_expired(now=now + at)
        return [model.objects.count() for model in (LoginThrottle, LoginLink, IdempotentRequest, OutstandingToken, BlacklistedToken)]

    assert left(timedelta(hours=23)) == [1, 1, 1, 1, 1]
    assert left(timedelta(days=2)) == [0, 0, 1, 1, 1]
    assert left(timedelta(days=7, minutes=1)) == [0, 0, 0, 0, 0]
    assert User.objects.filter(pk=user.pk).exists()
