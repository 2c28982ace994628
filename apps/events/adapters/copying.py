"""Streaming rows out of PostgreSQL by COPY, line by line: the fastest way to read the log, and the bytes that are hashed."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection


class LineSink:
    """Gives every complete line (without its end) to a function, however the chunks fall."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._rest = b""

    def write(self, chunk: bytes) -> int:
        if not self._rest and chunk.endswith(b"\n") and chunk.count(b"\n") == 1:
            self._take(chunk[:-1])
        else:
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._take(line)
        return len(chunk)


def copy_lines(query: str, take: Callable[[bytes], None]) -> None:
    """Run the query (no parameters: only integers and constants may be put into it) and give `take` each line in COPY text format."""
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT", LineSink(take))


def copied(query: str) -> list[bytes]:
    """All lines of the query."""
    lines: list[bytes] = []
    copy_lines(query, lines.append)
    return lines
