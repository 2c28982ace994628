"""How the bus and its handlers fare."""

from __future__ import annotations

from collections import Counter, defaultdict

from apps.events.contracts import DeadLetterView, HandlerStats
from apps.events.models import ConsumerCheckpoint, DeadLetter
from apps.events.selectors.log import head_position


def handler_stats() -> list[HandlerStats]:
    """Every handler that ever ran, its lanes summed up; its position is that of its slowest lane."""
    lanes: dict[str, list[ConsumerCheckpoint]] = defaultdict(list)
    for row in ConsumerCheckpoint.objects.filter(consumer__contains=":"):
        lanes[row.consumer.rpartition(":")[0]].append(row)
    dead = Counter(DeadLetter.objects.filter(resolved_at=None).values_list("handler", flat=True))
    head = head_position()
    return [_stats(handler, rows, head, dead[handler]) for handler, rows in sorted(lanes.items())]


def dead_letters(*, include_settled: bool = False, limit: int = 200) -> list[DeadLetterView]:
    """Dead letters, newest first; only the open ones unless asked."""
    rows = DeadLetter.objects.select_related("event").order_by("-created_at")
    if not include_settled:
        rows = rows.filter(resolved_at=None)
    return [_letter(row) for row in rows[:limit]]


def _stats(handler: str, rows: list[ConsumerCheckpoint], head: int, dead: int) -> HandlerStats:
    position = min(row.position for row in rows)
    return HandlerStats(
        handler=handler,
        position=position,
        lag=max(head - position, 0),
        handled=sum(row.handled for row in rows),
        failed=sum(row.failed for row in rows),
        retried=sum(row.retried for row in rows),
        dead=dead,
        seconds_total=sum(row.seconds_total for row in rows),
        updated_at=max(row.updated_at for row in rows),
    )


def _letter(row: DeadLetter) -> DeadLetterView:
    return DeadLetterView(
        id=row.id,
        handler=row.handler,
        event_id=row.event_id,
        event_type=row.event.event_type,
        position=row.event.position or 0,
        attempts=row.attempts,
        error=row.error,
        created_at=row.created_at,
        resolved_at=row.resolved_at,
    )
