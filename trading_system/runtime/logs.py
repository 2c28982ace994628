"""Log files with a bounded size, written by the supervisor from the pipes of its children."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

MAXIMUM_BYTES = 5 * 1024 * 1024
KEPT_FILES = 3


class RotatingLog:
    """Appends to `path`; past `maximum_bytes` it becomes `path.1` (older ones `path.2`...), of which `kept` are kept.

    A full disk loses lines, never the writer.
    """

    def __init__(self, path: Path, *, maximum_bytes: int = MAXIMUM_BYTES, kept: int = KEPT_FILES) -> None:
        self.path = path
        self._maximum_bytes = maximum_bytes
        self._kept = kept
        self._file: BinaryIO | None = None
        self._size = 0
        self.last_line = ""

    def write(self, data: bytes) -> None:
        """Append what a process said."""
        self._remember_last_line(data)
        with suppress(OSError):
            if self._file is None:
                self._open()
            elif self._size + len(data) > self._maximum_bytes and self._size:
                self._rotate()
            if self._file is not None:
                self._file.write(data)
                self._size += len(data)

    def close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def _open(self) -> None:
        self._file = self.path.open("ab", buffering=0)
        self._size = self.path.stat().st_size

    def _rotate(self) -> None:
        self.close()
        for number in range(self._kept - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self.path.replace(self._numbered(1))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def _remember_last_line(self, data: bytes) -> None:
        lines = data.decode(errors="replace").strip().splitlines()
        if lines:
            self.last_line = lines[-1][:300]
