"""The projection `ActivityCount`: kept from sealed events in the order of positions, exactly once, because the rows and the position they
stand for change in one transaction."""

from __future__ import annotations

from datetime import date

from django.db import connection, transaction

from apps.core.errors import InvalidInput
from apps.events.contracts import ProjectionDifference, ReplayReport
from apps.events.domain.activity import ActivityRows, fold
from apps.events.models import ActivityCount, ConsumerCheckpoint
from apps.events.selectors.log import PROJECTION
from apps.events.selectors.packed import packed_through

PROJECT_BATCH = 10_000
UNDECODABLE_KEPT = 20

_ADD = """
    INSERT INTO events_activitycount AS kept (event_type, day, count, last_position)
    SELECT event_type, (occurred_at AT TIME ZONE 'UTC')::date, count(*), max(position)
    FROM event_log WHERE position > %(after)s AND position <= %(through)s
    GROUP BY 1, 2
    ON CONFLICT (event_type, day) DO UPDATE
    SET count = kept.count + excluded.count, last_position = greatest(kept.last_position, excluded.last_position)
"""
_LAST_OF_BATCH = (
    "SELECT max(position), count(*) FROM (SELECT position FROM event_log WHERE position > %s ORDER BY position LIMIT %s) AS batch"
)


def project_activity(*, limit: int = PROJECT_BATCH) -> int:
    """Take the next sealed events into the projection. Returns how many."""
    with transaction.atomic():
        checkpoint = _locked_checkpoint()
        with connection.cursor() as cursor:
            cursor.execute(_LAST_OF_BATCH, [checkpoint.position, limit])
            through, count = cursor.fetchone() or (None, 0)
            if through is None:
                return 0
            cursor.execute(_ADD, {"after": checkpoint.position, "through": through})
        checkpoint.position = through
        checkpoint.handled += count
        checkpoint.save()
    return int(count)


def replay_activity(*, repair: bool = False) -> ReplayReport:
    """Rebuild the projection from the log, decoding every event, and compare it row by row; `repair` writes what the log says.

    The projection stands still meanwhile (its checkpoint is locked); recording and sealing do not.
    """
    with transaction.atomic():
        through = _locked_checkpoint().position
        rebuilt: ActivityRows = {}
        undecodable: list[str] = []
        events = 0
        for item in packed_through(through):
            events += 1
            fold(rebuilt, item.event_type, item.occurred_at, item.position)
            try:
                item.envelope()
            except InvalidInput as error:
                undecodable.append(f"Position {item.position}: {error}")
        differences = _differences(rebuilt)
        if repair and differences:
            _rewrite(rebuilt)
    return ReplayReport(
        events=events, through_position=through, undecodable=tuple(undecodable[:UNDECODABLE_KEPT]), differences=tuple(differences)
    )


def _locked_checkpoint() -> ConsumerCheckpoint:
    ConsumerCheckpoint.objects.get_or_create(consumer=PROJECTION)
    return ConsumerCheckpoint.objects.select_for_update().get(consumer=PROJECTION)


def _differences(rebuilt: ActivityRows) -> list[ProjectionDifference]:
    stored: ActivityRows = {(row.event_type, row.day.isoformat()): (row.count, row.last_position) for row in ActivityCount.objects.all()}
    return [
        ProjectionDifference(event_type=key[0], day=key[1], stored=stored.get(key), replayed=rebuilt.get(key))
        for key in sorted(stored.keys() | rebuilt.keys())
        if stored.get(key) != rebuilt.get(key)
    ]


def _rewrite(rebuilt: ActivityRows) -> None:
    ActivityCount.objects.all().delete()
    ActivityCount.objects.bulk_create(
        ActivityCount(event_type=event_type, day=date.fromisoformat(day), count=count, last_position=last)
        for (event_type, day), (count, last) in sorted(rebuilt.items())
    )
