"""The projection equals the log, exactly once, and `replay_events` names it where it does not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.events.contracts import AlertRaised, ProcessStarted
from apps.events.models import ActivityCount, ConsumerCheckpoint
from apps.events.selectors import log_lag
from apps.events.services import project_activity, record_event, replay_activity
from tests.integration.events.conftest import sealed_log, tamper

pytestmark = pytest.mark.django_db


def rows() -> set[tuple[str, date, int, int]]:
    return set(ActivityCount.objects.values_list("event_type", "day", "count", "last_position"))


def two_days() -> None:
    for day in (1, 1, 2):
        record_event(ProcessStarted(process="web", pid=1), occurred_at=datetime(2026, 1, day, 23, 59, 59, tzinfo=UTC))
    record_event(AlertRaised(level="INFO", title="t", message="m"), occurred_at=datetime(2026, 1, 2, tzinfo=UTC))
    sealed_log(0)


def test_events_are_counted_by_type_and_day_whatever_the_batches() -> None:
    two_days()
    assert [project_activity(limit=3), project_activity(limit=3), project_activity(limit=3)] == [3, 1, 0]
    assert rows() == {
        ("system.process_started", date(2026, 1, 1), 2, 2),
        ("system.process_started", date(2026, 1, 2), 1, 3),
        ("system.alert_raised", date(2026, 1, 2), 1, 4),
    }
    assert log_lag().projected_position == 4


def test_a_projection_that_dies_half_way_counts_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    two_days()

    def die(self: ConsumerCheckpoint, **_: object) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(ConsumerCheckpoint, "save", die)
        with pytest.raises(OSError, match="power cut"):
            project_activity()
    assert rows() == set()
    project_activity()
    assert sum(count for _, _, count, _ in rows()) == 4


def test_a_replay_of_an_untouched_projection_finds_it_equal() -> None:
    two_days()
    project_activity()
    sealed_log(6)
    report = replay_activity()
    assert (report.is_equal, report.events, report.through_position) == (True, 4, 4)
    out = StringIO()
    call_command("replay_events", stdout=out)
    assert out.getvalue() == "The projection equals the log: 4 events up to position 4.\n"


def test_differences_are_named_row_by_row_and_repaired_on_request() -> None:
    two_days()
    project_activity()
    genuine = rows()
    ActivityCount.objects.filter(event_type="system.alert_raised").delete()
    ActivityCount.objects.filter(day=date(2026, 1, 1)).update(count=7)
    ActivityCount.objects.create(event_type="never.happened", day=date(2026, 1, 1), count=1, last_position=1)
    err = StringIO()
    with pytest.raises(CommandError, match="does NOT equal") as raised:
        call_command("replay_events", stderr=err)
    assert raised.value.returncode == 1
    assert err.getvalue().splitlines() == [
        "never.happened on 2026-01-01: stored 1 events, last at position 1, the log says no row.",
        "system.alert_raised on 2026-01-02: stored no row, the log says 1 events, last at position 4.",
        "system.process_started on 2026-01-01: stored 7 events, last at position 2, the log says 2 events, last at position 2.",
    ]
    assert rows() != genuine
    call_command("replay_events", "--repair", stdout=StringIO(), stderr=StringIO())
    assert rows() == genuine
    assert replay_activity().is_equal


def test_an_event_that_no_code_can_read_is_named() -> None:
    two_days()
    project_activity()
    tamper("UPDATE event_log SET version = 9 WHERE position = 2")
    report = replay_activity()
    assert not report.is_equal
    assert report.differences == ()
    assert report.undecodable[0].startswith("Position 2: No event 'system.process_started' version 9 is registered, only version [1].")


def test_recording_goes_on_meanwhile() -> None:
    two_days()
    project_activity()
    record_event(ProcessStarted(process="web", pid=1), occurred_at=datetime.now(UTC) + timedelta(days=1))
    assert replay_activity().is_equal
