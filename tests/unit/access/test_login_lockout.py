"""Five failures lock a name and address for five minutes, also when a hundred come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.access.contracts import LogInLocked
from apps.access.models import LoginThrottle, User
from apps.access.services import authenticate_with_lockout, login
from apps.events.models import LoggedEvent

RIGHT, WRONG = "right horse battery", "wrong"


def attempt(password: str, *, username: str = "ann", address: str = "10.0.0.1", now: datetime | None = None) -> User | None:
    return authenticate_with_lockout(username=username, password=password, remote_addr=address, now=now or datetime.now(UTC))


def fail(times: int, now: datetime) -> None:
    for _ in range(times):
        assert attempt(WRONG, now=now) is None


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann", password=RIGHT)


def test_right_password_logs_in_and_is_recorded(ann: User) -> None:
    assert attempt(RIGHT) == ann
    assert LoggedEvent.objects.get().payload == {"username": "ann", "method": "password"}
    assert not LoginThrottle.objects.exists()


def test_fifth_failure_locks_and_the_right_password_does_not_help(ann: User) -> None:
    now = datetime.now(UTC)
    fail(5, now)
    with pytest.raises(LogInLocked) as locked:
        attempt(RIGHT, now=now + timedelta(seconds=1))
    assert locked.value.retry_after == 299
    assert LoggedEvent.objects.filter(event_type="access.locked_out").count() == 1


def test_lock_ends_after_five_minutes_with_a_fresh_count(ann: User) -> None:
    now = datetime.now(UTC)
    fail(5, now)
    fail(4, now + timedelta(minutes=5))
    assert attempt(RIGHT, now=now + timedelta(minutes=5, seconds=1)) == ann


def test_success_forgets_the_failures_before_it(ann: User) -> None:
    now = datetime.now(UTC)
    fail(4, now)
    assert attempt(RIGHT, now=now) == ann
    fail(4, now)
    assert attempt(RIGHT, now=now) == ann


def test_other_addresses_and_names_are_not_locked(ann: User) -> None:
    fail(5, datetime.now(UTC))
    assert attempt(RIGHT, address="10.0.0.2") == ann
    assert attempt(WRONG, username="bob") is None


def test_names_differing_in_case_share_one_count(ann: User) -> None:
    now = datetime.now(UTC)
    for name in ("ann", "Ann", "aNN", "ANN", "anN"):
        attempt(WRONG, username=name, now=now)
    with pytest.raises(LogInLocked):
        attempt(RIGHT, now=now)


def test_inactive_user_cannot_log_in(ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert attempt(RIGHT) is None


def test_names_that_no_database_takes_are_only_wrong(ann: User) -> None:
    assert attempt(WRONG, username="x" * 5000) is None
    assert attempt(WRONG, username="\ud800 and \0") is None


@pytest.mark.django_db(transaction=True)
def test_a_hundred_bad_log_ins_at_once_test_five_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("ann", password=RIGHT)
    tested: list[str] = []
    real = login.authenticate

    def counting(request: Any, **credentials: str) -> Any:
        tested.append(credentials["password"])
        return real(request, **credentials)

    monkeypatch.setattr(login, "authenticate", counting)

    def one(number: int) -> str:
        try:
            return str(attempt(f"guess {number}"))
        except LogInLocked:
            return "locked"
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(100)))
    assert len(tested) == 5
    assert sorted(answers) == ["None"] * 5 + ["locked"] * 95
    assert LoggedEvent.objects.filter(event_type="access.login_failed").count() == 5
