"""Leases with fencing tokens."""

from __future__ import annotations

import threading

import psutil
import pytest
from django.db import connection

from apps.common import leases
from apps.core.errors import OwnershipLost

pytestmark = pytest.mark.django_db


def expire(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE common_lease SET expires_at = clock_timestamp() - interval '1 millisecond' WHERE name = %s", [name])


def test_a_held_lease_is_refused_to_others_and_renewed_by_its_owner() -> None:
    first = leases.acquire("a", seconds=30, owner="one")
    assert first is not None
    assert first.token == 1
    assert leases.acquire("a", seconds=30, owner="two") is None
    renewed = leases.acquire("a", seconds=30, owner="one")
    assert renewed == first
    leases.fence(first)


def test_a_new_owner_gets_a_larger_token_and_the_old_one_is_fenced_off() -> None:
    old = leases.acquire("a", seconds=30, owner="one")
    assert old is not None
    expire("a")
    with pytest.raises(OwnershipLost):
        leases.fence(old)
    new = leases.acquire("a", seconds=30, owner="two")
    assert new is not None
    assert new.token == old.token + 1
    with pytest.raises(OwnershipLost):
        leases.fence(old)
    leases.fence(new)


def test_releasing_hands_over_at_once_and_only_ones_own_lease() -> None:
    old = leases.acquire("a", seconds=30, owner="one")
    assert old is not None
    leases.release(old)
    new = leases.acquire("a", seconds=30, owner="two")
    assert new is not None
    leases.release(old)
    leases.fence(new)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_one_gets_it() -> None:
    got: list[str] = []
    start = threading.Barrier(8)

    def ask(owner: str) -> None:
        try:
            start.wait()
            if leases.acquire("contended", seconds=30, owner=owner):
                got.append(owner)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=[f"owner {number}"]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_the_identity_of_a_process_does_not_change() -> None:
    assert leases.process_identity() == leases.process_identity()
    assert len(leases.process_identity()) <= 120


def test_setting_the_clock_does_not_make_a_living_owner_a_dead_one(monkeypatch: pytest.MonkeyPatch) -> None:
    before = leases.process_identity()
    boot = psutil.boot_time()
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: boot + 3600)
    assert leases.process_identity() == before
    assert not leases._has_ended(before)
