"""Tables as Parquet files. Only whoever exports one loads this, and pyarrow with it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from apps.backtests.domain.tables import Column, ColumnKind

_PRECISION = 19
"""Digits of an int64."""


def parquet_bytes(parts: Iterable[Sequence[Column]]) -> bytes:
    """The whole table; decimals are exact, times are UTC."""
    stream = io.BytesIO()
    writer: Any = None
    for columns in parts:
        table = pa.table({column.name: _array(column) for column in columns})
        if writer is None:
            writer = pq.ParquetWriter(stream, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return stream.getvalue()


def _array(column: Column) -> Any:
    is_empty = None if column.empty is None else column.values == column.empty
    if column.kind is ColumnKind.TIME:
        return pa.array(column.values, mask=is_empty).cast(pa.timestamp("us", tz="UTC"))
    if column.kind is ColumnKind.DECIMAL:
        whole = pa.array(column.values, mask=is_empty).cast(pa.decimal128(_PRECISION, 0))
        return _scaled(whole, column.scale)
    if column.kind is ColumnKind.NUMBER:
        return pa.array(column.values, mask=is_empty)
    if column.kind is ColumnKind.FLAG:
        return pa.array(column.values != 0)
    return pa.array(column.python(), pa.string())


def _scaled(whole: Any, scale: int) -> Any:
    """Units of 10^-scale as decimals: the digits stay, only the point moves."""
    buffers = whole.buffers()
    return pa.Array.from_buffers(pa.decimal128(38, scale), len(whole), buffers, offset=whole.offset)
