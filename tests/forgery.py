"""What a careful forger does to the log. The caller has switched the triggers off."""

from __future__ import annotations

from django.db import connection

from apps.events.adapters.copying import copied
from apps.events.domain.chain import CANONICAL_COLUMNS, genesis, link
from apps.events.services import log_identity


def rechain_from(first: int, last: int | None = None) -> None:
    """Make the stored hashes of positions `first` to `last` (else to the end) fit the rows as they are now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM event_log WHERE position = %s", [first - 1])
        row = cursor.fetchone()
        digest = bytes(row[0]) if row else genesis(log_identity())
        until = f" AND position <= {int(last)}" if last is not None else ""
        lines = copied(f"SELECT position, {CANONICAL_COLUMNS} FROM event_log WHERE position >= {int(first)}{until} ORDER BY position")
        for line in lines:
            position, _, content = line.partition(b"\t")
            digest = link(digest, int(position), content)
            cursor.execute("UPDATE event_log SET hash = %s WHERE position = %s", [digest, int(position)])
