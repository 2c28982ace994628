"""Rows in and out of PostgreSQL as numpy arrays, by binary COPY: the wire format is built and read by numpy, not row by row.

A layout names the columns of one COPY with their types. Every value is present (no NULLs), so all rows have one width and a whole result
is one structured array. Times are int64 microseconds since 1970, UTC; UUIDs are 16 raw bytes (`UUID_DTYPE`).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import connection

from apps.core.errors import InvalidInput

Arrays = Mapping[str, npt.NDArray[Any]]
UUID_DTYPE = np.dtype("V16")

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH_US = 946_684_800_000_000
_CHUNK = 1 << 20


class Wire(Enum):
    """How a column travels: (PostgreSQL type, numpy type on the wire, numpy type in memory)."""

    SMALLINT = ("smallint", ">i2", "i8")
    INTEGER = ("integer", ">i4", "i8")
    BIGINT = ("bigint", ">i8", "i8")
    DOUBLE = ("double precision", ">f8", "f8")
    TIMESTAMPTZ = ("timestamptz", ">i8", "i8")
    UUID = ("uuid", "V16", "V16")

    @property
    def wire_dtype(self) -> np.dtype[Any]:
        return np.dtype(self.value[1])

    @property
    def memory_dtype(self) -> np.dtype[Any]:
        return np.dtype(self.value[2])


@dataclass(frozen=True)
class Layout:
    """The columns of a COPY, in order."""

    columns: tuple[tuple[str, Wire], ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    @cached_property
    def row_dtype(self) -> np.dtype[Any]:
        """One row on the wire: the column count, then a length and a value for each column."""
        fields: list[tuple[str, Any]] = [("_columns", ">i2")]
        for name, wire in self.columns:
            fields += [(f"_length_{name}", ">i4"), (name, wire.wire_dtype)]
        return np.dtype(fields)

    def encode(self, arrays: Arrays) -> memoryview:
        """The whole COPY stream for `arrays`; scalars (0-d arrays) are repeated. Raises InvalidInput if a value does not fit."""
        count = max((len(item) for item in arrays.values() if item.ndim), default=1)
        size = len(_HEADER) + count * self.row_dtype.itemsize
        stream = np.empty(size + len(_TRAILER), np.uint8)
        stream[: len(_HEADER)] = np.frombuffer(_HEADER, np.uint8)
        stream[size:] = np.frombuffer(_TRAILER, np.uint8)
        rows = stream[len(_HEADER) : size].view(self.row_dtype)
        rows["_columns"] = len(self.columns)
        for name, wire in self.columns:
            rows[f"_length_{name}"] = wire.wire_dtype.itemsize
            rows[name] = _to_wire(arrays[name], wire, name)
        return stream.data

    def decode(self, stream: memoryview | bytes) -> dict[str, npt.NDArray[Any]]:
        """Native, contiguous arrays from a COPY stream. Raises InvalidInput for a stream of another layout, as NULLs make it.

        A NULL shortens its row, so every later row would start off the grid: the column count at each expected start tells.
        """
        body = len(stream) - len(_HEADER) - len(_TRAILER)
        count, rest = divmod(body, self.row_dtype.itemsize)
        if body < 0 or rest:
            raise InvalidInput(f"A COPY stream of {len(stream)} bytes is not rows of {self.names} without NULLs.", where="COPY")
        rows = np.frombuffer(stream, self.row_dtype, count=count, offset=len(_HEADER))
        types_fit = all(rows[f"_length_{name}"][:1] == wire.wire_dtype.itemsize for name, wire in self.columns) if count else True
        if not types_fit or (rows["_columns"] != len(self.columns)).any():
            raise InvalidInput(f"A COPY stream holds NULLs or other types than {self.names}.", where="COPY")
        return {name: _from_wire(rows[name], wire) for name, wire in self.columns}


def _to_wire(values: npt.NDArray[Any], wire: Wire, name: str) -> npt.NDArray[Any]:
    if wire is Wire.TIMESTAMPTZ:
        return np.asarray(values - _POSTGRES_EPOCH_US)
    if wire in (Wire.SMALLINT, Wire.INTEGER):
        limits = np.iinfo(wire.wire_dtype)
        if values.size and (values.min() < limits.min or values.max() > limits.max):
            raise InvalidInput(f"{name} does not fit a {wire.value[0]}.", where=name)
    return values


def _from_wire(values: npt.NDArray[Any], wire: Wire) -> npt.NDArray[Any]:
    native: npt.NDArray[Any] = values.astype(wire.memory_dtype)
    if wire is Wire.TIMESTAMPTZ:
        native += _POSTGRES_EPOCH_US
    return native


def copy_in(table: str, layout: Layout, arrays: Arrays) -> None:
    """Append `arrays` to `table` in the current transaction."""
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(
            f"COPY {table} ({', '.join(layout.names)}) FROM STDIN (FORMAT BINARY)", _Source(layout.encode(arrays)), size=_CHUNK
        )


def copy_out(query: str, parameters: Sequence[Any], layout: Layout) -> dict[str, npt.NDArray[Any]]:
    """The result of `query` (whose columns must be those of `layout`) as arrays."""
    sink = io.BytesIO()
    with connection.cursor() as cursor, connection.wrap_database_errors:
        statement = cursor.mogrify(query, parameters).decode() if parameters else query
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT BINARY)", sink)
    return layout.decode(sink.getbuffer())


def uuid_array(ids: Iterable[UUID]) -> npt.NDArray[np.void]:
    """UUIDs as the 16-byte values that a layout carries."""
    return np.array([np.void(item.bytes) for item in ids], dtype=UUID_DTYPE)


def uuid_list(values: npt.NDArray[np.void]) -> list[UUID]:
    """The UUIDs in an array read from a layout."""
    return [UUID(bytes=bytes(item)) for item in values.tolist()]


class _Source:
    """What copy_expert reads from: slices of one buffer."""

    def __init__(self, buffer: memoryview) -> None:
        self._buffer = buffer
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        end = len(self._buffer) if size < 0 else self._position + size
        chunk = bytes(self._buffer[self._position : end])
        self._position += len(chunk)
        return chunk
