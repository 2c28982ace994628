"""A key is answered once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection

from apps.access.models import IdempotentRequest, User
from apps.access.services import StoredAnswer, answer_once, request_fingerprint
from apps.core.errors import Conflict, InvalidInput


def fingerprint(quantity: int = 1) -> str:
    return request_fingerprint(method="POST", path="/api/v1/orders/", body={"quantity": quantity, "side": "BUY"})


def test_fingerprint_ignores_the_order_of_fields_and_a_trailing_slash() -> None:
    same = request_fingerprint(method="POST", path="/api/v1/orders", body={"side": "BUY", "quantity": 1})
    assert same == fingerprint()
    assert fingerprint(2) != fingerprint()


@pytest.mark.django_db
def test_second_request_gets_the_first_answer() -> None:
    user = User.objects.create_user("ann")
    calls: list[int] = []

    def handle() -> StoredAnswer:
        calls.append(1)
        return StoredAnswer(201, {"id": len(calls), "price": Decimal("1.50")})

    first = answer_once(user_id=user.pk, key="k", fingerprint=fingerprint(), handle=handle)
    second = answer_once(user_id=user.pk, key="k", fingerprint=fingerprint(), handle=handle)
    assert first == StoredAnswer(201, {"id": 1, "price": "1.50"}, is_repeat=False)
    assert second == StoredAnswer(201, {"id": 1, "price": "1.50"}, is_repeat=True)
    assert len(calls) == 1


@pytest.mark.django_db
def test_other_body_with_the_same_key_is_a_conflict_and_does_nothing() -> None:
    user = User.objects.create_user("ann")
    answer_once(user_id=user.pk, key="k", fingerprint=fingerprint(), handle=lambda: StoredAnswer(201, {}))
    with pytest.raises(Conflict) as conflict:
        answer_once(user_id=user.pk, key="k", fingerprint=fingerprint(2), handle=lambda: pytest.fail("must not run"))
    assert conflict.value.code == "idempotency_key_reused"


@pytest.mark.django_db
def test_keys_of_two_users_are_apart() -> None:
    for name in ("ann", "bob"):
        user = User.objects.create_user(name)
        answer = answer_once(user_id=user.pk, key="k", fingerprint=fingerprint(), handle=lambda: StoredAnswer(201, {}))
        assert not answer.is_repeat


@pytest.mark.django_db
def test_failed_request_leaves_the_key_free() -> None:
    user = User.objects.create_user("ann")

    def broken() -> StoredAnswer:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        answer_once(user_id=user.pk, key="k", fingerprint=fingerprint(), handle=broken)
    assert not IdempotentRequest.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 101, "ä", "a\nb"])
def test_impossible_keys_are_refused(key: str) -> None:
    user = User.objects.create_user("ann")
    with pytest.raises(InvalidInput):
        answer_once(user_id=user.pk, key=key, fingerprint=fingerprint(), handle=lambda: pytest.fail("must not run"))


@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_run_once() -> None:
    user = User.objects.create_user("ann")
    calls: list[int] = []

    def handle() -> StoredAnswer:
        calls.append(1)
        return StoredAnswer(201, {"n": len(calls)})

    def one(_: int) -> StoredAnswer:
        try:
            return answer_once(user_id=user.pk, key="k", fingerprint=fingerprint(), handle=handle)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(100)))
    assert len(calls) == 1
    assert {answer.body["n"] for answer in answers} == {1}
    assert sum(not answer.is_repeat for answer in answers) == 1
