"""Identifiers: time-ordered uuid7, and client order ids that are deterministic and unique for ever."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A version-7 UUID (RFC 9562): 48 bits of milliseconds, then sub-millisecond order within this process, then random bits."""
    global _last
    with _lock:
        now = time.time_ns()
        _last = now if now > _last else _last + 245
        stamp = _last
    milliseconds, rest = divmod(stamp, 1_000_000)
    fraction = (rest * 4096) // 1_000_000
    random_bits = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random_bits
    return UUID(int=value)


def client_order_id(*, account_id: UUID, origin: str, sequence: int = 0) -> str:
    """Our order id at a venue: the same origin always gives the same id, other origins never do.

    32 characters of [a-z0-9-], within what the strictest venue accepts (36).
    """
    digest = hashlib.blake2b(f"{account_id}|{origin}|{sequence}".encode(), digest_size=14).hexdigest()
    return f"ts-{digest}"


def deterministic_uuid(*parts: object) -> UUID:
    """A UUID that depends on `parts` alone (version 8), for rows that must be the same when written again."""
    digest = bytearray(hashlib.blake2b("|".join(str(part) for part in parts).encode(), digest_size=16).digest())
    digest[6] = 0x80 | digest[6] & 0x0F
    digest[8] = 0x80 | digest[8] & 0x3F
    return UUID(bytes=bytes(digest))
