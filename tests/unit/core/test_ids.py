"""Identifiers: time-ordered, unique, deterministic where they must be."""

from __future__ import annotations

import re
import threading
import time
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.core.ids import client_order_id, deterministic_uuid, uuid7


def test_uuid7s_of_a_process_are_unique_and_grow() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(item.version, item.variant) for item in made} == {(7, RFC_4122)}


def test_a_uuid7_tells_its_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_threads_never_make_the_same() -> None:
    made: list[UUID] = []

    def make() -> None:
        own = [uuid7() for _ in range(2_000)]
        assert own == sorted(own)
        made.extend(own)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8_000


@given(st.uuids(), st.text(max_size=60), st.integers(0, 10**6))
def test_a_client_order_id_is_deterministic_and_fits_strict_venues(account_id: UUID, origin: str, sequence: int) -> None:
    first = client_order_id(account_id=account_id, origin=origin, sequence=sequence)
    assert first == client_order_id(account_id=account_id, origin=origin, sequence=sequence)
    assert re.fullmatch(r"[a-z0-9-]{1,36}", first)


@given(st.lists(st.tuples(st.uuids(), st.text(max_size=20), st.integers(0, 99)), unique=True, max_size=50))
def test_different_origins_give_different_client_order_ids(origins: list[tuple[UUID, str, int]]) -> None:
    made = {client_order_id(account_id=account_id, origin=origin, sequence=sequence) for account_id, origin, sequence in origins}
    assert len(made) == len(origins)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_deterministic_uuid_depends_on_its_parts_alone(left: str, right: str) -> None:
    made = deterministic_uuid(left, right)
    assert made == deterministic_uuid(left, right)
    assert (made.version, made.variant) == (8, RFC_4122)


@given(st.lists(st.lists(st.text(max_size=6), min_size=1, max_size=3).map(tuple), unique=True, max_size=30))
def test_different_parts_give_different_uuids(parts: list[tuple[str, ...]]) -> None:
    assert len({deterministic_uuid(*item) for item in parts}) == len(parts)
