"""Judging a log against its own chain and against the anchor, row by row, in constant memory.

Every row is asked two things: is it *linked* (its stored hash is that of its content and of the hash stored before it), and does it *agree* with
the anchor. An altered row is not linked. A chain recomputed from an altered row is linked and does not agree, to its end. If the disagreement
ends again at rows that are linked, the log is sound there and the anchor was damaged.
"""

from __future__ import annotations

from binascii import unhexlify
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from apps.events.domain.chain import HASH_BYTES, POSITION_BYTES, genesis, link

RECORD_BYTES = POSITION_BYTES + HASH_BYTES
FINDINGS_KEPT = 50


@dataclass(frozen=True)
class LogFinding:
    """One thing that is wrong with the log, in a plain sentence."""

    code: str
    position: int
    sentence: str


@dataclass(frozen=True)
class LogVerification:
    """What `verify_log` found. `findings` is capped; `findings_total` is not."""

    count: int
    unsealed: int
    unanchored: int
    head_hash: str
    findings: tuple[LogFinding, ...]
    findings_total: int
    other_anchors: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        return self.findings_total == 0


class ChainVerifier:
    """Takes the log's lines (hash in hex, position, canonical line; tab-separated) in the order of positions, then gives its verdict.

    `may_be_unanchored`: how many rows a crash can leave sealed and not yet anchored; more than that is a finding.
    """

    def __init__(self, log_id: UUID, anchor: bytes, *, may_be_unanchored: int) -> None:
        self._anchor = anchor[: len(anchor) - len(anchor) % RECORD_BYTES]
        self._may_be_unanchored = may_be_unanchored
        self._genesis = genesis(log_id)
        self._previous: bytes | None = self._genesis
        self._expected = 1
        self._count = 0
        self._findings: list[LogFinding] = []
        self._findings_total = 0
        self._disagrees_from: tuple[int, str] | None = None

    def take(self, line: bytes) -> None:
        """Judge the next row."""
        hashed, number, content = line.split(b"\t", 2)
        position = int(number)
        stored = unhexlify(hashed) if len(hashed) == 2 * HASH_BYTES else b""
        self._count += 1
        place = position.to_bytes(POSITION_BYTES, "big", signed=True)
        record = self._record(position)
        if not (
            position == self._expected
            and self._previous is not None
            and sha256(self._previous + place + content).digest() == stored
            and (not record or record == place + stored)
            and self._disagrees_from is None
        ):
            self._look_closer(position, stored, content)
        self._previous = stored
        self._expected = position + 1

    def verdict(self, *, unsealed: int) -> LogVerification:
        """What was found, after the last row."""
        head = self._expected - 1
        anchored = len(self._anchor) // RECORD_BYTES
        if self._disagrees_from is not None:
            position, named = self._disagrees_from
            self._find(
                "recomputed",
                position,
                f"The chain was recomputed from position {position} on ({named}): its hashes fit each other, but not the anchor.",
            )
        if anchored > head:
            self._find(
                "deleted_tail", head + 1, f"The tail was deleted: the anchor knows {_span(head + 1, anchored)}, the log ends at {head}."
            )
        unanchored = max(head - anchored, 0)
        if unanchored > self._may_be_unanchored:
            self._find(
                "anchor_behind",
                anchored + 1,
                f"The anchor ends at position {anchored}, {unanchored} rows before the log does: more than a crash can leave.",
            )
        return LogVerification(
            count=self._count,
            unsealed=unsealed,
            unanchored=unanchored,
            head_hash=(self._previous or b"").hex(),
            findings=tuple(self._findings),
            findings_total=self._findings_total,
        )

    def report(self, code: str, position: int, sentence: str) -> None:
        """Add a finding of the caller (a missing file, say)."""
        self._find(code, position, sentence)

    def _look_closer(self, position: int, stored: bytes, content: bytes) -> None:
        if position != self._expected:
            self._find_gap(position)
        anchored = self._anchored_hash(position)
        linked = self._previous is None or (position > 0 and link(self._previous, position, content) == stored)
        if linked and anchored in (None, stored):
            self._close_disagreement(position, is_log_sound=True)
        elif linked:
            self._disagrees_from = self._disagrees_from or (position, _named(content))
        else:
            self._find_unlinked(position, stored, content, anchored)
            self._close_disagreement(position, is_log_sound=False)

    def _find_gap(self, position: int) -> None:
        if position > self._expected:
            self._find("missing", self._expected, f"Missing from the middle: {_span(self._expected, position - 1)}.")
        else:
            self._find("impossible_position", position, f"Position {position} cannot be: positions start at 1.")
        self._previous = self._anchored_hash(position - 1)

    def _find_unlinked(self, position: int, stored: bytes, content: bytes, anchored: bytes | None) -> None:
        named = _named(content)
        before = self._genesis if position == 1 else self._anchored_hash(position - 1)
        is_authentic = anchored is not None and before is not None and link(before, position, content) == anchored
        if is_authentic and stored != anchored:
            self._find("changed_hash", position, f"The hash of the row at position {position} was changed ({named}); its content was not.")
        elif not is_authentic:
            self._find("changed", position, f"The row at position {position} was changed ({named}).")

    def _close_disagreement(self, position: int, *, is_log_sound: bool) -> None:
        if self._disagrees_from is None:
            return
        first, named = self._disagrees_from
        self._disagrees_from = None
        if is_log_sound:
            self._find(
                "damaged_anchor", first, f"The anchor file is damaged: its records of {_span(first, position - 1)} do not fit the log."
            )
        else:
            self._find("recomputed", first, f"The chain of {_span(first, position - 1)} was recomputed ({named}).")

    def _record(self, position: int) -> bytes:
        offset = (position - 1) * RECORD_BYTES
        return self._anchor[offset : offset + RECORD_BYTES] if offset >= 0 else b""

    def _anchored_hash(self, position: int) -> bytes | None:
        """The anchored hash of a position; None beyond the anchor. A record that names another position yields a hash that fits nothing."""
        if position == 0:
            return self._genesis
        record = self._record(position)
        if not record:
            return None
        return record[POSITION_BYTES:] if record[:POSITION_BYTES] == position.to_bytes(POSITION_BYTES, "big") else b""

    def _find(self, code: str, position: int, sentence: str) -> None:
        self._findings_total += 1
        if len(self._findings) < FINDINGS_KEPT:
            self._findings.append(LogFinding(code, position, sentence))


def _named(content: bytes) -> str:
    identifier, event_type, _ = content.split(b"\t", 2)
    return f"id {identifier.decode()}, {event_type.decode()}"


def _span(first: int, last: int) -> str:
    return f"position {first}" if first == last else f"positions {first} to {last}"
