"""Minutes of a market, drawn by chance or read from a file. No Django here."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from apps.markets.domain.bars import CandleBatch

Int64Array = npt.NDArray[np.int64]

MINUTE = 60_000_000
FIRST_OPEN = 1_640_995_200_000_000


@dataclass(frozen=True)
class Minutes:
    """Minute bars: prices in tenths, volumes in thousandths."""

    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array

    def __len__(self) -> int:
        return len(self.close)

    def batch(self, first: int, last: int) -> CandleBatch:
        """Bars `first` to `last` (exclusive) as they are stored."""
        opened = FIRST_OPEN + np.arange(first, last, dtype=np.int64) * MINUTE
        columns = [getattr(self, name)[first:last] for name in ("open", "high", "low", "close", "volume")]
        open_, high, low, close, volume = columns
        return CandleBatch(opened, opened + MINUTE, open_, high, low, close, volume, np.zeros(last - first, np.int64))


def walk(bars: int, *, seed: int) -> Minutes:
    """A random walk of minutes with gaps, wide bars and bars of little or no volume."""
    chance = np.random.default_rng(seed)
    close = np.maximum(np.rint(470_000 * np.exp(np.cumsum(chance.normal(0, 0.0012, bars)))), 1000).astype(np.int64)
    open_ = np.concatenate([close[:1], close[:-1]]) + chance.integers(-60, 61, bars)
    high = np.maximum(open_, close) + chance.integers(0, 500, bars)
    low = np.minimum(open_, close) - chance.integers(0, 500, bars)
    volume = np.rint(chance.lognormal(3.0, 1.0, bars) * 1000).astype(np.int64) * (chance.random(bars) > 0.02)
    return Minutes(open_, high, low, close, volume)


def minutes_of_file(path: Path, *, first: int, bars: int) -> Minutes:
    """Some minutes of a perpetual in a gzipped CSV, whose volume is in dollars."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))[first : first + bars]
    prices = {name: np.array([round(float(row[name]) * 10) for row in rows], np.int64) for name in ("open", "high", "low", "close")}
    volume = np.array([round(float(row["volume"]) / float(row["close"]) * 1000) for row in rows], np.int64)
    return Minutes(**prices, volume=volume)
