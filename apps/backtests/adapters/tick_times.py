"""The times of a file of ticks: ISO text, or numbers since 1970 whose unit is found out."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from apps.backtests.domain.tick_config import TimeUnit
from apps.backtests.domain.tick_table import TIME, Int64Array, bad_cell
from apps.core.errors import InvalidInput

_LEAST = ((1e17, TimeUnit.NANOSECONDS), (1e14, TimeUnit.MICROSECONDS), (1e11, TimeUnit.MILLISECONDS), (0.0, TimeUnit.SECONDS))
"""A number that is at least this large is in that unit: 1e11 milliseconds are in 1973, 1e11 seconds in 5138."""
_PER_UNIT = {TimeUnit.SECONDS: 1_000_000, TimeUnit.MILLISECONDS: 1_000, TimeUnit.MICROSECONDS: 1}
_NANOS = 1_000
_LATEST = 4_102_444_800 * 10**6
"""The year 2100 in microseconds."""
_HINT = "Write ISO 8601 such as 2024-01-31T09:30:00.250Z, or seconds, ms, us or ns since 1970 UTC, the same way in every row."


def times(column: pa.ChunkedArray, file: str, given: TimeUnit | None) -> tuple[Int64Array, TimeUnit]:
    """Microseconds since 1970 UTC (what is finer is cut), and how they were written. Raises InvalidInput naming the first row without one."""
    if column.null_count:
        raise bad_cell(file, int(np.argmax(column.is_null().to_numpy())), TIME, "it has no time", _HINT)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        found, unit = _micros(column, getattr(kind, "tz", None)), TimeUnit.ISO
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        found, unit = _counted(column, given)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        found, unit = _of_text(column, file, given)
    else:
        raise InvalidInput(f"Times of type {kind} are not understood.", where=f"column {TIME}", hint=_HINT)
    is_strange = (found < 0) | (found > _LATEST)
    if is_strange.any():
        row = int(is_strange.argmax())
        what = f"time {column[row].as_py()} in {unit.words} is not between 1970 and 2100"
        raise bad_cell(file, row, TIME, what, "Give the unit with --time-unit.")
    return found, unit


def _micros(column: pa.ChunkedArray, zone: str | None) -> Int64Array:
    return np.array(column.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64()).to_numpy(), np.int64)


def _counted(column: pa.ChunkedArray, given: TimeUnit | None) -> tuple[Int64Array, TimeUnit]:
    values = column.to_numpy()
    if not len(values):
        return np.zeros(0, np.int64), given or TimeUnit.ISO
    unit = given if given in (*_PER_UNIT, TimeUnit.NANOSECONDS) else next(unit for least, unit in _LEAST if abs(float(values[0])) >= least)
    assert unit is not None
    if np.issubdtype(values.dtype, np.integer):
        whole = values.astype(np.int64)
        return whole // _NANOS if unit is TimeUnit.NANOSECONDS else _times(whole, _PER_UNIT[unit]), unit
    factor = 1 / _NANOS if unit is TimeUnit.NANOSECONDS else _PER_UNIT[unit]
    micros = np.nan_to_num(values * factor, nan=-1.0)
    return np.rint(micros.clip(-1, 2 * _LATEST)).astype(np.int64), unit


def _times(whole: Int64Array, factor: int) -> Int64Array:
    """The product, or far too late where it would not fit."""
    return np.where(np.abs(whole) > _LATEST, 2 * _LATEST, whole * factor)


def _of_text(column: pa.ChunkedArray, file: str, given: TimeUnit | None) -> tuple[Int64Array, TimeUnit]:
    trimmed = pc.utf8_trim_whitespace(column)
    is_counted = len(column) and (given not in (None, TimeUnit.ISO) or _is_number(trimmed[0].as_py()))
    if not is_counted or given is TimeUnit.ISO:
        return _of_iso(trimmed, file), TimeUnit.ISO
    for kind in (pa.int64(), pa.float64()):
        with suppress(pa.ArrowInvalid):
            return _counted(trimmed.cast(kind), given)
    raise _strange(trimmed, file, _is_number)


def _of_iso(column: pa.ChunkedArray, file: str) -> Int64Array:
    """With a zone in every row, or without one (then it is UTC) in any."""
    for zone in ("UTC", None):
        with suppress(pa.ArrowInvalid):
            return _micros(column.cast(pa.timestamp("ns", tz=zone)), zone)
    has_zone = [moment is not None and moment.tzinfo is not None for moment in map(_moment, column.slice(0, 1).to_pylist())]
    raise _strange(column, file, lambda text: (moment := _moment(text)) is not None and [moment.tzinfo is not None] == has_zone)


def _strange(column: pa.ChunkedArray, file: str, is_good: Any) -> InvalidInput:
    row, text = next(((row, text) for row, text in enumerate(column.to_pylist()) if not is_good(text)), (0, column[0].as_py()))
    return bad_cell(file, row, TIME, f"time is {text[:40]!r}", _HINT)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
