"""Sealing: each event gets its position and its place in the hash chain, then the anchor outside the database learns of it.

Writers never wait for the sealer: they insert, it orders. Two sealers at once would only take turns (advisory lock), so a lost lease
costs nothing but time.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from apps.common.locks import Lock, lock_in_transaction
from apps.core.errors import Conflict
from apps.core.ids import uuid7
from apps.events.adapters.anchor import AnchorDamaged, AnchorFile, AnchorWriter, pack_record
from apps.events.adapters.copying import copied
from apps.events.domain.chain import CANONICAL_COLUMNS, genesis, link
from apps.events.models import LogIdentity
from apps.events.selectors.verification import SEAL_BATCH, anchor_of

_PLACE = """
    UPDATE event_log SET position = placed.position, hash = placed.hash
    FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[]) AS placed (id, position, hash)
    WHERE event_log.id = placed.id AND event_log.position IS NULL
"""


@dataclass(frozen=True)
class LogHead:
    """The newest sealed row: position 0 and the genesis hash before the first."""

    position: int
    digest: bytes


def log_identity() -> UUID:
    """Which log this is; decided at the first call, which also starts the anchor file."""
    known = LogIdentity.objects.filter(pk=1).values_list("log_id", flat=True).first()
    if known is not None:
        return known
    row, is_new = LogIdentity.objects.get_or_create(pk=1, defaults={"log_id": uuid7()})
    if is_new:
        with anchor_of(row.log_id).opened_for_append():
            pass
    return row.log_id


def seal_batch(*, limit: int = SEAL_BATCH) -> int:
    """Place up to `limit` unsealed events behind the head, in the order of their ids. Returns how many."""
    log_id = log_identity()
    with transaction.atomic():
        lock_in_transaction(Lock.SEALER)
        lines = copied(f"SELECT {CANONICAL_COLUMNS} FROM event_log WHERE position IS NULL ORDER BY id LIMIT {int(limit)}")
        if lines:
            _place(lines, log_head(log_id))
    return len(lines)


def anchor_sealed() -> int:
    """Write what is sealed and not yet anchored to the anchor file, and wait for the disk. Returns how many rows.

    Raises AnchorDamaged where file and log cannot belong together: then nothing is written, for it would cover up what was done.
    """
    log_id = log_identity()
    anchor = anchor_of(log_id)
    head = log_head(log_id)
    if head.position and not anchor.exists():
        raise AnchorDamaged(f"The anchor file is missing while the log has {head.position} sealed events.", where=str(anchor.path))
    with anchor.opened_for_append() as writer:
        # Read again behind the file's lock: another sealer may have anchored more than was sealed a moment ago.
        return _catch_up(writer, anchor, log_head(log_id))


def start_new_anchor(*, suffix: str) -> int:
    """Set the present anchor file aside and anchor the log as it stands. Returns the number of rows; the caller says why in the log."""
    anchor = anchor_of(log_identity())
    anchor.set_aside(suffix)
    with anchor.opened_for_append() as writer:
        return _append_after(writer, 0)


def log_head(log_id: UUID) -> LogHead:
    """The newest sealed row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT position, hash FROM event_log WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1")
        row = cursor.fetchone()
    return LogHead(row[0], bytes(row[1] or b"")) if row else LogHead(0, genesis(log_id))


def _place(lines: list[bytes], head: LogHead) -> None:
    digest = head.digest
    digests: list[bytes] = []
    positions = list(range(head.position + 1, head.position + 1 + len(lines)))
    for position, line in zip(positions, lines, strict=True):
        digest = link(digest, position, line)
        digests.append(digest)
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, [[line[:36].decode() for line in lines], positions, digests])
        if cursor.rowcount != len(lines):
            raise Conflict(
                f"Only {cursor.rowcount} of {len(lines)} events could be placed; somebody else placed the others.", where="event_log"
            )


def _catch_up(writer: AnchorWriter, anchor: AnchorFile, head: LogHead) -> int:
    tail = writer.tail()
    if tail.position > head.position:
        raise AnchorDamaged(f"The anchor knows {tail.position} events, the log has {head.position}.", where=str(anchor.path))
    if head.position - tail.position > SEAL_BATCH:
        raise AnchorDamaged(f"The anchor ends at {tail.position}, the log at {head.position}.", where=str(anchor.path))
    if tail.position and _stored_hash(tail.position) != tail.digest:
        raise AnchorDamaged(f"The row at position {tail.position} does not carry the anchored hash.", where=str(anchor.path))
    return _append_after(writer, tail.position)


def _append_after(writer: AnchorWriter, position: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT position, hash FROM event_log WHERE position > %s ORDER BY position", [position])
        written = 0
        while rows := cursor.fetchmany(SEAL_BATCH):
            writer.append([pack_record(number, bytes(digest)) for number, digest in rows])
            written += len(rows)
    return written


def _stored_hash(position: int) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM event_log WHERE position = %s", [position])
        row = cursor.fetchone()
    return bytes(row[0] or b"") if row else b""
