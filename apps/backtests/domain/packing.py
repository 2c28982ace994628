"""Arrays as bytes and back: columns side by side, compressed, never a pickle."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

ROWS_IN_PART = 65_536
"""Rows that are compressed together: a page of records unpacks one or two parts."""
_FAST = 1


def pack(array: npt.NDArray[np.generic]) -> bytes:
    """The array as compressed `.npy` bytes, column by column."""
    stream = io.BytesIO()
    np.save(stream, np.asfortranarray(array), allow_pickle=False)
    return zlib.compress(stream.getbuffer(), _FAST)


def unpack(data: bytes) -> npt.NDArray[np.int64]:
    """The int64 array that `pack` was given. Raises ValueError or zlib.error for anything else."""
    array: npt.NDArray[np.int64] = np.load(io.BytesIO(zlib.decompress(data)), allow_pickle=False)
    return array


def parts(array: npt.NDArray[np.int64]) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """The array in slices of rows, each with the number of its first row."""
    for first in range(0, len(array), ROWS_IN_PART):
        yield first, array[first : first + ROWS_IN_PART]


def pack_returns(returns: npt.NDArray[np.float64]) -> bytes:
    """Returns in single precision: they feed the tests of overfitting only."""
    return zlib.compress(np.ascontiguousarray(returns, dtype="<f4").tobytes(), _FAST)


def unpack_returns(data: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(zlib.decompress(data), dtype="<f4").astype(np.float64)
