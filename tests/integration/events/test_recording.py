"""Recording: in the caller's transaction, one statement, refused before the database sees nonsense."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.core.errors import InvalidInput
from apps.events import selectors
from apps.events.contracts import AlertLevel, AlertRaised, ProcessStale, ProcessStarted
from apps.events.models import LoggedEvent
from apps.events.services import NewEvent, raise_alert, record_event, record_events

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.django_db
def test_an_event_is_one_statement_and_comes_back_whole() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        event_id = record_event(ProcessStarted(process="web", pid=7), occurred_at=NOW, actor="ada", subject="web")
    assert len(queries) == 1
    row = LoggedEvent.objects.get()
    assert (row.id, row.event_type, row.version, row.priority) == (event_id, "system.process_started", 1, 2)
    assert (row.subject, row.actor, row.payload) == ("web", "ada", {"process": "web", "pid": 7})
    assert (row.occurred_at, row.position, row.hash) == (NOW, None, None)
    assert isinstance(event_id, UUID)


@pytest.mark.django_db(transaction=True)
def test_an_event_is_gone_with_its_transaction() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record_event(ProcessStarted(process="web", pid=7), occurred_at=NOW)
        raise ZeroDivisionError
    assert LoggedEvent.objects.count() == 0


@pytest.mark.django_db
def test_many_events_are_one_statement_in_order() -> None:
    items = [NewEvent(ProcessStarted(process="web", pid=number), NOW, subject=str(number)) for number in range(50)]
    with CaptureQueriesContext(connection) as queries:
        ids = record_events(items)
    assert len(queries) == 1
    assert [row.id for row in LoggedEvent.objects.order_by("id")] == ids
    assert [row.payload["pid"] for row in LoggedEvent.objects.order_by("id")] == list(range(50))
    assert record_events([]) == []


@pytest.mark.django_db
def test_a_nan_a_naive_time_and_a_long_subject_are_refused_before_the_database() -> None:
    with pytest.raises(InvalidInput, match="finite"):
        record_event(ProcessStale(process="web", age_seconds=float("nan")), occurred_at=NOW)
    with pytest.raises(InvalidInput, match="time zone"):
        record_event(ProcessStarted(process="web", pid=1), occurred_at=datetime(2026, 1, 1))
    with pytest.raises(InvalidInput, match="80 characters"):
        record_event(ProcessStarted(process="web", pid=1), occurred_at=NOW, subject="x" * 81)
    assert LoggedEvent.objects.count() == 0


@pytest.mark.django_db
def test_a_nul_character_from_outside_is_replaced() -> None:
    record_event(AlertRaised(level="INFO", title="a\x00b", message="c"), occurred_at=NOW)
    assert LoggedEvent.objects.get().payload["title"] == "a\ufffdb"


@pytest.mark.django_db
def test_an_alert_is_an_event() -> None:
    raise_alert(AlertLevel.CRITICAL, "Feed lost", "No bar for a minute.", occurred_at=NOW, subject="venue")
    row = LoggedEvent.objects.get()
    assert (row.event_type, row.priority) == ("system.alert_raised", 0)
    assert row.payload == {"level": "CRITICAL", "title": "Feed lost", "message": "No bar for a minute."}


@pytest.mark.django_db
def test_the_subject_shows_events_that_wait_for_the_sealer() -> None:
    record_events([NewEvent(ProcessStarted(process="web", pid=number), NOW, subject="web") for number in range(3)])
    record_event(ProcessStarted(process="other", pid=9), occurred_at=NOW, subject="other")
    found = selectors.events_for_subject("web")
    assert [entry.payload["pid"] for entry in found] == [0, 1, 2]
    assert {entry.position for entry in found} == {None}
    lag = selectors.log_lag()
    assert (lag.head_position, lag.unsealed) == (0, 4)
