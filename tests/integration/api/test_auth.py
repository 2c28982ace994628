"""Tokens: obtain, refresh once, log out, lockout."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from apps.access.contracts import Role
from apps.access.models import User
from apps.events.models import LoggedEvent
from tests.integration.api.conftest import PASSWORD, user_of

pytestmark = pytest.mark.django_db


def log_in(password: str = PASSWORD, username: str = "viewer-user") -> Response:
    return APIClient().post("/api/v1/auth/token/", {"username": username, "password": password})


def refresh(token: str) -> Response:
    return APIClient().post("/api/v1/auth/refresh/", {"refresh": token})


def me(access: str) -> Response:
    return APIClient().get("/api/v1/auth/me/", headers={"Authorization": f"Bearer {access}"})


@pytest.fixture
def tokens(db: None) -> dict[str, str]:
    user_of(Role.VIEWER)
    answer = log_in()
    assert answer.status_code == 200
    return dict(answer.json())


def test_access_token_says_who_it_is(tokens: dict[str, str]) -> None:
    assert me(tokens["access"]).json() == {"username": "viewer-user", "role": "viewer", "is_superuser": False}
    logged = LoggedEvent.objects.get(event_type="access.user_logged_in")
    assert (logged.actor, logged.payload["method"]) == ("viewer-user", "token")


def test_refresh_token_is_rotated_and_good_once(tokens: dict[str, str]) -> None:
    second = refresh(tokens["refresh"])
    assert second.status_code == 200
    assert second.json()["refresh"] != tokens["refresh"]
    assert me(second.json()["access"]).status_code == 200
    again = refresh(tokens["refresh"])
    assert (again.status_code, again.json()["code"]) == (401, "token_not_valid")
    assert refresh(second.json()["refresh"]).status_code == 200


def test_logged_out_token_does_not_refresh(tokens: dict[str, str]) -> None:
    assert APIClient().post("/api/v1/auth/logout/", {"refresh": tokens["refresh"]}).status_code == 204
    assert refresh(tokens["refresh"]).status_code == 401
    assert APIClient().post("/api/v1/auth/logout/", {"refresh": tokens["refresh"]}).status_code == 401


def test_access_token_is_no_refresh_token_and_the_other_way_round(tokens: dict[str, str]) -> None:
    assert refresh(tokens["access"]).status_code == 401
    assert me(tokens["refresh"]).status_code == 401


def test_tokens_end_with_a_change_of_password(tokens: dict[str, str]) -> None:
    user = User.objects.get(username="viewer-user")
    user.set_password("another horse battery")
    user.save()
    assert me(tokens["access"]).status_code == 401
    assert refresh(tokens["refresh"]).status_code == 401


def test_tokens_end_with_deactivation(tokens: dict[str, str]) -> None:
    User.objects.update(is_active=False)
    assert me(tokens["access"]).status_code == 401
    assert refresh(tokens["refresh"]).status_code == 401


def test_expired_and_forged_tokens_are_refused(tokens: dict[str, str]) -> None:
    old = AccessToken.for_user(User.objects.get(username="viewer-user"))
    old.set_exp(lifetime=-timedelta(seconds=1))
    assert me(str(old)).status_code == 401
    head, body, signature = tokens["access"].split(".")
    forged = me(f"{head}.{body}.{signature[::-1]}")
    assert forged.status_code == 401
    assert forged.headers["WWW-Authenticate"].startswith("Bearer")
    assert forged.json()["code"] == "token_not_valid"


def test_wrong_password_is_a_problem_that_does_not_say_which_was_wrong() -> None:
    user_of(Role.VIEWER)
    wrong, unknown = log_in("nope"), log_in("nope", username="nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["detail"] == unknown.json()["detail"]


def test_sixth_attempt_is_locked_out_with_the_time_to_wait() -> None:
    user_of(Role.VIEWER)
    assert [log_in("nope").status_code for _ in range(5)] == [401] * 5
    locked = log_in()
    assert (locked.status_code, locked.json()["code"]) == (429, "locked_out")
    assert 290 <= int(locked.headers["Retry-After"]) <= 300


@pytest.mark.django_db(transaction=True)
def test_of_twenty_refreshes_at_once_one_succeeds() -> None:
    user_of(Role.VIEWER)
    token = log_in().json()["refresh"]

    def one(_: int) -> int:
        try:
            return refresh(token).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(one, range(20))) == [200] + [401] * 19


def test_session_needs_a_csrf_token_to_write() -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user_of(Role.TRADER))
    answer = client.post("/api/v1/orders/", {})
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_admin_has_no_log_in_of_its_own_that_nobody_counts() -> None:
    user_of(Role.ADMIN)
    answer = APIClient().post("/admin/login/?next=/admin/", {"username": "admin-user", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/?next=/admin/")
    assert not answer.cookies
