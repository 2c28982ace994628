"""Finds and reads LEAN's zipped CSV files."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from apps.core.errors import InvalidInput, NotFound

RESOLUTIONS = {"1m": "minute", "1h": "hour", "1d": "daily"}


@dataclass(frozen=True)
class LeanFile:
    """One CSV: the day that its name says (empty for files of many days) and its rows as text."""

    day: str
    rows: list[list[str]]


def read_files(folder: Path, *, security_type: str, market: str, resolution: str, symbol: str) -> list[LeanFile]:
    """All trade files of a symbol, oldest first. Raises NotFound, InvalidInput."""
    name = symbol.replace("/", "").lower()
    base = folder / security_type / market / resolution
    if resolution == "minute":
        paths = sorted((base / name).glob("*_trade.zip"))
    else:
        paths = [path for path in (base / f"{name}_trade.zip", base / f"{name}.zip") if path.is_file()][:1]
    if not paths:
        raise NotFound(
            f"There are no {resolution} trade files of {symbol} under {base}.",
            where="path",
            hint="Give the folder that holds equity/ or crypto/.",
        )
    return [LeanFile(path.name.split("_")[0] if resolution == "minute" else "", _rows(path)) for path in paths]


def _rows(path: Path) -> list[list[str]]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
            return [row for row in csv.reader(io.TextIOWrapper(file, "utf-8", newline="")) if row]
    except (zipfile.BadZipFile, IndexError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path.name} is not a LEAN data file: {error}", where="path") from error
