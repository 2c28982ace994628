"""Reads a table of bars from a file with pyarrow."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

from apps.core.errors import InvalidInput, NotFound

COLUMNS = ("date", "open", "high", "low", "close", "volume")
_SYNONYMS = {"timestamp": "date", "time": "date", "datetime": "date", "open_time": "date", "vol": "volume"}
FORMATS = ("csv", "parquet", "feather")


def guess_format(path: Path) -> str:
    """The format that the file's name says; raises InvalidInput if it says none."""
    names = {".csv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather"}
    for suffix in reversed(path.suffixes):
        if suffix.lower() in names:
            return names[suffix.lower()]
    raise InvalidInput(
        f"The name {path.name} does not say what kind of file it is.", where="format", hint=f"Give --format: {', '.join(FORMATS)}."
    )


def read_table(path: Path, file_format: str) -> pa.Table:
    """The columns of a bar file, named as in COLUMNS. Raises NotFound, InvalidInput."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", where="path")
    readers = {"csv": pyarrow.csv.read_csv, "parquet": pyarrow.parquet.read_table, "feather": pyarrow.feather.read_table}
    try:
        table = readers[file_format](str(path))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError) as error:
        raise InvalidInput(f"{path.name} cannot be read as {file_format}: {str(error).splitlines()[0]}", where="path") from error
    names = [_SYNONYMS.get(name.strip().lower(), name.strip().lower()) for name in table.column_names]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise InvalidInput(
            f"{path.name} has no column {', '.join(missing)}; it has {', '.join(table.column_names)}.",
            where="path",
            hint=f"A bar file has the columns {', '.join(COLUMNS)}.",
        )
    return table.rename_columns(names).select(list(COLUMNS))
