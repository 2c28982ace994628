"""The first administrator and the one-time log-in link."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.access.contracts import Role
from apps.access.models import LoginLink, User
from apps.access.services import ensure_first_admin, issue_login_link, redeem_login_link
from apps.core.errors import NotFound
from apps.events.models import LoggedEvent

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def token_of(path: str) -> str:
    return path.removeprefix("/login/link/").removesuffix("/")


def test_first_admin_is_created_once_and_the_password_told_once() -> None:
    name, password = ensure_first_admin()
    assert name == "admin"
    assert password is not None
    assert len(password) >= 20
    user = User.objects.get(username="admin")
    assert user.check_password(password)
    assert user.has_role(Role.ADMIN)
    assert ensure_first_admin() == ("admin", None)
    assert User.objects.count() == 1


def test_first_admin_takes_another_name_when_a_viewer_is_called_admin() -> None:
    User.objects.create_user("admin", password="x")
    name, password = ensure_first_admin()
    assert name == "admin2"
    assert password is not None
    assert not User.objects.get(username="admin").is_superuser


def test_roles_include_the_ones_before() -> None:
    risk = User(username="r", role=Role.RISK)
    assert [risk.has_role(role) for role in Role] == [True, True, True, False]
    assert not User(username="gone", role=Role.ADMIN, is_active=False).has_role(Role.VIEWER)


def test_link_logs_in_once() -> None:
    user = User.objects.create_user("ann")
    path = issue_login_link("ann", now=NOW)
    assert path.startswith("/login/link/")
    assert redeem_login_link(token_of(path), "127.0.0.1", now=NOW) == user
    assert redeem_login_link(token_of(path), "127.0.0.1", now=NOW) is None
    assert list(LoggedEvent.objects.order_by("id").values_list("event_type", "actor")) == [
        ("access.user_logged_in", "ann"),
        ("access.login_failed", "anonymous"),
    ]


def test_only_the_hash_of_a_token_is_stored() -> None:
    token = token_of(issue_login_link(User.objects.create_user("ann").pk, now=NOW))
    link = LoginLink.objects.get()
    assert token not in {link.token_hash, str(link.id)}
    assert len(link.token_hash) == 64


@pytest.mark.parametrize(
    ("address", "opens"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.7", False), ("::ffff:10.0.0.7", False), ("", False)],
)
def test_link_opens_on_this_machine_only(address: str, opens: bool) -> None:
    User.objects.create_user("ann")
    token = token_of(issue_login_link("ann", now=NOW))
    assert (redeem_login_link(token, address, now=NOW) is not None) is opens
    assert (LoginLink.objects.get().used_at is not None) is opens


def test_link_expires_after_fifteen_minutes() -> None:
    User.objects.create_user("ann")
    token = token_of(issue_login_link("ann", now=NOW))
    assert redeem_login_link(token, "127.0.0.1", now=NOW + timedelta(minutes=15)) is None


def test_link_of_a_deactivated_user_does_not_open() -> None:
    user = User.objects.create_user("ann")
    token = token_of(issue_login_link("ann", now=NOW))
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert redeem_login_link(token, "127.0.0.1", now=NOW) is None
    with pytest.raises(NotFound):
        issue_login_link("ann", now=NOW)
