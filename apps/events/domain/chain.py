"""The hash chain of the log.

A row's hash is SHA-256 over the previous row's hash, the position as eight big-endian bytes, and the row's canonical line: every column
but position and hash, in PostgreSQL's COPY text format (tab-separated, escaped, so that no two rows share a line), times in microseconds.
"""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

HASH_BYTES = 32
POSITION_BYTES = 8

CANONICAL_COLUMNS = (
    "id, event_type, version, priority, subject, actor, payload,"
    " (extract(epoch FROM occurred_at) * 1000000)::bigint, (extract(epoch FROM recorded_at) * 1000000)::bigint"
)
"""The select list whose COPY line is hashed."""


def genesis(log_id: UUID) -> bytes:
    """The hash before position 1; another log starts from another one."""
    return sha256(b"trading-system event log 1 " + log_id.bytes).digest()


def link(previous: bytes, position: int, line: bytes) -> bytes:
    """The hash of the row at `position`, whose canonical line (without line end) is `line`."""
    return sha256(previous + position.to_bytes(POSITION_BYTES, "big") + line).digest()
