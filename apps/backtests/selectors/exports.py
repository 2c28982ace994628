"""Records as files: CSV and JSON as a stream, Parquet whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from uuid import UUID

import msgspec

from apps.backtests.contracts import ExportFormat, RecordKind
from apps.backtests.domain.tables import Column, rows_of
from apps.backtests.selectors.records import record_columns

_PARQUET = "apps.backtests.adapters.parquet"


def export(run_id: UUID, kind: RecordKind, file_format: ExportFormat) -> Iterator[bytes]:
    """A table of a run's records in pieces. Raises NotFound for an unknown run before the first piece is read."""
    parts = record_columns(run_id, kind)
    if file_format is ExportFormat.PARQUET:
        whole: bytes = import_module(_PARQUET).parquet_bytes(parts)
        return iter([whole])
    return _csv(parts) if file_format is ExportFormat.CSV else _json(parts)


def _csv(parts: Iterable[Sequence[Column]]) -> Iterator[bytes]:
    has_head = False
    for columns in parts:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not has_head:
            writer.writerow([column.name for column in columns])
            has_head = True
        writer.writerows(zip(*(column.text() for column in columns), strict=True))
        yield text.getvalue().encode()


def _json(parts: Iterable[Sequence[Column]]) -> Iterator[bytes]:
    """One array of objects; decimals as strings, so that no reader rounds them."""
    is_first = True
    yield b"["
    for columns in parts:
        rows = [msgspec.json.encode(row) for row in rows_of(columns)]
        if rows:
            yield (b"\n" if is_first else b",\n") + b",\n".join(rows)
            is_first = False
    yield b"\n]\n"
