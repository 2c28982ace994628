"""Fewer points of a curve for a chart, none of its extremes lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from apps.portfolio.domain.records import FloatArray, Int64Array

MOST_POINTS = 1500
_SECOND = 1_000_000


def thin(values: FloatArray, *, most: int = MOST_POINTS) -> Int64Array:
    """Which points to show, rising: first and last, and the lowest and highest of each of equally long stretches between; `most` at most."""
    count = len(values)
    if count <= most:
        return np.arange(count)
    edges = np.linspace(1, count - 1, (most - 2) // 2 + 1).astype(np.int64)
    stretches = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    lowest = [start + int(np.argmin(values[start:end])) for start, end in stretches]
    highest = [start + int(np.argmax(values[start:end])) for start, end in stretches]
    return np.unique(np.array([0, *lowest, *highest, count - 1], np.int64))


def points(times: Int64Array, values: FloatArray, *, most: int = MOST_POINTS) -> list[list[Any]]:
    """The thinned curve as [seconds since 1970, value], for JSON and charts; seconds are whole where the time is."""
    chosen = thin(values, most=most)
    return [[_seconds(time), value] for time, value in zip(times[chosen].tolist(), values[chosen].tolist(), strict=True)]


def _seconds(time: int) -> float:
    return time / _SECOND if time % _SECOND else time // _SECOND


def histogram(values: npt.NDArray[np.float64], *, fewest: int = 10, most: int = 60) -> dict[str, list[Any]]:
    """Counts between `edges` (one more than counts), as wide as Freedman and Diaconis advise; empty lists without values."""
    if not len(values):
        return {"edges": [], "counts": []}
    low, high = np.quantile(values, [0.25, 0.75])
    width = 2.0 * float(high - low) / len(values) ** (1 / 3)
    bins = int(np.clip(np.ceil(np.ptp(values) / width) if width > 0 else fewest, fewest, most))
    counts, edges = np.histogram(values, bins=bins)
    return {"edges": edges.tolist(), "counts": counts.tolist()}
