"""Reads a file of ticks with pyarrow: CSV (also compressed) or Parquet. Only whoever runs over one loads this."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from apps.backtests.adapters.tick_times import times
from apps.backtests.domain.tick_config import TimeUnit
from apps.backtests.domain.tick_table import (
    LEVEL_COLUMNS,
    QUOTE_COLUMNS,
    SIDE,
    TIME,
    TRADE_COLUMNS,
    FloatArray,
    Int64Array,
    RawTicks,
    bad_cell,
    is_known,
    level_count,
)
from apps.core.errors import InvalidInput, NotFound

FORMATS = ("csv", "parquet")
_SUFFIXES = {".csv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}
_SYNONYMS = {"timestamp": TIME, "date": TIME, "datetime": TIME, "quantity": "size", "qty": "size", "amount": "size"}
_SIDES = {"buy": 1, "b": 1, "1": 1, "sell": -1, "s": -1, "-1": -1, "": 0, "0": 0, "unknown": 0}
_KNOWN = f"{TIME}; {', '.join(QUOTE_COLUMNS)}; {', '.join(TRADE_COLUMNS)}; {', '.join(name.format(1) for name in LEVEL_COLUMNS)} and further levels"


def read_ticks(path: Path, *, file_format: str = "", time_unit: TimeUnit | None = None) -> RawTicks:
    """The rows of a file. Raises NotFound for no file, InvalidInput for one that cannot be read, naming row and column."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", where="ticks")
    if not path.stat().st_size:
        raise InvalidInput(f"{path.name} is empty.", where="ticks", hint="A file of ticks has a header and a row for each tick.")
    chosen = file_format or _guessed(path)
    try:
        table = _read_csv(path) if chosen == "csv" else pyarrow.parquet.read_table(str(path))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path.name} cannot be read as {chosen}: {str(error).splitlines()[0]}", where="ticks") from error
    table = table.rename_columns(_names(path.name, table.column_names))
    at, unit = times(table[TIME], path.name, time_unit)
    columns = {name: _numbers(table[name], path.name, name) for name in table.column_names if name not in (TIME, SIDE)}
    side = _sides(table[SIDE], path.name) if SIDE in table.column_names else np.zeros(len(at), np.int64)
    return RawTicks(path.name, at, columns, side, unit)


def _guessed(path: Path) -> str:
    found = next((_SUFFIXES[suffix.lower()] for suffix in reversed(path.suffixes) if suffix.lower() in _SUFFIXES), None)
    if found is None:
        raise InvalidInput(f"The name {path.name} does not say what kind of file it is.", where="ticks", hint="Name it .csv or .parquet.")
    return found


def _read_csv(path: Path) -> pa.Table:
    """Numbers as numbers from the first row on: a type guessed from the first rows would not hold for a column that is filled later. Where a
    cell is no number everything is text, so that the cell can be named."""
    with pyarrow.csv.open_csv(str(path)) as reader:
        names = reader.schema.names
    texts = {name for name in names if _plain(name) in (TIME, SIDE)}
    try:
        return _read_typed(path, {name: pa.string() if name in texts else pa.float64() for name in names})
    except pa.ArrowInvalid as error:
        if "conversion error" not in str(error):
            raise
        return _read_typed(path, dict.fromkeys(names, pa.string()))


def _read_typed(path: Path, types: dict[str, pa.DataType]) -> pa.Table:
    options = pyarrow.csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
    return pyarrow.csv.read_csv(str(path), convert_options=options)


def _plain(name: str) -> str:
    plain = name.strip().lower()
    return _SYNONYMS.get(plain, plain)


def _names(file: str, given: Iterable[str]) -> list[str]:
    """The columns by the names that we have for them."""
    names = [_plain(name) for name in given]
    unknown = [name for name in names if not is_known(name)]
    if unknown:
        raise InvalidInput(f"{file} has columns that are not known: {', '.join(unknown)}.", where="columns", hint=f"Known are {_KNOWN}.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"{file} has the column {twice} twice.", where="columns")
    _require(file, names, (TIME,))
    for group, needed in ((QUOTE_COLUMNS, ("bid", "ask")), (TRADE_COLUMNS, ("price", "size"))):
        if any(name in names for name in group):
            _require(file, names, needed)
    for level in range(1, level_count(names) + 1):
        _require(file, names, tuple(name.format(level) for name in LEVEL_COLUMNS))
    if not {"bid", "price", "bid_1"} & set(names):
        raise InvalidInput(f"{file} has neither quotes nor trades nor depth.", where="columns", hint=f"Known are {_KNOWN}.")
    return names


def _require(file: str, names: list[str], needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in names]
    if missing:
        raise InvalidInput(
            f"{file} has no column {', '.join(missing)}; it has {', '.join(names)}.", where="columns", hint=f"Known are {_KNOWN}."
        )


def _numbers(column: pa.ChunkedArray, file: str, name: str) -> FloatArray:
    """Floats, NaN where a cell is empty."""
    try:
        return np.array(column.cast(pa.float64()).to_numpy(), np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        row, text = next(((row, text) for row, text in enumerate(column.to_pylist()) if not _is_number(text)), (0, error))
        raise bad_cell(
            file, row, name, f"{name} is {str(text)[:40]!r}, which is no number", "Write numbers with a decimal point."
        ) from error


def _is_number(text: Any) -> bool:
    try:
        float(text or 0)
    except (TypeError, ValueError):
        return False
    return True


def _sides(column: pa.ChunkedArray, file: str) -> Int64Array:
    coded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    meant = [_SIDES.get(str(text).strip().lower()) for text in coded.dictionary.to_pylist()]
    places = coded.indices.fill_null(len(meant)).to_numpy(zero_copy_only=False)
    sides: Int64Array = np.array([2 if side is None else side for side in [*meant, 0]], np.int64)[places]
    if (sides == 2).any():
        row = int((sides == 2).argmax())
        told = f"{SIDE} is {str(column[row].as_py())[:40]!r}"
        raise bad_cell(file, row, SIDE, told, "It is buy or sell, of who took; empty where it is not known.")
    return sides
