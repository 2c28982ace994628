"""`verify_log` names what somebody with the rights of the owner did to the log."""

from __future__ import annotations

from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from apps.events.models import LoggedEvent
from apps.events.selectors import verify_log
from apps.events.selectors.verification import anchor_of
from apps.events.services import accept_log, log_identity, record_events, seal_batch
from tests.forgery import rechain_from
from tests.integration.events.conftest import sealed_log, some_events, tamper

pytestmark = pytest.mark.django_db


def recompute_chain(first: int, last: int) -> None:
    """Make the stored hashes of positions `first` to `last` fit the rows again, as a careful forger would."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE event_log DISABLE TRIGGER USER")
        rechain_from(first, last)
        cursor.execute("ALTER TABLE event_log ENABLE TRIGGER event_log_append_only")


def named() -> list[tuple[str, int]]:
    return [(finding.code, finding.position) for finding in verify_log().findings]


def command() -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_log", stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, f"{err.getvalue()}{error}"
    return 0, out.getvalue()


def test_an_untouched_log_is_intact_and_says_count_and_head() -> None:
    sealed_log(20)
    head = bytes(LoggedEvent.objects.get(position=20).hash).hex()
    assert command() == (0, f"The event log is intact: 20 events, head {head}.\n")


def test_an_empty_log_is_intact() -> None:
    assert command() == (0, "The event log is intact: 0 events, head none.\n")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "'somebody else'"),
        ("subject", "'other'"),
        ("event_type", "'system.alert_lowered'"),
        ("version", "2"),
        ("priority", "1"),
        ("payload", """'{"level": "INFO", "title": "6", "message": "not told"}'"""),
        ("occurred_at", "occurred_at + interval '1 microsecond'"),
        ("recorded_at", "recorded_at - interval '1 microsecond'"),
        ("id", "gen_random_uuid()"),
    ],
)
def test_a_changed_row_is_named_whatever_column_was_changed(column: str, value: str) -> None:
    sealed_log(20)
    tamper(f"UPDATE event_log SET {column} = {value} WHERE position = 7")
    row = LoggedEvent.objects.get(position=7)
    code, text = command()
    assert code == 1
    assert text.splitlines() == [
        f"The row at position 7 was changed (id {row.id}, {row.event_type}).",
        "The event log is NOT intact: 1 findings in 20 events.",
    ]


def test_a_row_changed_together_with_its_own_hash_is_named() -> None:
    sealed_log(20)
    tamper("UPDATE event_log SET actor = 'x' WHERE position = 7")
    recompute_chain(7, 7)
    assert named() == [("recomputed", 7)]


def test_a_changed_hash_alone_is_named() -> None:
    sealed_log(20)
    tamper("UPDATE event_log SET hash = %s WHERE position = 7", sha256(b"x").digest())
    assert named() == [("changed_hash", 7)]
    tamper("UPDATE event_log SET hash = NULL WHERE position = 7")
    assert named() == [("changed_hash", 7)]


@pytest.mark.parametrize("kept", [19, 10, 1])
def test_a_deleted_tail_is_named(kept: int) -> None:
    sealed_log(20)
    tamper("DELETE FROM event_log WHERE position > %s", kept)
    assert named() == [("deleted_tail", kept + 1)]
    assert f"the log ends at {kept}" in command()[1]


def test_a_log_emptied_altogether_is_named() -> None:
    sealed_log(20)
    tamper("DELETE FROM event_log")
    assert named() == [("deleted_tail", 1)]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_logidentity")
    assert named() == [("log_missing", 0)]


def test_rows_missing_from_the_middle_are_named_and_nothing_else_is() -> None:
    sealed_log(20)
    tamper("DELETE FROM event_log WHERE position BETWEEN 5 AND 7")
    tamper("DELETE FROM event_log WHERE position = 12")
    found = verify_log()
    assert [finding.sentence for finding in found.findings] == [
        "Missing from the middle: positions 5 to 7.",
        "Missing from the middle: position 12.",
    ]


@pytest.mark.parametrize("first", [1, 2, 11, 20])
def test_a_chain_recomputed_from_an_altered_row_is_named_by_its_first_position(first: int) -> None:
    sealed_log(20)
    tamper("UPDATE event_log SET payload = '{}' WHERE position = %s", first)
    recompute_chain(first, 20)
    row = LoggedEvent.objects.get(position=first)
    code, text = command()
    assert code == 1
    assert text.startswith(f"The chain was recomputed from position {first} on (id {row.id}, {row.event_type})")
    assert named() == [("recomputed", first)]


def test_a_tail_deleted_and_rewritten_is_named() -> None:
    sealed_log(20)
    tamper("DELETE FROM event_log WHERE position > 15")
    sealed = anchor_of(log_identity()).path.read_bytes()
    record_events(some_events(5, first=500))
    seal_batch()
    assert anchor_of(log_identity()).path.read_bytes() == sealed
    assert named() == [("recomputed", 16)]


def test_two_changes_far_apart_are_both_named() -> None:
    sealed_log(20)
    tamper("UPDATE event_log SET actor = 'x' WHERE position IN (3, 4, 17)")
    assert named() == [("changed", 3), ("changed", 4), ("changed", 17)]


def test_a_damaged_anchor_is_named_and_not_blamed_on_the_log() -> None:
    sealed_log(20)
    path = anchor_of(log_identity()).path
    whole = bytearray(path.read_bytes())
    whole[40 * 6 + 20] ^= 1
    path.write_bytes(bytes(whole))
    assert named() == [("damaged_anchor", 7)]


def test_a_missing_anchor_is_named() -> None:
    sealed_log(20)
    anchor_of(log_identity()).path.unlink()
    code, text = command()
    assert code == 1
    assert "The anchor file" in text
    assert "is missing" in text


def test_a_log_replaced_by_a_new_one_leaves_a_note() -> None:
    sealed_log(2)
    old = log_identity()
    tamper("DELETE FROM event_log")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_logidentity")
    sealed_log(1)
    code, text = command()
    assert code == 0
    assert text.startswith(f"Note: anchors of other logs lie here, too ({old}.anchor).")


def test_a_removed_identity_is_named() -> None:
    sealed_log(2)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_logidentity")
    assert named() == [("identity_missing", 0)]


def test_accepting_a_log_keeps_the_old_anchor_aside_and_says_so_in_the_log(data_dir: Path) -> None:
    sealed_log(20)
    tamper("DELETE FROM event_log WHERE position > 15")
    assert accept_log(reason="restored a backup", actor="ada") == 15
    assert verify_log().is_intact
    sealed_log(0)
    last = LoggedEvent.objects.get(position=16)
    assert (last.event_type, last.actor, last.payload["reason"]) == ("system.log_reanchored", "ada", "restored a backup")
    assert len(list((data_dir / "anchor").glob("*.replaced-*"))) == 1
