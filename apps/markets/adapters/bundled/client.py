"""Reads the data files of the packages `arch` and `skfolio` without importing the packages."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from apps.core.errors import Misconfigured

_FILES = {
    "SP500": ("arch", "data/sp500/sp500.csv.gz"),
    "NASDAQ": ("arch", "data/nasdaq/nasdaq.csv.gz"),
    "STOCKS": ("skfolio", "datasets/data/sp500_dataset.csv.gz"),
}


@dataclass(frozen=True)
class Table:
    """A CSV file: its header and its rows, as text."""

    header: list[str]
    rows: list[list[str]]


def read_table(name: str) -> Table:
    """The file known as SP500, NASDAQ or STOCKS; raises Misconfigured when its package is not installed."""
    package, relative = _FILES[name]
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    paths = [Path(folder) / relative for folder in folders if (Path(folder) / relative).is_file()]
    if not paths:
        raise Misconfigured(
            f"The package {package} with the file {relative} is not installed.", where="bundled", hint="Install requirements."
        )
    with gzip.open(paths[0], "rt", newline="") as file:
        header, *rows = csv.reader(file)
    return Table(header, rows)
