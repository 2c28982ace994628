"""The anchor: what the log looked like, kept outside the database, so that a rewritten log gives itself away.

One append-only file per log, DATA_DIR/anchor/<log id>.anchor: a record of 40 bytes for each position, in order: the position as eight
big-endian bytes, then the row's hash. Records are appended and fsync'd after the rows are committed. A record that a crash left torn is cut off.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from apps.core.errors import TradingError
from apps.events.domain.chain import HASH_BYTES, POSITION_BYTES

RECORD_BYTES = POSITION_BYTES + HASH_BYTES


class AnchorDamaged(TradingError):
    """The anchor file cannot be a record of this log; somebody changed it, or the log."""

    code = "anchor_damaged"


def pack_record(position: int, digest: bytes) -> bytes:
    """The 40 bytes that stand for one row."""
    return position.to_bytes(POSITION_BYTES, "big") + digest


@dataclass(frozen=True)
class AnchorTail:
    """The last whole record: its position (0 if there is none) and hash."""

    position: int
    digest: bytes


class AnchorFile:
    """The anchor of one log."""

    def __init__(self, folder: Path, log_id: UUID) -> None:
        self.folder = folder
        self.path = folder / f"{log_id}.anchor"

    def exists(self) -> bool:
        return self.path.is_file()

    @contextmanager
    def opened_for_append(self) -> Iterator[AnchorWriter]:
        """Hold the file exclusively; created with its folder at the first use."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if is_new:
                _sync_folder(self.folder)
            yield AnchorWriter(descriptor)
        finally:
            os.close(descriptor)

    def read(self) -> bytes:
        """The whole file as it is (40 MB for a million events); empty when there is none."""
        return self.path.read_bytes() if self.exists() else b""

    def set_aside(self, suffix: str) -> Path | None:
        """Rename the file away, so that a new one can be started; returns its new path."""
        if not self.exists():
            return None
        kept = self.path.with_suffix(f".{suffix}")
        self.path.rename(kept)
        _sync_folder(self.folder)
        return kept

    def others(self) -> list[Path]:
        """Anchor files of other logs beside this one."""
        return sorted(path for path in self.folder.glob("*.anchor") if path != self.path)


class AnchorWriter:
    """An open anchor file, held exclusively."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tail(self) -> AnchorTail:
        """The last whole record; a torn one behind it is cut off. Raises AnchorDamaged where position and place disagree."""
        size = os.fstat(self._descriptor).st_size
        whole = size - size % RECORD_BYTES
        if whole != size:
            os.ftruncate(self._descriptor, whole)
            os.fsync(self._descriptor)
        if not whole:
            return AnchorTail(0, b"")
        record = os.pread(self._descriptor, RECORD_BYTES, whole - RECORD_BYTES)
        position = int.from_bytes(record[:POSITION_BYTES], "big")
        if position != whole // RECORD_BYTES:
            raise AnchorDamaged(f"The anchor's last record names position {position}, but it is record {whole // RECORD_BYTES}.")
        return AnchorTail(position, record[POSITION_BYTES:])

    def append(self, records: Sequence[bytes]) -> None:
        """Write the records after the last one and wait until they are on the disk."""
        data = b"".join(records)
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
