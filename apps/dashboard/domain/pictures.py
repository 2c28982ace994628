"""Pictures that need no script: a line with its area, a bar against a limit, an interval around zero; all as SVG coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH = 1000
HEIGHT = 300


@dataclass(frozen=True)
class Line:
    """Points of a polyline and the closed area under it, in a box of WIDTH x HEIGHT."""

    points: str
    area: str
    is_rising: bool


def line(values: Sequence[float], *, at_most: int = 500) -> Line | None:
    """The line through the values, thinned to `at_most` points that keep the first and the last; None below two values."""
    if len(values) < 2:
        return None
    picked = _thin(values, at_most)
    low, high = min(picked), max(picked)
    span = (high - low) or max(abs(high), 1.0) * 0.01
    step = WIDTH / (len(picked) - 1)
    points = " ".join(f"{index * step:.1f},{HEIGHT - 12 - (value - low) / span * (HEIGHT - 24):.1f}" for index, value in enumerate(picked))
    return Line(points=points, area=f"0,{HEIGHT} {points} {WIDTH},{HEIGHT}", is_rising=picked[-1] >= picked[0])


@dataclass(frozen=True)
class TwoLines:
    """Two polylines on one scale in a box of WIDTH x HEIGHT."""

    first: str
    second: str
    lowest: float
    highest: float


def two_lines(first: Sequence[float], second: Sequence[float]) -> TwoLines | None:
    """Lines through as many values each; None below two."""
    if len(first) < 2 or len(first) != len(second):
        return None
    low, high = min(*first, *second), max(*first, *second)
    span = (high - low) or max(abs(high), 1.0) * 0.01
    step = WIDTH / (len(first) - 1)

    def points(values: Sequence[float]) -> str:
        return " ".join(
            f"{index * step:.1f},{HEIGHT - 12 - (value - low) / span * (HEIGHT - 24):.1f}" for index, value in enumerate(values)
        )

    return TwoLines(points(first), points(second), low, high)


def _thin(values: Sequence[float], at_most: int) -> list[float]:
    if len(values) <= at_most:
        return list(values)
    stride = (len(values) - 1) / (at_most - 1)
    return [values[round(index * stride)] for index in range(at_most)]


@dataclass(frozen=True)
class Used:
    """How much of a limit is used."""

    percent: float
    level: str
    """ok, warn (from 75 %) or bad (from 100 %)"""


def used(value: Decimal | None, limit: Decimal | None) -> Used | None:
    """Value against limit as 0..100 %; None where either is missing or the limit is zero."""
    if value is None or limit is None or limit <= 0:
        return None
    share = float(abs(value) / limit) * 100
    level = "bad" if share > 100 else "warn" if share >= 75 else "ok"
    return Used(percent=round(min(share, 100.0), 1), level=level)


@dataclass(frozen=True)
class Interval:
    """A forecast interval on a line with zero in the middle; positions in 0..WIDTH."""

    start: float
    width: float
    point: float
    zero: float = WIDTH / 2


def interval(lower: float, point: float, upper: float) -> Interval:
    """Scaled so that the farther end has a margin of a tenth."""
    reach = max(abs(lower), abs(upper), abs(point), 1e-9) * 1.1
    half = WIDTH / 2

    def place(value: float) -> float:
        return round(half + value / reach * half, 1)

    return Interval(start=place(lower), width=round(place(upper) - place(lower), 1), point=place(point))
