"""The log refuses every change but the sealer's one placing."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from apps.events.models import LoggedEvent
from apps.events.services import record_events, seal_batch
from tests.integration.events.conftest import sealed_log, some_events

pytestmark = pytest.mark.django_db

COLUMNS = [field.column for field in LoggedEvent._meta.fields]
OTHER_VALUES = {
    "id": "gen_random_uuid()",
    "event_type": "'x.y'",
    "version": "9",
    "priority": "1 - priority % 2",
    "subject": "'changed'",
    "actor": "'changed'",
    "payload": """'{"pid": 1.00}'""",
    "occurred_at": "now()",
    "recorded_at": "now()",
    "position": "77",
    "hash": "'\\x01'",
}


def assert_refused(statement: str, message: str) -> None:
    with pytest.raises(IntegrityError, match=message), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_every_column_of_a_sealed_event_is_fixed() -> None:
    sealed_log(1)
    assert sorted(OTHER_VALUES) == sorted(COLUMNS)
    for column in COLUMNS:
        assert_refused(f"UPDATE event_log SET {column} = {OTHER_VALUES[column]}", "append-only: event .* cannot be changed")


def test_every_other_column_of_an_unsealed_event_is_fixed_even_while_it_is_placed() -> None:
    record_events(some_events(1))
    for column in set(COLUMNS) - {"position", "hash"}:
        placing = f"UPDATE event_log SET position = 1, hash = '\\x00', {column} = {OTHER_VALUES[column]}"
        assert_refused(placing, "cannot be changed")
        assert_refused(f"UPDATE event_log SET {column} = {OTHER_VALUES[column]}", "cannot be changed")


def test_a_payload_that_is_equal_but_written_differently_is_a_change() -> None:
    record_events(some_events(3))
    assert_refused(
        """UPDATE event_log SET position = 1, hash = '\\x00', payload = '{"pid": 2.0, "process": "web"}'
           WHERE event_type = 'system.process_started'""",
        "cannot be changed",
    )


def test_a_place_needs_position_and_hash_and_is_given_once() -> None:
    record_events(some_events(1))
    assert_refused("UPDATE event_log SET position = 1", "cannot be changed")
    assert_refused("UPDATE event_log SET hash = '\\x00'", "cannot be changed")
    assert seal_batch() == 1
    assert_refused("UPDATE event_log SET position = NULL, hash = NULL", "cannot be changed")


def test_deleting_is_refused_sealed_or_not() -> None:
    record_events(some_events(1))
    assert_refused("DELETE FROM event_log", "append-only: event .* cannot be deleted")
    seal_batch()
    assert_refused("DELETE FROM event_log", "cannot be deleted")


def test_truncating_is_refused() -> None:
    record_events(some_events(1))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert_refused("TRUNCATE event_log CASCADE", "cannot be truncated")
    assert LoggedEvent.objects.count() == 1
